//! HTTP/1 with axum, hyper and hyper-util.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::routing::{get, post};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use muxado_tokio::Session;
use muxado_tokio::http::{StreamInfo, serve_axum, serve_hyper};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::example::client::app;
use super::example::server::{http_client, text};
use super::{all_streams_ended, connected};

fn get_request(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://peer{path}")).body(Full::default()).unwrap()
}

#[tokio::test]
async fn handlers_know_the_connection() {
    let (client, server) = connected().await;
    let address = client.local_addr().unwrap();
    let who = |ConnectInfo(info): ConnectInfo<StreamInfo>| async move { info.peer_addr.unwrap().to_string() };
    tokio::spawn(serve_axum(server, Router::new().route("/", get(who))));
    assert_eq!(text(&http_client(&client), get_request("/")).await.unwrap(), address.to_string());
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    const PIECES: usize = 300;
    const PIECE: usize = 16 * 1024;
    let (client, server) = connected().await;
    // The side that dialled serves.
    tokio::spawn(serve_axum(client, app("echo").unwrap()));
    let (send, receive) = mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
    let body = BodyExt::boxed(StreamBody::new(ReceiverStream::new(receive)));
    let http = Client::builder(TokioExecutor::new()).build::<_, _>(server);
    // The first piece comes back before the second is sent: nobody waits for the whole.
    let piece = Bytes::from(vec![7; PIECE]);
    send.send(Ok(Frame::data(piece.clone()))).await.unwrap();
    let request = Request::post("http://peer/echo").body(body).unwrap();
    let mut answer = http.request(request).await.unwrap().into_body();
    let mut read = 0;
    for sent in 1..=PIECES {
        while read < sent * PIECE {
            read += answer.frame().await.unwrap().unwrap().into_data().unwrap().len();
        }
        if sent < PIECES {
            send.send(Ok(Frame::data(piece.clone()))).await.unwrap();
        }
    }
    drop(send);
    assert!(answer.frame().await.is_none());
    assert_eq!(read, PIECES * PIECE);
}

#[tokio::test]
async fn five_hundred_calls_at_once() {
    const CALLS: usize = 500;
    let (client, server) = connected().await;
    let served = Arc::new(AtomicUsize::new(0));
    let counting = served.clone();
    let count = move |_request: Request<Incoming>| {
        let number = counting.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(number.to_string())))) }
    };
    tokio::spawn(serve_hyper(server, service_fn(count)));
    let http = http_client(&client);
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let http = http.clone();
            tokio::spawn(async move { text(&http, get_request("/")).await.unwrap() })
        })
        .collect();
    let mut numbers = Vec::new();
    for call in calls {
        numbers.push(call.await.unwrap().parse::<usize>().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..CALLS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_with_keep_alive_needs_one_stream() {
    let (client, server) = connected().await;
    tokio::spawn(serve_axum(server, Router::new().route("/", get(|| async { "fine" }))));
    let http = Client::builder(TokioExecutor::new()).build(client.clone());
    for _ in 0..10 {
        assert_eq!(text(&http, get_request("/")).await.unwrap(), "fine");
    }
    assert_eq!(client.stats().opened, 1);
}

/// Says when it is dropped.
struct Held(mpsc::Sender<&'static str>);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.try_send("dropped");
    }
}

#[tokio::test]
async fn a_cancelled_request_ends_its_handler_and_nothing_else() {
    let (client, server) = connected().await;
    let (events, mut happened) = mpsc::channel(10);
    let never = |State(events): State<mpsc::Sender<&'static str>>| async move {
        let _held = Held(events.clone());
        events.send("begun").await.unwrap();
        std::future::pending::<()>().await;
    };
    let endless = |State(events): State<mpsc::Sender<&'static str>>| async move {
        let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(1);
        tokio::spawn(async move {
            let _held = Held(events);
            while send.send(Ok(Bytes::from_static(&[0; 4096]))).await.is_ok() {}
        });
        Body::from_stream(ReceiverStream::new(receive))
    };
    let app = Router::new()
        .route("/never", get(never))
        .route("/endless", post(endless))
        .route("/fine", get(|| async { "fine" }))
        .with_state(events);
    tokio::spawn(serve_axum(server, app));

    let http = http_client(&client);
    let waiting = tokio::spawn(http.request(get_request("/never")));
    assert_eq!(happened.recv().await, Some("begun"));
    waiting.abort();
    assert_eq!(happened.recv().await, Some("dropped"));

    let request = Request::post("http://peer/endless").body(Full::default()).unwrap();
    let mut answer = http.request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.body_mut().frame().await.unwrap().unwrap();
    drop(answer);
    assert_eq!(happened.recv().await, Some("dropped"));

    assert_eq!(text(&http, get_request("/fine")).await.unwrap(), "fine");
    drop(http);
    all_streams_ended(&client).await;
}

#[tokio::test]
async fn a_session_can_be_served_by_axum_itself() {
    let (client, server) = connected().await;
    let closed = server.closed();
    let serving = tokio::spawn(
        axum::serve::serve(server, Router::new().route("/", get(|| async { "here" })))
            .with_graceful_shutdown(async { drop(closed.await) })
            .into_future(),
    );
    assert_eq!(text(&http_client(&client), get_request("/")).await.unwrap(), "here");
    Session::close(&client, muxado_tokio::ErrorCode::NO_ERROR, "").await;
    serving.await.unwrap().unwrap();
}
