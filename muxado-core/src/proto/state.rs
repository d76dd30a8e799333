//! The states of the two directions of a stream, and what moves them. Nothing else.

/// The direction from us to the peer.
///
/// ```text
///            finish          FIN went out
///   Open ------------> Finishing ------------> Finished
///    |                    |
///    | dropped            | reset, lost
///    v     queue empty    v
///   Aborting ----------> Dead
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendState {
    /// Takes bytes.
    Open,
    /// Sends what it has, then FIN.
    Finishing,
    /// Sends what it has, then RST: it was dropped without an end (behaviour, decision 2).
    Aborting,
    /// FIN went out.
    Finished,
    /// Reset, or lost with the session.
    Dead,
}

impl SendState {
    pub(super) fn finish(&mut self) {
        if *self == SendState::Open {
            *self = SendState::Finishing;
        }
    }

    pub(super) fn abort(&mut self) {
        if *self == SendState::Open {
            *self = SendState::Aborting;
        }
    }

    pub(super) fn fin_sent(&mut self) {
        if *self == SendState::Finishing {
            *self = SendState::Finished;
        }
    }

    /// Reset or lost. A direction that has ended properly stays so.
    pub(super) fn kill(&mut self) {
        if *self != SendState::Finished {
            *self = SendState::Dead;
        }
    }

    /// Nothing of this direction will be sent any more.
    pub(super) fn is_over(self) -> bool {
        matches!(self, SendState::Finished | SendState::Dead)
    }
}

/// The direction from the peer to us.
///
/// ```text
///            FIN came
///   Open ------------> Finished   (stays, whatever comes: S47, S56, S83; only a reset from this side that throws
///                                  away unread bytes makes it Dead, for the end is not clean any more)
///    |  \                 ^
///    |   \ dropped        | FIN came
///    |    `---------> Discarding
///    | reset, lost        | reset, lost
///    `------------------> Dead    (what came before can still be read)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecvState {
    /// Keeps what comes.
    Open,
    /// Throws away what comes and returns its credit: nobody reads any more.
    Discarding,
    /// FIN came: the end is clean.
    Finished,
    /// Reset, or lost with the session.
    Dead,
}

impl RecvState {
    pub(super) fn fin_received(&mut self) {
        if matches!(self, RecvState::Open | RecvState::Discarding) {
            *self = RecvState::Finished;
        }
    }

    pub(super) fn discard(&mut self) {
        if *self == RecvState::Open {
            *self = RecvState::Discarding;
        }
    }

    /// Reset or lost. A direction that has ended properly stays so.
    pub(super) fn kill(&mut self) {
        if *self != RecvState::Finished {
            *self = RecvState::Dead;
        }
    }

    /// Unread bytes were thrown away and somebody may still read: from now on the end would be a lie.
    pub(super) fn cut(&mut self) {
        *self = RecvState::Dead;
    }

    /// Nothing of this direction will be taken any more.
    pub(super) fn is_over(self) -> bool {
        matches!(self, RecvState::Finished | RecvState::Dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_send_state_times_every_event() {
        use SendState::*;
        for (from, finish, abort, fin_sent, kill) in [
            (Open, Finishing, Aborting, Open, Dead),
            (Finishing, Finishing, Finishing, Finished, Dead),
            (Aborting, Aborting, Aborting, Aborting, Dead),
            (Finished, Finished, Finished, Finished, Finished),
            (Dead, Dead, Dead, Dead, Dead),
        ] {
            let after = |event: fn(&mut SendState)| {
                let mut state = from;
                event(&mut state);
                state
            };
            assert_eq!(after(SendState::finish), finish, "{from:?}, finish");
            assert_eq!(after(SendState::abort), abort, "{from:?}, abort");
            assert_eq!(after(SendState::fin_sent), fin_sent, "{from:?}, fin sent");
            assert_eq!(after(SendState::kill), kill, "{from:?}, kill");
            assert_eq!(from.is_over(), matches!(from, Finished | Dead));
        }
    }

    #[test]
    fn every_recv_state_times_every_event() {
        use RecvState::*;
        for (from, fin, discard, kill) in [
            (Open, Finished, Discarding, Dead),
            (Discarding, Finished, Discarding, Dead),
            (Finished, Finished, Finished, Finished),
            (Dead, Dead, Dead, Dead),
        ] {
            let after = |event: fn(&mut RecvState)| {
                let mut state = from;
                event(&mut state);
                state
            };
            assert_eq!(after(RecvState::fin_received), fin, "{from:?}, FIN");
            assert_eq!(after(RecvState::discard), discard, "{from:?}, discard");
            assert_eq!(after(RecvState::kill), kill, "{from:?}, kill");
            assert_eq!(after(RecvState::cut), Dead, "{from:?}, cut");
            assert_eq!(from.is_over(), matches!(from, Finished | Dead));
        }
    }
}
