//! gRPC with tonic, in both directions of one session.

use muxado_tokio::http::incoming;
use muxado_tokio::{ErrorCode, Session};
use tonic::Code;
use tonic::transport::Server;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::server::{HealthReporter, health_reporter};
use tonic_health::{ServingStatus, pb::health_server::HealthServer};

use super::connected;
use super::example::health::{client, is_serving, service};

/// Serves health to the other side.
async fn serve(session: &Session, name: &str) {
    let server = Server::builder().add_routes(service(name).await);
    tokio::spawn(server.serve_with_incoming(incoming(session)));
}

#[tokio::test]
async fn five_hundred_calls_at_once_in_both_directions() {
    let (here, there) = connected().await;
    serve(&here, "here").await;
    serve(&there, "there").await;
    let mut calls = Vec::new();
    for (session, name) in [(&here, "there"), (&there, "here")] {
        let client = client(session);
        for _ in 0..250 {
            let mut client = client.clone();
            calls.push(tokio::spawn(async move { is_serving(&mut client, name).await.unwrap() }));
        }
    }
    for call in calls {
        assert!(call.await.unwrap());
    }
}

/// A service whose state the test sets.
fn reporting() -> (HealthReporter, HealthServer<impl tonic_health::pb::health_server::Health>) {
    health_reporter()
}

#[tokio::test]
async fn answers_stream_and_cancelled_ones_stop() {
    let (here, there) = connected().await;
    let (reporter, health) = reporting();
    reporter.set_service_status("it", ServingStatus::Serving).await;
    tokio::spawn(Server::builder().add_service(health).serve_with_incoming(incoming(&there)));
    let mut client = client(&here);
    let request = HealthCheckRequest { service: "it".to_owned() };
    let mut watching = client.watch(request.clone()).await.unwrap().into_inner();
    for status in [ServingStatus::NotServing, ServingStatus::Serving, ServingStatus::NotServing] {
        watching.message().await.unwrap().unwrap();
        reporter.set_service_status("it", status).await;
    }
    assert_eq!(watching.message().await.unwrap().unwrap().status, ServingStatus::NotServing as i32);
    drop(watching);
    // The same connection, and so the same stream, goes on.
    assert!(!is_serving(&mut client, "it").await.unwrap());
    assert_eq!(here.stats().streams, 1);
    let error = is_serving(&mut client, "another").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn a_status_and_no_hang_when_the_session_dies() {
    let (here, there) = connected().await;
    let (reporter, health) = reporting();
    reporter.set_service_status("it", ServingStatus::Serving).await;
    let serving = tokio::spawn(Server::builder().add_service(health).serve_with_incoming(incoming(&there)));
    let mut client = client(&here);
    let request = HealthCheckRequest { service: "it".to_owned() };
    let mut watching = client.watch(request).await.unwrap().into_inner();
    watching.message().await.unwrap().unwrap();
    there.close(ErrorCode::INTERNAL_ERROR, "out of order").await;
    let status = watching.message().await.unwrap_err();
    assert!(matches!(status.code(), Code::Unknown | Code::Unavailable | Code::Internal), "{status}");
    // The server's source of connections ends with the session.
    serving.await.unwrap().unwrap();
    let status = is_serving(&mut client, "it").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(muxado_tokio::Retry::of(&status), muxado_tokio::Retry::NotProcessed, "{status:?}");
}
