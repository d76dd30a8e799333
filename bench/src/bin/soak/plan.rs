//! What the two ends of a stream do, told from its seed alone, so that each end knows what to expect of the other.

use std::time::Duration;

use fastrand::Rng;
use muxado_tokio::ErrorCode;

/// Both ends.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) opener: Part,
    pub(crate) answerer: Part,
}

/// One end.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Bytes it sends if it finishes.
    pub(crate) len: u64,
    /// Bytes it sends before it ends: all of them if it finishes.
    pub(crate) cut_at: u64,
    pub(crate) end: End,
    pub(crate) writes: Writes,
    pub(crate) reads: Reads,
    pub(crate) quits: Quits,
    /// Reads and writes in two tasks.
    pub(crate) two_tasks: bool,
    pub(crate) priority: i8,
}

/// How the sending direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Finish,
    Drop,
    Reset(ErrorCode),
    /// A `write_chunk` is given up in the middle, then the stream is dropped.
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Slices,
    Vectored,
    Chunks,
    /// Writes are given up and tried again.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    Buffers,
    Chunks,
    /// Reads are given up and tried again.
    Cancelled,
    /// Little at a time, with pauses.
    Slow,
}

/// When the receiving direction is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quits {
    AtTheEnd,
    DropAfter(u64),
    StopAfter(u64, ErrorCode),
    /// Nothing is read for a while, then it is dropped.
    Unread(Duration),
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Plan {
        let mut rng = Rng::with_seed(seed);
        let rude = rng.u8(0..4) == 0;
        Plan { opener: Part::random(&mut rng, rude), answerer: Part::random(&mut rng, rude) }
    }

    /// Both ends send and read everything: nothing but the session's end excuses an error.
    pub(crate) fn is_polite(&self) -> bool {
        let polite = |part: &Part| part.end == End::Finish && part.quits == Quits::AtTheEnd;
        polite(&self.opener) && polite(&self.answerer)
    }
}

impl Part {
    fn random(rng: &mut Rng, rude: bool) -> Part {
        let reads =
            [Reads::Buffers, Reads::Buffers, Reads::Chunks, Reads::Cancelled, Reads::Slow][rng.usize(0..5)];
        let writes = [Writes::Slices, Writes::Vectored, Writes::Chunks, Writes::Cancelled][rng.usize(0..4)];
        let len = length(rng);
        let end = match rng.u8(0..8) {
            0 if rude => End::Drop,
            1 if rude => End::Reset(code(rng)),
            2 if rude => End::GiveUp,
            _ => End::Finish,
        };
        let quits = match rng.u8(0..8) {
            0 if rude => Quits::DropAfter(rng.u64(0..200_000)),
            1 if rude => Quits::StopAfter(rng.u64(0..200_000), code(rng)),
            2 if rude => Quits::Unread(Duration::from_millis(rng.u64(0..300))),
            _ => Quits::AtTheEnd,
        };
        Part {
            len,
            cut_at: if end == End::Finish { len } else { rng.u64(0..=len) },
            end,
            writes,
            reads,
            quits,
            two_tasks: rng.bool(),
            priority: if rng.u8(0..4) == 0 { rng.i8(..) } else { 0 },
        }
    }
}

/// Mostly short, now and then longer than every window.
fn length(rng: &mut Rng) -> u64 {
    match rng.u8(0..20) {
        0..=1 => 0,
        2..=11 => rng.u64(0..2_000),
        12..=17 => rng.u64(0..100_000),
        18 => rng.u64(0..400_000),
        _ => rng.u64(0..2_000_000),
    }
}

/// Any code that a reset may carry, known or not.
fn code(rng: &mut Rng) -> ErrorCode {
    loop {
        let code = ErrorCode::new(if rng.bool() { rng.u32(1..20) } else { rng.u32(1..) });
        if code != ErrorCode::STREAM_REFUSED && code != ErrorCode::ACCEPT_QUEUE_FULL {
            return code;
        }
    }
}
