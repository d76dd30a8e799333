//! Deadlines, on the runtime's own timers.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use muxado_core::Config;

use super::{Case, Ends, bytes};

pub(super) const CASES: &[Case] = &[("deadlines", Config::default, |ends| Box::pin(deadlines(ends)))];

async fn deadlines(Ends { client, server, .. }: Ends) {
    let mut ours = client.open().await.unwrap();
    ours.flush().await.unwrap();
    let mut theirs = server.accept().await.unwrap();
    let at = Instant::now() + Duration::from_millis(50);
    ours.set_deadline(Some(at));
    assert_eq!(ours.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(Instant::now() >= at, "not before");
    let said = bytes(6, 3_000_000);
    assert_eq!(ours.write(&said).await.unwrap_err().kind(), ErrorKind::TimedOut);
    ours.set_deadline(Some(Instant::now() + Duration::from_millis(50)));
    let mut written = 0;
    let error = loop {
        match ours.write(&said[written..]).await {
            Ok(more) => written += more,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    ours.set_deadline(None);
    let rest = async {
        ours.write_all(&said[written..]).await.unwrap();
        ours.close().await.unwrap();
    };
    let mut read = Vec::new();
    let (_, result) = futures_lite::future::zip(rest, theirs.read_to_end(&mut read)).await;
    result.unwrap();
    assert!(read == said, "no byte is lost or sent twice");
}
