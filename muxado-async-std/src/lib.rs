#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod half;
mod listener;
mod rt;
mod tcp;
#[cfg(unix)]
mod unix;

pub use listener::Listener;
pub use muxado_core as core;
pub use muxado_core::face::tune;
pub use muxado_core::{
    Accept, AcceptError, Bytes, Closed, Config, ConfigBuilder, ConfigError, Cut, DecodeError, EndCause,
    ErrorCode, Flags, FrameDirection, FrameLog, FrameRecord, Initiator, Inspection, Kind, Leaving, Observer,
    Open, OpenError, PeerMisbehaved, ReadChunk, ReadError, RecvStream, Reset, ResetError, Retry, SendStream,
    SessionEnd, SessionLost, Side, Stats, Stopped, Stream, StreamId, Waiting, WriteChunk, WriteError,
    code_of, inspection, tap,
};
pub use rt::{AsyncStd, Sleep};
pub use tcp::{connect, connect_with, over_tcp};
#[cfg(unix)]
pub use unix::{connect_unix, connect_unix_with};

/// One end of a muxado session. Cheap to clone; every clone is the same session.
///
/// ```
/// use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
/// use muxado_async_std::{ErrorCode, Listener, connect};
///
/// # async_std::task::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// let client = connect(listener.local_addr()?).await?;
/// let (server, _) = listener.accept().await?;
///
/// let mut sending = client.open().await?;
/// sending.write_all(b"hello").await?;
/// sending.close().await?;
///
/// let mut text = String::new();
/// server.accept().await?.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
///
/// client.close(ErrorCode::NO_ERROR, "bye").await;
/// assert!(server.closed().await.is_clean());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// When the last handle is dropped, no new streams are opened or accepted, and those that wait to be accepted are refused;
/// existing streams live on, and the session ends when the last of them does.
pub type Session = muxado_core::face::Session<AsyncStd>;
