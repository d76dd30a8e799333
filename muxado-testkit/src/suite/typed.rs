//! Streams with types, and the router, on each end's own runtime.

use futures_lite::io::AsyncWriteExt;
use muxado_core::face::Face;
use muxado_core::{ErrorCode, Retry, Stream};
use muxado_typed::{Router, StreamType, Typed};

use super::streams::{answer, read_all};
use super::{At, bytes, in_a_task};

/// What is accepted by whoever is asked.
const ECHO: u32 = 1;
/// What the router knows, but has no place for.
const FULL: u32 = 2;
/// What nobody is there for.
const UNKNOWN: u32 = 3;

/// The server accepts by type, behind a stream that never says its own; then the client routes, and refuses what it must.
pub(super) async fn typed<C: Face, S: Face>(client: At<C>, server: At<S>) {
    let accepting = Typed::new(server.session.clone());
    let serving = in_a_task(server.spawn, async move {
        while let Ok(stream) = accepting.accept().await {
            assert_eq!(stream.stream_type(), StreamType::new(ECHO));
            answer(stream.into_inner().into()).await;
        }
    })
    .await;
    let calling = in_a_task(client.spawn, calls(client.session.clone(), server)).await;
    calling.await;
    serving.await;
}

async fn calls<C: Face, S: Face>(client: C, server: At<S>) {
    let typed = Typed::new(client.clone());
    let mut silent = client.core().open().await.unwrap();
    silent.flush().await.unwrap();
    for seed in 0..50 {
        let said = bytes(seed, seed * 1000);
        let mut stream: Stream = typed.open(ECHO).await.unwrap().into_inner().into();
        stream.write_all(&said).await.unwrap();
        stream.close().await.unwrap();
        assert!(read_all(&mut stream).await == said, "the same bytes");
    }
    // Now the other way round, through a router.
    let router = Router::new(typed).handle(ECHO, 8, |stream| async move { drop(stream) });
    let router = router.handle(FULL, 0, |stream| async move { drop(stream) });
    let typed = Typed::new(server.session.clone());
    let refused = async {
        for stream_type in [FULL, UNKNOWN] {
            let mut stream: Stream = typed.open(stream_type).await.unwrap().into_inner().into();
            let error = stream.read_chunk(1).await.unwrap_err();
            assert_eq!(error.retry(), Retry::NotProcessed, "{error}");
        }
        let mut stream: Stream = typed.open(ECHO).await.unwrap().into_inner().into();
        let error = stream.read_chunk(1).await.unwrap_err();
        assert_ne!(error.retry(), Retry::NotProcessed, "the handler dropped it: {error}");
        server.session.core().close(ErrorCode::NO_ERROR, "").await;
    };
    futures_lite::future::zip(router.run(), refused).await;
    drop(silent);
}
