//! A session as it is at one moment, for people who want to know why nothing moves: the values. How they are found is in
//! `inspect.rs`, how they read in `text.rs`.
//!
//! ```
//! # use muxado_testkit::{World, connected};
//! use muxado_core::Config;
//! use muxado_core::inspection::{Driving, Life, Limit, Receiving, Sending, Waiting};
//!
//! # let world = World::new();
//! let config = Config::builder().max_outbound_streams(1).inspection(true).build()?;
//! # let pair = connected(&world, 4096, &config);
//! # let (session, _server) = (pair.client, pair.server);
//! # let clock = world.clone();
//! # world.block_on(async move {
//! let mut stream = session.open().await?;
//! stream.finish()?;
//! # assert!(futures_util::poll!(stream.read_chunk(100)).is_pending());
//! # muxado_core::rt::Runtime::sleep(&clock, std::time::Duration::from_millis(1)).await;
//! // Somebody reads from the stream, and nothing has come yet.
//! let inside = session.inspect();
//! assert_eq!((inside.life, &inside.limits[..]), (Life::Open, &[Limit::MaxOutboundStreams][..]));
//! assert!(inside.driver.is_some_and(|driver| driver.what == Driving::Idle));
//!
//! let stream = &inside.streams[0];
//! assert_eq!((stream.sending, stream.receiving), (Sending::Finished, Receiving::Open));
//! assert_eq!(stream.reading.map(|wait| wait.what), Some(Waiting::Data));
//! assert!(stream.reading.is_some_and(|wait| wait.so_far.is_some())); // for `inspection(true)`
//! println!("{inside}"); // the same for people
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), muxado_core::ConfigError>(())
//! ```

mod text;
mod waiting;

use std::fmt;
use std::time::Duration;

use muxado_frame::{Side, StreamId};

pub use waiting::{DriverWait, Driving, Wait, Waiting};

use super::stats::Stats;
use crate::error::SessionEnd;

/// A session and all of its streams at one moment. `Display` is a table for people, one line for each stream.
///
/// Streams are in no particular order. Texts may change in any release.
///
/// For an example see the [module](self).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// Which side this is.
    pub side: Side,
    /// How long the session has lived; none for a machine without a clock.
    pub age: Option<Duration>,
    /// How far through its life it is.
    pub life: Life,
    /// Why it ended, once it has.
    pub end: Option<SessionEnd>,
    /// What the driver does or waits for; none for a machine without one.
    pub driver: Option<DriverWait>,
    /// Limits that are reached now.
    pub limits: Vec<Limit>,
    /// Tasks that wait to open a stream; 0 for a machine without a driver.
    pub openers: usize,
    /// Bytes accepted from writers and not framed yet, in all streams. Those of them that may go out now are
    /// [`Stats::sendable_bytes`].
    pub queued: usize,
    /// What is counted.
    pub stats: Stats,
    /// The streams.
    pub streams: Vec<StreamInspection>,
}

/// How far through its life a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Life {
    /// Streams come and go.
    Open,
    /// The peer has said GOAWAY; existing streams go on.
    PeerLeaving,
    /// This side takes no new streams; existing ones go on.
    Draining,
    /// This side has closed it: what finished streams have queued still goes out.
    Closing,
    /// It is over.
    Ended,
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Life::Open => "open",
            Life::PeerLeaving => "the peer has said goodbye",
            Life::Draining => "draining",
            Life::Closing => "closing",
            Life::Ended => "ended",
        })
    }
}

/// A limit that can be reached, by the name of its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Config::max_outbound_streams`](crate::Config::max_outbound_streams): opening waits.
    MaxOutboundStreams,
    /// [`Config::max_inbound_streams`](crate::Config::max_inbound_streams): the peer's next stream is refused.
    MaxInboundStreams,
    /// [`Config::accept_backlog`](crate::Config::accept_backlog): the peer's next stream is refused.
    AcceptBacklog,
    /// [`Config::session_send_queue`](crate::Config::session_send_queue): writers wait.
    SessionSendQueue,
    /// [`Config::max_session_recv`](crate::Config::max_session_recv): the next stream with data is reset.
    MaxSessionRecv,
    /// All ids of this side are used up: no more streams can be opened.
    StreamIds,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::MaxOutboundStreams => "max_outbound_streams",
            Limit::MaxInboundStreams => "max_inbound_streams",
            Limit::AcceptBacklog => "accept_backlog",
            Limit::SessionSendQueue => "session_send_queue",
            Limit::MaxSessionRecv => "max_session_recv",
            Limit::StreamIds => "stream ids",
        })
    }
}

/// One stream at one moment. `Display` is its line of the table.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// # let _open = client.open().await?;
/// # let session = client;
/// use std::time::Duration;
///
/// for stream in session.inspect().streams {
///     // Times are known in sessions made with `inspection(true)`.
///     if stream.longest_wait() > Some(Duration::from_secs(10)) {
///         println!("{stream}");
///     }
/// }
/// # drop(server);
/// # Ok::<(), muxado_core::OpenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamInspection {
    /// Its id; none for a stream of ours of which nothing has gone out.
    pub id: Option<StreamId>,
    /// Whether this side opened it.
    pub is_ours: bool,
    /// Its priority.
    pub priority: i8,
    /// Whether it may end with the session: see [`Stream::set_background`](crate::Stream::set_background).
    pub in_background: bool,
    /// The direction from us to the peer.
    pub sending: Sending,
    /// Bytes accepted from the writer and not framed yet.
    pub queued: usize,
    /// Bytes that may be sent before the peer's application reads.
    pub send_credit: usize,
    /// Payload bytes sent so far.
    pub sent: u64,
    /// Payload bytes that the peer's application has certainly read or thrown away.
    pub confirmed: u64,
    /// The direction from the peer to us.
    pub receiving: Receiving,
    /// Bytes received and not read yet.
    pub unread: usize,
    /// The agreed window, in bytes.
    pub window: usize,
    /// Credit that the peer was granted beyond the window, in bytes.
    pub extra_credit: usize,
    /// Bytes that the peer may send before we return credit.
    pub peer_credit: usize,
    /// What reading waits for, if anything. A stream that waits to be accepted or dropped shows it here too.
    pub reading: Option<Wait>,
    /// What writing waits for, if anything.
    pub writing: Option<Wait>,
}

impl StreamInspection {
    /// The longest that it has waited for anything; none if it does not wait, or the time is not kept.
    #[must_use]
    pub fn longest_wait(&self) -> Option<Duration> {
        [self.reading, self.writing].into_iter().flatten().filter_map(|wait| wait.so_far).max()
    }
}

/// The state of the direction from us to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sending {
    /// Takes bytes.
    Open,
    /// Finished by the application: sends what is queued, then FIN.
    Finishing,
    /// Dropped by the application: sends what is queued, then RST.
    Aborting,
    /// FIN has gone out.
    Finished,
    /// Reset, or lost with the session.
    Failed,
}

impl fmt::Display for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Sending::Open => "open",
            Sending::Finishing => "finishing",
            Sending::Aborting => "dropped",
            Sending::Finished => "finished",
            Sending::Failed => "failed",
        })
    }
}

/// The state of the direction from the peer to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Receiving {
    /// Keeps what arrives.
    Open,
    /// Dropped by the application: throws away what arrives.
    Discarding,
    /// FIN has arrived.
    Finished,
    /// Reset, or lost with the session.
    Failed,
}

impl fmt::Display for Receiving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Receiving::Open => "open",
            Receiving::Discarding => "dropped",
            Receiving::Finished => "finished",
            Receiving::Failed => "failed",
        })
    }
}
