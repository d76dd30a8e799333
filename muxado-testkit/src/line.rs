//! Two machines at the ends of a long line: a rate, a delay, and time that passes only when nothing else is left to do.

use std::collections::VecDeque;
use std::time::Duration;

use muxado_core::Config;
use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_frame::Side;

/// What lies at a time between a machine and its line, in bytes: a socket that is kept short.
const SOCKET: usize = 64 * 1024;

/// A line with a machine at each end.
#[derive(Debug)]
#[non_exhaustive]
pub struct Line {
    /// The end that opened the line.
    pub client: Mux,
    /// The other one.
    pub server: Mux,
    /// The time.
    pub now: Duration,
    /// Credit beyond the window never reaches the client: to it that is thrown away, as the crate `muxado` does. The server
    /// must say nothing else.
    pub clamps: bool,
    delay: Duration,
    /// Bytes in a second; what is under way has had the one before.
    pub rate: u64,
    ways: [Way; 2],
    /// When lazy credit of the server is due.
    lazy_due: Option<Duration>,
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    /// When all bytes that were put on it have left.
    free_at: Duration,
    under_way: VecDeque<(Duration, Vec<u8>)>,
}

impl Line {
    /// A line on which nothing has happened. `delay` is one way.
    #[must_use]
    pub fn new(delay: Duration, rate: u64, config: &Config) -> Line {
        Line {
            client: Mux::new(Side::Client, config),
            server: Mux::new(Side::Server, config),
            now: Duration::ZERO,
            clamps: false,
            delay,
            rate,
            ways: Default::default(),
            lazy_due: None,
        }
    }

    /// The client writes to `up` whatever it may, and the server reads what has come of `down` whenever something happens,
    /// until it has read `bytes` of it. How long that took.
    ///
    /// # Panics
    /// When nothing moves any more, or a stream fails.
    pub fn upload(&mut self, up: StreamKey, down: StreamKey, bytes: usize) -> Duration {
        let begun = self.now;
        let (mut written, mut read) = (0, 0);
        while read < bytes {
            while written < bytes {
                let rest = [0; 16 * 1024];
                let most = rest.len().min(bytes - written);
                match self.client.write(up, &rest[..most]).expect("it can be written") {
                    0 => break,
                    taken => written += taken,
                }
            }
            while let Read::Chunk(chunk) = self.server.read(down, usize::MAX).expect("it can be read") {
                read += chunk.len();
            }
            self.step();
        }
        self.now - begun
    }

    /// Lets everything arrive that is under way, and time pass until `at`.
    pub fn pass(&mut self, at: Duration) {
        while self.next().is_some_and(|next| next <= at) {
            self.step();
        }
        self.now = self.now.max(at);
        self.tell();
    }

    /// Puts on the line what there is room for, and goes on to the next moment at which something happens.
    ///
    /// # Panics
    /// When nothing will ever happen again.
    pub fn step(&mut self) {
        self.tell();
        self.send();
        if self.server.has_lazy_credit() && self.lazy_due.is_none() {
            self.lazy_due = Some(self.now + self.server.config().credit_delay());
        }
        let next = self.next().expect("something will happen");
        self.now = self.now.max(next);
        self.tell();
        if self.lazy_due.is_some_and(|due| due <= self.now) {
            self.lazy_due = None;
            self.server.handle_credit_due();
        }
        let Line { client, server, ways: [up, down], now, .. } = self;
        for (way, mux) in [(up, server), (down, client)] {
            while way.under_way.front().is_some_and(|(due, _)| due <= now) {
                let (_, bytes) = way.under_way.pop_front().expect("it is there");
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    rest = &rest[mux.handle_slice(rest)..];
                }
            }
            while mux.poll_event().is_some() {}
        }
    }

    fn tell(&mut self) {
        self.client.handle_time(self.now);
        self.server.handle_time(self.now);
    }

    /// How long bytes take to be put on the line.
    fn takes(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.rate as f64)
    }

    fn send(&mut self) {
        let ahead = self.takes(SOCKET);
        for (at, mux) in [&mut self.client, &mut self.server].into_iter().enumerate() {
            let way = &mut self.ways[at];
            while way.free_at <= self.now + ahead && mux.wants_transmit() {
                let mut batch = Batch::contiguous();
                mux.poll_transmit(&mut batch, SOCKET);
                let mut bytes = batch.slices().collect::<Vec<_>>().concat();
                mux.handle_written(bytes.len());
                if self.clamps && at == 1 {
                    bytes = without_extra_credit(&bytes, mux.config().window());
                }
                let takes = Duration::from_secs_f64(bytes.len() as f64 / self.rate as f64);
                way.free_at = way.free_at.max(self.now) + takes;
                way.under_way.push_back((way.free_at + self.delay, bytes));
            }
        }
    }

    /// When something happens next.
    fn next(&self) -> Option<Duration> {
        let ahead = self.takes(SOCKET);
        let arrivals = self.ways.iter().filter_map(|way| way.under_way.front().map(|(due, _)| *due));
        let room = [&self.client, &self.server]
            .into_iter()
            .zip(&self.ways)
            .filter(|(mux, _)| mux.wants_transmit())
            .map(|(_, way)| way.free_at.saturating_sub(ahead));
        arrivals.chain(room).chain(self.lazy_due).min()
    }
}

/// WNDINCs, of which those that say more than `window` are left out.
fn without_extra_credit(frames: &[u8], window: u32) -> Vec<u8> {
    let increment =
        |frame: &[u8]| frame.get(8..).and_then(|four| Some(u32::from_be_bytes(four.try_into().ok()?)));
    let frames =
        frames.chunks(12).filter(|frame| increment(frame).is_some_and(|increment| increment <= window));
    frames.collect::<Vec<_>>().concat()
}
