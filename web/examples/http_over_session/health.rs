//! gRPC's standard health service, as it is served and as it is asked.

use muxado_tokio::Session;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::health_reporter;

/// The service of a program that serves `name` and is fine.
pub(crate) async fn service(name: &str) -> Routes {
    let (reporter, service) = health_reporter();
    reporter.set_service_status(name, ServingStatus::Serving).await;
    Routes::new(service)
}

/// A client over the session. Its channel opens a stream when it is first used, and again if that is lost.
pub(crate) fn client(session: &Session) -> HealthClient<Channel> {
    let channel = Endpoint::from_static("http://peer").connect_with_connector_lazy(session.clone());
    HealthClient::new(channel)
}

/// Whether the peer serves `name`.
pub(crate) async fn is_serving(
    client: &mut HealthClient<Channel>,
    name: &str,
) -> Result<bool, tonic::Status> {
    let request = HealthCheckRequest { service: name.to_owned() };
    let answer = client.check(request).await?.into_inner();
    Ok(answer.status == ServingStatus::Serving as i32)
}
