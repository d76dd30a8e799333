//! One stream as one application sees it, by the naive model: counts and causes, nothing clever.

use muxado_core::proto::StreamKey;
use muxado_core::{Initiator, ReadError, Retry, WriteError};

/// Why a stream failed, by the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Reset(u32, Initiator),
    /// The session ended, or the peer's GOAWAY left it out.
    Lost,
}

/// What a read or write should come to, by the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// So many bytes are there, or any room there is.
    Bytes(usize),
    End,
    Fails(Cause),
    Blocked,
}

/// One end of a stream.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    pub(super) key: StreamKey,
    pub(super) local: bool,
    pub(super) id: Option<u32>,
    /// Which of the streams with this id it can be, of those that have come.
    pub(super) which: Vec<usize>,
    /// What it writes is made from this.
    pub(super) salt: usize,
    pub(super) written: usize,
    pub(super) emitted: usize,
    pub(super) reserved: usize,
    pub(super) read: usize,
    /// No more than this will be read of what comes: it was dead by then.
    pub(super) limit: Option<usize>,
    /// FIN had come when it died.
    pub(super) fin_at_death: bool,
    pub(super) cause: Option<Cause>,
    /// Its direction out is dead: nothing more is sent.
    pub(super) send_dead: bool,
    pub(super) send_held: bool,
    pub(super) recv_held: bool,
    /// It was let go unfinished: a reset will end it at a time the model does not know.
    pub(super) aborting: bool,
    pub(super) finished: bool,
    pub(super) fin_sent: bool,
    pub(super) rst_sent: bool,
    /// Its reader was dropped with bytes unread: RST goes out behind FIN (S53).
    pub(super) cut_off: bool,
    /// Its end was read.
    pub(super) ended: bool,
    pub(super) used: bool,
    /// It was reset from here: it cannot be refused any more.
    pub(super) reset: bool,
    pub(super) refused: bool,
    pub(super) waits_to_read: bool,
    pub(super) waits_to_write: bool,
    pub(super) waits_to_stop: bool,
    /// The first error that the application was shown.
    pub(super) shown: Option<(Cause, Retry)>,
}

impl Handle {
    pub(super) fn new(key: StreamKey, local: bool, salt: usize) -> Handle {
        Handle {
            key,
            local,
            id: None,
            which: vec![0],
            salt,
            written: 0,
            emitted: 0,
            reserved: 0,
            read: 0,
            limit: None,
            fin_at_death: false,
            cause: None,
            send_dead: false,
            send_held: true,
            recv_held: true,
            aborting: false,
            finished: false,
            fin_sent: false,
            rst_sent: false,
            cut_off: false,
            ended: false,
            used: false,
            reset: false,
            refused: false,
            waits_to_read: false,
            waits_to_write: false,
            waits_to_stop: false,
            shown: None,
        }
    }

    /// Bytes accepted, or promised room, and not sent.
    pub(super) fn queued(&self) -> usize {
        let unsent = if self.send_dead { 0 } else { self.written - self.emitted };
        unsent + self.reserved
    }

    /// Whether the application did something with it that counts: reading after it was refused does not.
    pub(super) fn was_used(&self) -> bool {
        self.used && !self.refused
    }

    /// What writing should come to.
    pub(super) fn write_state(&self) -> Expected {
        match self.cause {
            Some(cause) if self.send_dead && !self.fin_sent => Expected::Fails(cause),
            _ if self.finished || self.fin_sent => Expected::End,
            _ => Expected::Bytes(usize::MAX),
        }
    }

    /// Notes an error that the application is shown. I13: it is the first that is shown for ever.
    pub(super) fn show(&mut self, cause: Cause, retry: Retry) {
        let first = *self.shown.get_or_insert((cause, retry));
        assert_eq!((cause, retry), first, "I13: the cause of {:?} changed", self.id);
    }

    /// The byte it writes at `offset`.
    pub(super) fn byte(salt: usize, offset: usize) -> u8 {
        let mixed =
            offset.wrapping_mul(131).wrapping_add(offset >> 8).wrapping_add(salt.wrapping_mul(0x9E37));
        (mixed & 0xFF) as u8
    }

    /// The next `len` bytes it writes.
    pub(super) fn bytes(&self, len: usize) -> Vec<u8> {
        (self.written..self.written + len).map(|offset| Handle::byte(self.salt, offset)).collect()
    }
}

impl Cause {
    pub(super) fn of_read(error: &ReadError) -> (Cause, Retry) {
        let cause = match error {
            ReadError::Reset(reset) => Cause::Reset(reset.code().get(), reset.initiator()),
            _ => Cause::Lost,
        };
        (cause, error.retry())
    }

    /// None: it is finished by this side, which is no failure.
    pub(super) fn of_write(error: &WriteError) -> Option<(Cause, Retry)> {
        let cause = match error {
            WriteError::Finished => return None,
            WriteError::Reset(reset) => Cause::Reset(reset.code().get(), reset.initiator()),
            _ => Cause::Lost,
        };
        Some((cause, error.retry()))
    }
}
