//! Which matcher a connection belongs to, by what was seen of it: a function of bytes, without I/O.

use std::sync::Arc;

use crate::matcher::{Matcher, Verdict};

/// Where a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// To the listener of this matcher.
    To(usize),
    /// To nobody: no matcher fits.
    Nowhere,
    /// More bytes will tell.
    NeedMore,
    /// More bytes will tell, which come when the peer has seen these, an answer of this matcher's.
    Answer(usize, &'static [u8]),
}

/// The matchers in order, and how far down the connection has come: those before `next` have said no for good.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    next: usize,
}

impl Progress {
    /// Asks the matchers. The first that matches has it, once all before it have said no.
    ///
    /// If nothing will come any more, those that need more are taken to say no.
    pub(crate) fn decide(&mut self, matchers: &[Arc<dyn Matcher>], seen: &[u8], complete: bool) -> Decision {
        while let Some(matcher) = matchers.get(self.next) {
            match matcher.look(seen) {
                Verdict::Match => return Decision::To(self.next),
                Verdict::NoMatch => {}
                _ if complete => {}
                Verdict::NeedMore => return Decision::NeedMore,
                Verdict::Answer(answer) => return Decision::Answer(self.next, answer),
            }
            self.next += 1;
        }
        Decision::Nowhere
    }
}
