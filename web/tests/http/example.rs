//! The example, as it stands.

#[path = "../../examples/http_over_session/client.rs"]
#[allow(dead_code, reason = "parts of an example")]
pub(crate) mod client;
#[path = "../../examples/http_over_session/health.rs"]
#[allow(dead_code, reason = "parts of an example")]
pub(crate) mod health;
#[path = "../../examples/http_over_session/server.rs"]
#[allow(dead_code, reason = "parts of an example")]
pub(crate) mod server;

use muxado_tokio::EndCause;

use super::connected;

#[tokio::test]
async fn the_client_serves_what_the_server_asks_for() {
    for (app, answer) in [("greeter", "hello, Ada, on stream "), ("echo", "once more")] {
        let (client, server) = connected().await;
        let (ended, told) = tokio::join!(client::run(client), server::run(server, app));
        let told = told.unwrap();
        assert!(told[0].starts_with(answer), "{told:?}");
        assert_eq!(told[1], format!("{app} is serving: true"));
        assert!(matches!(ended.unwrap().cause(), EndCause::GoAway { .. }));
    }
}
