//! What a sniffer holds at the most, and for how long.

use std::time::Duration;

/// The limits of a sniffer. All are in force by default.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_sniff::Limits;
///
/// let limits = Limits::new().time(Duration::from_secs(3)).queue(1024);
/// assert_eq!((limits.max_bytes, limits.queue), (16 * 1024, 1024));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many bytes of a connection are looked at before it is decided without more. Default: 16 KiB, which is enough for
    /// any ClientHello and for the head of any usual request.
    pub max_bytes: usize,
    /// How long a connection may take to say what it is. Then it is decided without more, so that it comes to the first
    /// matcher that is content with what there is. Default: 10 s.
    pub time: Duration,
    /// How many connections are looked at at once. With more, the one that has had the longest time is closed, so that
    /// silent connections never keep a lively one out. Default: 1,024, which may hold 16 MiB.
    pub max_sniffing: usize,
    /// How many connections wait for each listener. One that comes when so many wait is closed. Default: 128.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_bytes: 16 * 1024, time: Duration::from_secs(10), max_sniffing: 1024, queue: 128 }
    }
}

impl Limits {
    /// The default limits, to be changed: each setter is named as its field.
    #[must_use]
    pub fn new() -> Limits {
        Limits::default()
    }

    /// Sets [`Limits::max_bytes`], in bytes; 0 counts as 1.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Limits {
        self.max_bytes = bytes.max(1);
        self
    }

    /// Sets [`Limits::time`]. With zero it is decided by what has come already.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Limits {
        self.time = time;
        self
    }

    /// Sets [`Limits::max_sniffing`], in connections; 0 counts as 1.
    #[must_use]
    pub fn max_sniffing(mut self, connections: usize) -> Limits {
        self.max_sniffing = connections.max(1);
        self
    }

    /// Sets [`Limits::queue`], in connections; 0 counts as 1.
    #[must_use]
    pub fn queue(mut self, connections: usize) -> Limits {
        self.queue = connections.max(1);
        self
    }
}
