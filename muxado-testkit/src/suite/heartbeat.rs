//! Beats and their echoes, on each end's own runtime and its timers.

use std::time::Duration;

use muxado_core::Session;
use muxado_core::face::Face;
use muxado_heartbeat::{BeatError, Heartbeat, HeartbeatConfig};
use muxado_typed::Typed;

use super::{At, in_a_task};

/// Far more than a beat takes here.
const LIMIT: Duration = Duration::from_secs(20);

/// Both sides beat, both answer; then one leaves, and neither the beats nor their answers hold it up.
pub(super) async fn heartbeat<C: Face, S: Face>(client: At<C>, server: At<S>) {
    let (leaving, told) = (client.session.core().clone(), server.session.core().clone());
    let near = in_a_task(client.spawn, beats(client)).await;
    let far = in_a_task(server.spawn, beats(server)).await;
    let (near, far) = (near.await, far.await);
    let end = leaving.drain(LIMIT).await;
    assert!(end.is_clean() && end.cut().is_nothing(), "{end}");
    assert!(told.closed().await.is_clean());
    near.await;
    far.await;
}

/// Beats a few times, by the clock and on demand. What it gives waits until the session has ended.
async fn beats<F: Face>(At { session, spawn }: At<F>) -> impl Future<Output = ()> {
    let core: Session = session.core().clone();
    let config = HeartbeatConfig::default().interval(Duration::from_millis(20));
    let heartbeat = Heartbeat::start(Typed::new(session), config).await.unwrap();
    let answering = heartbeat.clone();
    let answers = in_a_task(spawn, async move { while answering.accept().await.is_ok() {} }).await;
    for _ in 0..3 {
        assert!(heartbeat.beat(LIMIT).await.unwrap() < LIMIT);
        assert!(heartbeat.next_rtt().await.unwrap() < LIMIT);
    }
    in_a_task(spawn, async move {
        answers.await;
        core.closed().await;
        assert_eq!(heartbeat.beat(LIMIT).await, Err(BeatError::Ended));
    })
    .await
}
