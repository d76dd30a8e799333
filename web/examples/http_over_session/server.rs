//! The side that is dialled, and calls.

use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use muxado_tokio::Session;
use muxado_tokio::http::incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::Server;

use super::health;

/// How long the client's own calls may take, once we need it no more.
const DRAIN: Duration = Duration::from_secs(5);

/// An HTTP client whose connections are streams of the session.
pub(crate) type HttpClient = Client<Session, Full<Bytes>>;

/// Tells the client what to serve, calls it, and ends the session. Gives what it was told.
pub(crate) async fn run(session: Session, app: &str) -> anyhow::Result<Vec<String>> {
    assign(&session, app).await?;
    let registry = health::service("registry").await;
    tokio::spawn(Server::builder().add_routes(registry).serve_with_incoming(incoming(&session)));

    let request = match app {
        "echo" => hyper::Request::post("http://client/echo").body(Full::from("once more"))?,
        _ => hyper::Request::get("http://client/hello/Ada").body(Full::default())?,
    };
    let answer = text(&http_client(&session), request).await?;
    let serving = health::is_serving(&mut health::client(&session), app).await?;

    // The client's own question may be on its way still.
    session.drain(DRAIN).await;
    Ok(vec![answer, format!("{app} is serving: {serving}")])
}

/// Answers the client's first question, which app to serve.
async fn assign(session: &Session, app: &str) -> anyhow::Result<()> {
    let mut asked = session.accept().await?;
    let mut question = String::new();
    asked.read_to_string(&mut question).await?;
    asked.write_all(app.as_bytes()).await?;
    Ok(asked.shutdown().await?)
}

/// With keep-alive: a stream that has served a request serves the next.
pub(crate) fn http_client(session: &Session) -> HttpClient {
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(session.clone())
}

/// One request, and its answer as text. A status other than success is an error.
pub(crate) async fn text(
    client: &HttpClient,
    request: hyper::Request<Full<Bytes>>,
) -> anyhow::Result<String> {
    let response = client.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    anyhow::ensure!(status.is_success(), "{status}");
    String::from_utf8(body.into()).context("the answer is no text")
}
