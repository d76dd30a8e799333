//! What callers see when the session or the stream under their calls ends.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use muxado_tokio::http::{serve_axum, serve_hyper};
use muxado_tokio::{EndCause, ErrorCode, Retry, Session, SessionEnd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::connected;
use super::example::server::{http_client, text};

/// Within which whatever waits for something that does not come would be cut off.
const LONG: Duration = Duration::from_secs(5);

fn request() -> Request<Full<Bytes>> {
    Request::get("http://peer/").body(Full::default()).unwrap()
}

/// A call that is accepted and never answered, and how it fails when `end` ends it.
async fn mid_call(end: impl AsyncFnOnce(&Session)) -> Error {
    let (client, server) = connected().await;
    let calling = tokio::spawn(http_client(&client).request(request()));
    let mut stream = server.accept().await.unwrap();
    stream.read_chunk(1024).await.unwrap().unwrap();
    end(&server).await;
    let error = calling.await.unwrap().unwrap_err();
    drop(stream);
    error
}

#[tokio::test]
async fn a_session_that_dies_fails_the_call_which_may_have_been_processed() {
    let error = mid_call(async |server| drop(server.close(ErrorCode::INTERNAL_ERROR, "dead").await)).await;
    assert_eq!(Retry::of(&error), Retry::Unknown, "{error:?}");
}

#[tokio::test]
async fn an_answer_that_has_come_is_whole_though_the_session_has_ended() {
    const LENGTH: usize = 100_000;
    let (client, server) = connected().await;
    let calling = tokio::spawn(http_client(&client).request(request()));
    let mut stream = server.accept().await.unwrap();
    stream.read_chunk(1024).await.unwrap().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {LENGTH}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; LENGTH]).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    let answer = calling.await.unwrap().unwrap();
    server.close(ErrorCode::NO_ERROR, "bye").await;
    client.closed().await;
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), LENGTH);
}

#[tokio::test]
async fn a_body_is_cut_with_an_error_and_not_with_an_end() {
    let (client, server) = connected().await;
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body = std::sync::Mutex::new(Some(axum::body::Body::from_stream(
        tokio_stream::wrappers::ReceiverStream::new(receive),
    )));
    let body = std::sync::Arc::new(body);
    let endless = get(move || async move { body.lock().unwrap().take().unwrap() });
    let serving = tokio::spawn(serve_axum(server.clone(), Router::new().route("/", endless)));
    send.send(Ok(Bytes::from_static(b"a part"))).await.unwrap();
    let mut answer = http_client(&client).request(request()).await.unwrap().into_body();
    assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "a part");
    server.close(ErrorCode::INTERNAL_ERROR, "dead").await;
    answer.frame().await.unwrap().unwrap_err();
    let end = serving.await.unwrap();
    assert!(matches!(end.cause(), EndCause::Closed { .. }), "{end}");
}

#[tokio::test]
async fn calls_that_were_never_processed_say_so() {
    // The stream is refused.
    let (client, server) = connected().await;
    let calling = tokio::spawn(http_client(&client).request(request()));
    server.accept().await.unwrap().refuse().unwrap();
    let error = calling.await.unwrap().unwrap_err();
    assert_eq!(Retry::of(&error), Retry::NotProcessed, "{error:?}");

    // The peer goes away while the call waits to be accepted.
    let (client, server) = connected().await;
    let calling = tokio::spawn(http_client(&client).request(request()));
    while client.stats().bytes_sent == 0 {
        tokio::task::yield_now().await;
    }
    drop(server.close(ErrorCode::NO_ERROR, "restarting"));
    let error = calling.await.unwrap().unwrap_err();
    assert_eq!(Retry::of(&error), Retry::NotProcessed, "{error:?}");

    // The session has ended before the call.
    client.closed().await;
    let error = http_client(&client).request(request()).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert_eq!(Retry::of(&error), Retry::NotProcessed, "{error:?}");
}

#[tokio::test]
async fn who_goes_away_finishes_what_it_serves() {
    let (client, server) = connected().await;
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let finished = std::sync::Mutex::new(Some(finished));
    let finished = std::sync::Arc::new(finished);
    let slow = get(move || async move {
        let waiting = finished.lock().unwrap().take();
        waiting.unwrap().await.unwrap();
        "done"
    });
    let serving = tokio::spawn(serve_axum(server.clone(), Router::new().route("/", slow)));
    let http = http_client(&client);
    let calling = {
        let http = http.clone();
        tokio::spawn(async move { text(&http, request()).await })
    };
    while server.stats().streams == 0 {
        tokio::task::yield_now().await;
    }
    server.go_away();
    let refused = http_client(&client).request(request()).await.unwrap_err();
    assert_eq!(Retry::of(&refused), Retry::NotProcessed, "{refused:?}");
    finish.send(()).unwrap();
    assert_eq!(calling.await.unwrap().unwrap(), "done");
    drop(http);
    let end = serving.await.unwrap();
    assert!(end.cut().is_nothing(), "{end}");
}

/// Every server of ours with this session, and every kind of connection that its clients may have.
fn servers() -> impl Iterator<Item = (fn(Session) -> JoinHandle<SessionEnd>, bool)> {
    let axum = |session| tokio::spawn(serve_axum(session, Router::new().route("/", get(async || "fine"))));
    let hyper = |session| {
        let fine = service_fn(async |_request| Ok::<_, Infallible>(Response::new("fine".to_owned())));
        tokio::spawn(serve_hyper(session, fine))
    };
    [axum as fn(Session) -> _, hyper].into_iter().flat_map(|serve| [(serve, false), (serve, true)])
}

#[tokio::test]
async fn a_drain_is_not_held_up_by_streams_that_rest() {
    for (serve, http2) in servers() {
        let (client, server) = connected().await;
        let serving = serve(server.clone());
        let http = Client::builder(TokioExecutor::new()).http2_only(http2).build(client.clone());
        assert_eq!(text(&http, request()).await.unwrap(), "fine");
        assert_eq!(server.stats().streams, 1, "the client keeps it");
        let end = server.drain(LONG).await;
        assert!(end.cut().is_nothing(), "{end}");
        assert!(serving.await.unwrap().cut().is_nothing());
        let error = text(&http, request()).await.unwrap_err();
        assert_eq!(Retry::of(&*error), Retry::NotProcessed, "{error:?}");
    }
}

#[tokio::test]
async fn what_came_before_a_drain_is_served_even_if_nobody_had_accepted_it() {
    for (serve, http2) in servers() {
        let (client, server) = connected().await;
        let http = Client::builder(TokioExecutor::new()).http2_only(http2).build(client.clone());
        let calling = tokio::spawn(async move { text(&http, request()).await });
        let mut slow = client.open().await.unwrap();
        slow.flush().await.unwrap();
        while server.stats().streams < 2 {
            tokio::task::yield_now().await;
        }
        let draining = server.drain(LONG);
        let serving = serve(server);
        assert_eq!(calling.await.unwrap().unwrap(), "fine");
        slow.write_all(b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("fine"), "{answer}");
        drop(slow);
        let end = draining.await;
        assert!(end.cut().is_nothing(), "{end}");
        drop(serving.await.unwrap());
    }
}
