//! The side that dials out, and serves.

use anyhow::bail;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path};
use axum::routing::{get, post};
use muxado_tokio::http::{StreamInfo, serve_axum};
use muxado_tokio::{Session, SessionEnd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::health;

/// Asks what to serve and serves it, until the session ends.
pub(crate) async fn run(session: Session) -> anyhow::Result<SessionEnd> {
    let name = which_app(&session).await?;
    let app = app(&name)?.merge(health::service(&name).await.into_axum_router());
    let serving = tokio::spawn(serve_axum(session.clone(), app));
    if !health::is_serving(&mut health::client(&session), "registry").await? {
        bail!("the server is not well");
    }
    drop(session);
    Ok(serving.await?)
}

/// One question over a stream of its own. What is done next with the session is nobody's business but ours.
async fn which_app(session: &Session) -> anyhow::Result<String> {
    let mut stream = session.open().await?;
    stream.write_all(b"which app?").await?;
    stream.shutdown().await?;
    let mut name = String::new();
    stream.read_to_string(&mut name).await?;
    Ok(name)
}

/// The applications that there are.
pub(crate) fn app(name: &str) -> anyhow::Result<Router> {
    match name {
        "greeter" => Ok(Router::new().route("/hello/{name}", get(hello))),
        "echo" => Ok(Router::new().route("/echo", post(echo))),
        _ => bail!("no such application: {name:?}"),
    }
}

async fn hello(ConnectInfo(info): ConnectInfo<StreamInfo>, Path(name): Path<String>) -> String {
    let stream = info.id.map(|id| id.to_string()).unwrap_or_default();
    format!("hello, {name}, on stream {stream}")
}

/// As it comes: the answer begins before the request has ended.
async fn echo(body: Body) -> Body {
    body
}
