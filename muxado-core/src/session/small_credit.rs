//! When small credit goes back (S69): along with whatever is sent, if none has gone for a while; else by a timer, with a
//! write of its own.

use std::time::Duration;

use crate::proto::Mux;

/// It may go along once none has gone for this part of the time that it may wait.
const REST: u32 = 2;

/// What is known of the small credit of a session. The machine says whether there is any.
#[derive(Debug, Default)]
pub(crate) struct SmallCredit {
    /// A timer runs for it.
    is_armed: bool,
    /// It may go along with what is sent.
    rides: bool,
    /// The age of the session when some last went.
    gone: Duration,
}

impl SmallCredit {
    pub(crate) fn is_armed(&self) -> bool {
        self.is_armed
    }

    /// Whether there is some that no timer runs for. What becomes of it depends on the time.
    pub(crate) fn is_news(&self, mux: &Mux) -> bool {
        mux.has_lazy_credit() && !self.is_armed
    }

    /// Decides what may become of news. The machine has been told the time.
    pub(crate) fn look(&mut self, mux: &Mux, delay: Duration) {
        if self.is_news(mux) {
            self.rides = mux.now().saturating_sub(self.gone) >= delay / REST;
        }
    }

    /// Something may be sent. If something is, credit that may ride goes with it: a message now and then gets an answer that
    /// is 12 bytes longer, and saves both ends a write, a read and a timer. Of many in a row each would be that much longer.
    pub(crate) fn go_along(&mut self, mux: &mut Mux) {
        if mux.has_lazy_credit() && mux.wants_transmit() && std::mem::take(&mut self.rides) {
            self.gone = mux.now();
            mux.handle_credit_due();
        }
    }

    /// What is left waits for the timer, at the longest.
    pub(crate) fn arm(&mut self, mux: &Mux) {
        self.is_armed |= mux.has_lazy_credit();
    }

    /// The timer has run out, at this age of the session.
    pub(crate) fn pass(&mut self, mux: &mut Mux, age: Duration) {
        self.is_armed = false;
        if mux.has_lazy_credit() {
            self.gone = age;
            mux.handle_credit_due();
        }
    }
}
