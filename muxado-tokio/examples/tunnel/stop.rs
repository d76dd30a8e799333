//! How the programs end: on ctrl-c, with some time for what is under way.

use std::time::Duration;

use tokio::task::JoinSet;

use super::log;

/// How long connections may go on after ctrl-c. What has not ended by then is cut off.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Resolves when the user presses ctrl-c.
pub(crate) async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        log(format_args!("ctrl-c will go unnoticed: {error}"));
        std::future::pending::<()>().await;
    }
}

/// Waits for `tasks` to end by themselves, a moment longer than their sessions may live, then ends them.
pub(crate) async fn join(mut tasks: JoinSet<()>) {
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE + Duration::from_secs(1), ended).await.is_err() {
        tasks.shutdown().await;
    }
}
