//! One machine under test, whose peer is the test itself: literal bytes in, exact bytes out.

use bytes::Bytes;
use muxado_core::proto::{Batch, Event, Mux, Read, StreamKey};
use muxado_core::{Config, ErrorCode, Initiator, ReadError, Retry, SessionEnd, WriteError};
use muxado_frame::Side;

/// A machine and the batch that its transmissions pass through.
///
/// ```
/// use muxado_frame::Side;
/// use muxado_testkit::{Peer, wire};
///
/// let mut server = Peer::new(Side::Server);
/// server.feed(wire::data(3, b"no such stream"));
/// assert_eq!(server.sent(), wire::rst(3, 4));
/// ```
#[derive(Debug)]
pub struct Peer {
    /// The machine.
    pub mux: Mux,
    batch: Batch,
}

/// How the incoming direction of a stream stands once everything that came was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of it")]
pub enum Ending {
    /// More may come.
    Open,
    /// The peer's FIN came.
    Fin,
    /// It failed with this code, through this side, and may be retried or not.
    Failed(u32, Initiator, Retry),
}

/// What can be seen of a session from outside: what it sent, and what its application was given.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests compare all of it")]
pub struct Outcome {
    /// The bytes sent before the application read anything.
    pub sent: Vec<u8>,
    /// The streams, those the test opened first, then the accepted ones in order: bytes read, and how it ended.
    pub streams: Vec<(Vec<u8>, Ending)>,
    /// The bytes sent after the application had read everything.
    pub sent_after: Vec<u8>,
    /// The end of the session.
    pub end: Option<SessionEnd>,
}

impl Peer {
    /// A machine on `side` with the default configuration.
    #[must_use]
    pub fn new(side: Side) -> Peer {
        Peer::with(side, &Config::default())
    }

    /// A machine on `side` with `config`.
    #[must_use]
    pub fn with(side: Side, config: &Config) -> Peer {
        Peer { mux: Mux::new(side, config), batch: Batch::contiguous() }
    }

    /// Hands `bytes` over as one read of the transport, copied.
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let taken = self.mux.handle_slice(rest);
            assert!(taken > 0, "no progress with {} bytes left", rest.len());
            rest = &rest[taken..];
        }
    }

    /// Hands `bytes` over as one read of the transport, of which the machine may keep slices.
    pub fn feed_shared(&mut self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let taken = self.mux.handle_bytes(&bytes);
            assert!(taken > 0, "no progress with {} bytes left", bytes.len());
            let _ = bytes.split_to(taken);
        }
    }

    /// Hands `bytes` over in reads that end at `cuts` and at the end.
    pub fn feed_cut(&mut self, bytes: &[u8], cuts: impl IntoIterator<Item = usize>) {
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            let to = cut.clamp(from, bytes.len());
            self.feed(&bytes[from..to]);
            from = to;
        }
    }

    /// Everything the machine has to send now; the transport takes it all.
    pub fn sent(&mut self) -> Vec<u8> {
        self.mux.poll_transmit(&mut self.batch, usize::MAX);
        self.take(usize::MAX)
    }

    /// Frames until there are at least `limit` bytes, of which the transport takes no more than `room`.
    pub fn sent_up_to(&mut self, limit: usize, room: usize) -> Vec<u8> {
        self.mux.poll_transmit(&mut self.batch, limit);
        self.take(room)
    }

    fn take(&mut self, room: usize) -> Vec<u8> {
        let mut bytes = self.batch.slices().collect::<Vec<_>>().concat();
        bytes.truncate(room);
        self.batch.advance(bytes.len());
        self.mux.handle_written(bytes.len());
        bytes
    }

    /// The events that are waiting.
    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.mux.poll_event()).collect()
    }

    /// The streams that wait to be accepted, accepted.
    pub fn accept_all(&mut self) -> Vec<StreamKey> {
        std::iter::from_fn(|| self.mux.accept().ok().flatten()).collect()
    }

    /// Everything that can be read from `key` now, and how its incoming direction stands then.
    pub fn read_all(&mut self, key: StreamKey) -> (Vec<u8>, Ending) {
        let mut all = Vec::new();
        loop {
            match self.mux.read(key, usize::MAX) {
                Ok(Read::Chunk(chunk)) => all.extend_from_slice(&chunk),
                Ok(Read::End) => return (all, Ending::Fin),
                Ok(_) => return (all, Ending::Open),
                Err(error) => return (all, Ending::of_read(&error)),
            }
        }
    }

    /// How the outgoing direction of `key` stands: [`Ending::Fin`] if this side has finished it.
    pub fn write_ending(&mut self, key: StreamKey) -> Ending {
        match self.mux.write(key, b"") {
            Ok(_) => Ending::Open,
            Err(WriteError::Finished) => Ending::Fin,
            Err(error) => Ending::failed(error.code(), error.initiator(), error.retry()),
        }
    }

    /// Both handles of `key` are dropped.
    pub fn drop_stream(&mut self, key: StreamKey) {
        self.mux.release_send(key);
        self.mux.release_recv(key);
    }

    /// What can be seen now, reading all streams to where they stand. `opened` are those the test opened itself.
    pub fn outcome(&mut self, opened: &[StreamKey]) -> Outcome {
        let sent = self.sent();
        let keys = [opened.to_vec(), self.accept_all()].concat();
        let streams = keys.into_iter().map(|key| self.read_all(key)).collect();
        Outcome { sent, streams, sent_after: self.sent(), end: self.mux.end() }
    }
}

impl Ending {
    fn of_read(error: &ReadError) -> Ending {
        Ending::failed(error.code(), error.initiator(), error.retry())
    }

    #[expect(clippy::expect_used, reason = "only deadlines have no code, and the machine knows of none")]
    fn failed(code: Option<ErrorCode>, initiator: Initiator, retry: Retry) -> Ending {
        Ending::Failed(code.expect("a code").get(), initiator, retry)
    }
}
