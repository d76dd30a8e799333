//! What docs/behaviour.md allows a session to hold.

use muxado_core::proto::Stats;
use muxado_testkit::Host;

use crate::live;

/// Twice what came over the wire, and this (B32).
const B32: usize = 1024 * 1024;

/// The last, partly filled or partly read buffers of a stream (B03).
const BUFFERS: usize = 32 * 1024;

/// Places for as many streams as there may be (B06, B08), remembered dead ids (B09), replies (B10), and all else that
/// is not unread bytes.
const SESSION: usize = 256 * 1024;

/// A watch over what a session holds.
#[derive(Debug)]
pub(crate) struct Watch {
    before: usize,
    /// The most bytes ever held.
    pub(crate) peak: usize,
}

impl Watch {
    /// Starts before the session is made.
    pub(crate) fn new() -> Watch {
        Watch { before: live(), peak: 0 }
    }

    /// What is held now.
    pub(crate) fn held(&self) -> usize {
        live().saturating_sub(self.before)
    }

    /// Fails if the session holds more than it may after `fed` bytes. `besides` is what the table allows to one that
    /// has a transport.
    pub(crate) fn check(&mut self, what: &str, fed: usize, stats: &Stats, besides: usize) {
        let held = self.held();
        self.peak = self.peak.max(held);
        assert!(held <= 2 * fed + B32 + besides, "B32: {what}: {held} bytes held after {fed} on the wire");
        let buffers = stats.unread_bytes.min(stats.streams * BUFFERS);
        let allowed = SESSION + stats.unread_bytes + buffers + besides;
        assert!(held <= allowed, "{what}: {held} bytes held, {allowed} allowed: {stats:?}");
    }

    pub(crate) fn look(&mut self, what: &str, fed: usize, host: &Host) {
        self.check(what, fed, &host.mux.stats(), 0);
    }
}
