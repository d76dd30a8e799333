//! What a sniffer holds at the most, and for how long.

use std::time::Duration;

/// The most that a queue may be said to hold: room for all of it is made when it is.
const MAX_QUEUE: usize = 65_536;

/// The limits of a sniffer. All are in force by default.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_sniff::Limits;
///
/// let limits = Limits::new().time(Duration::from_secs(3)).queue(1024);
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) max_bytes: usize,
    pub(crate) time: Duration,
    pub(crate) max_sniffing: usize,
    pub(crate) queue: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_bytes: 16 * 1024, time: Duration::from_secs(10), max_sniffing: 1024, queue: 128 }
    }
}

impl Limits {
    /// The default limits, to be changed.
    #[must_use]
    pub fn new() -> Limits {
        Limits::default()
    }

    /// How many bytes of a connection are looked at before the decision is made without more. Default: 16 KiB, which is
    /// enough for any ClientHello and for the head of any usual request; 0 counts as 1.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Limits {
        self.max_bytes = bytes.max(1);
        self
    }

    /// How long a connection may take to say what it is. Then the decision is made without more, and the connection
    /// goes to the first matcher that is content with what there is. Default: 10 s; with zero, what has arrived already
    /// decides.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Limits {
        self.time = time;
        self
    }

    /// How many connections are looked at at once. Beyond that, the one that has taken longest is closed, so that
    /// silent connections never keep a lively one out. Default: 1,024, which may hold 16 MiB; 0 counts as 1.
    #[must_use]
    pub fn max_sniffing(mut self, connections: usize) -> Limits {
        self.max_sniffing = connections.max(1);
        self
    }

    /// How many connections wait for each listener. One that comes when that many wait is closed. Default: 128; 0
    /// counts as 1, and more than 65,536 as that.
    #[must_use]
    pub fn queue(mut self, connections: usize) -> Limits {
        self.queue = connections.clamp(1, MAX_QUEUE);
        self
    }
}
