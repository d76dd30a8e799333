//! Credit on its way back to the peer: what was consumed, and what the path is worth beyond the window.

use std::num::NonZeroU32;
use std::time::Duration;

use muxado_frame::{StreamId, wndinc};

use super::batch::Batch;
use super::flow::size;
use super::mux::Mux;
use super::state::RecvState;
use super::stream::StreamKey;
use super::tuning::{Tuning, Verdict};

impl Mux {
    /// Tells the machine the time, as what has passed since any moment that stays the same. Do it before bytes are handled or
    /// transmitted, whenever [`wants_time`](Mux::wants_time): the machine measures how long a window takes.
    ///
    /// One that is never told grants no credit beyond the windows.
    pub fn handle_time(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    /// The peer is on another machine. The first stream gets a few windows of credit in advance then, before it is known how
    /// long a round trip takes.
    pub fn handle_far(&mut self) {
        self.path.is_far = true;
    }

    /// The time that it was last told.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// Whether credit depends on the time, since streams have received much, or somebody wants to know how long they wait.
    #[must_use]
    pub fn wants_time(&self) -> bool {
        self.tuned > 0 || self.path.is_known() || self.config.inspection()
    }

    /// Whether what there is to transmit depends on the time.
    pub(crate) fn transmits_by_time(&self) -> bool {
        self.wants_time() && (self.config.inspection() || !self.control.is_empty())
    }

    /// Sends back consumed credit at half a window, or notes that it may go a little later (S69).
    pub(super) fn return_credit(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        // Not that of a stream lost to a close: what was under way within it still comes, and is no offence.
        if stream.recv.credit.extra() > 0 && (stream.recv.state == RecvState::Finished || stream.is_gone()) {
            self.extra = self.extra.saturating_sub(stream.recv.credit.void());
        }
        if stream.recv.is_open() && stream.recv.credit.is_due() {
            self.queue_control(key);
        }
        self.settle_lazy(key);
    }

    /// Keeps the count of streams whose credit may go a little later.
    pub(super) fn settle_lazy(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let lazy = stream.recv.is_open() && !stream.in_control && stream.recv.credit.is_due_lazily();
        match (std::mem::replace(&mut stream.is_lazy, lazy), lazy) {
            (false, true) => self.lazy = self.lazy.saturating_add(1),
            (true, false) => self.lazy = self.lazy.saturating_sub(1),
            _ => {}
        }
    }

    /// [`Config::credit_delay`](crate::Config::credit_delay) has passed since there was lazy credit, or something else is
    /// sent before: returns it.
    pub fn handle_credit_due(&mut self) {
        if self.lazy == 0 {
            return;
        }
        for key in self.streams.keys_of(|stream| stream.is_lazy) {
            self.queue_control(key);
        }
    }

    /// A stream's window has turned out to limit it, or not to.
    pub(super) fn heed(&mut self, key: StreamKey, verdict: Verdict) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::Measure => self.measure(key),
            Verdict::Wish => self.queue_control(key),
            Verdict::Useless => {
                if let Some(stream) = self.streams.get_mut(key) {
                    stream.recv.credit.shrink();
                }
            }
        }
    }

    /// Begins to measure a stream, unless no extra credit could come of that.
    fn measure(&mut self, key: StreamKey) {
        if self.config.extra_budget() == 0 {
            return;
        }
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.recv.tuning = Some(Box::new(Tuning::new(self.now)));
        self.tuned = self.tuned.saturating_add(1);
    }

    /// The WNDINCs of one stream: what is owed, and in one of its own what is granted beyond (W05).
    pub(super) fn emit_credit(&mut self, batch: &mut Batch, key: StreamKey, id: StreamId) {
        let free = self.config.extra_budget().saturating_sub(self.extra);
        let Some(stream) = self.streams.get_mut(key) else { return };
        let credit = &mut stream.recv.credit;
        let before = credit.outstanding();
        let settled = credit.settle();
        self.extra = self.extra.saturating_sub(settled.taken_back);
        let mut increments = [NonZeroU32::new(settled.returned), None];
        if let Some(tuning) = &mut stream.recv.tuning {
            tuning.returned(self.now, size(settled.returned), credit, &self.path);
            // Three quarters of what is free, so that something is left for the next one.
            let wish = tuning.wish(credit);
            let extra = wish.map_or(0, |wish| wish.min(free.saturating_sub(free / 4)));
            tuning.forget_wish();
            // The budget is less than 2^31.
            if let Ok(increment) = u32::try_from(extra) {
                if extra > credit.window() {
                    credit.extend(increment);
                    self.extra = self.extra.saturating_add(extra);
                    increments[1] = NonZeroU32::new(increment);
                }
            }
            if increments != [None; 2] {
                let more = credit.outstanding().saturating_sub(before);
                tuning.begin(self.now, before, more, credit.unread());
            }
        }
        for increment in increments.into_iter().flatten() {
            self.emit(batch, &wndinc(id, increment.get()));
        }
        // A reader that took more than a window at once is owed more than one WNDINC may say.
        self.return_credit(key);
    }

    /// A stream is taken out: its share of what the session counts goes with it.
    pub(super) fn forget_credit(&mut self, extra: usize, was_tuned: bool) {
        self.extra = self.extra.saturating_sub(extra);
        self.tuned = self.tuned.saturating_sub(usize::from(was_tuned));
    }
}
