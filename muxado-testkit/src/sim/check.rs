//! What must hold after every step: the invariants that can be seen from one side.

use muxado_core::EndCause;

use super::handle::Expected;
use super::node::Node;

/// What a writer may always queue (behaviour, decision 5).
const ALWAYS_ROOM: usize = 16 * 1024;

/// What a machine may hold of a peer's bytes beyond twice as many (B32).
const SLACK: usize = 64 * 1024;

impl Node {
    pub(super) fn check(&self) {
        if let Err(what) = self.mux.audit() {
            panic!("{}: {what}", self.side());
        }
        let stats = self.mux.stats();
        let received = usize::try_from(self.heard.bytes).unwrap_or(usize::MAX);
        let held = self.mux.retained();
        assert!(held <= 2 * received + SLACK, "B32: {held} bytes are held of {received} that came");
        // I11, from outside: whoever waits and was not told would wait still.
        assert!(!self.waits_to_accept || stats.backlog == 0, "I11: an acceptor was forgotten");
        assert!(
            !(self.end_seen && (self.waits_to_accept || self.waits_to_open)),
            "I11: the end was not told"
        );
        for at in 0..self.handles.len() {
            self.check_waits(at);
            if self.strict && !self.end_seen {
                self.check_credit(at);
            }
        }
        self.check_end();
    }

    fn check_waits(&self, at: usize) {
        let handle = &self.handles[at];
        if handle.recv_held && handle.waits_to_read && self.strict && !handle.aborting {
            assert_eq!(
                self.read_state(at),
                Expected::Blocked,
                "I11: a reader of {:?} was forgotten",
                handle.id
            );
        }
        if handle.send_held && handle.waits_to_write && !handle.finished {
            let most = self.config.send_queue().min(ALWAYS_ROOM);
            let room = most.saturating_sub(handle.queued());
            assert!(room <= most / 2, "I11: a writer of {:?} was forgotten with room for {room}", handle.id);
            let fails = matches!(handle.write_state(), Expected::Fails(_));
            assert!(!fails, "I11: a writer of {:?} was not told that it failed", handle.id);
        }
    }

    /// I4, both ways: what each side believes follows from what went over the wire.
    fn check_credit(&self, at: usize) {
        let handle = &self.handles[at];
        let cut_off = handle.fin_sent && !handle.recv_held;
        if handle.cause.is_some() || handle.aborting || cut_off {
            // What comes for a stream that is gone is counted elsewhere.
            return;
        }
        let Some((available, left)) = self.mux.credit(handle.key) else { return };
        let window = u64::from(self.config.window());
        let said = handle.id.and_then(|id| self.said.streams.get(&id)).copied().unwrap_or_default();
        let heard = handle.id.and_then(|id| self.heard.incoming(id, 0));
        let (announced, granted) = heard.map_or((0, 0), |heard| (heard.announced as u64, heard.credit));
        assert_eq!(available as u64 + said.bytes, window + granted, "I4: credit to send on {:?}", handle.id);
        // Once it has finished the peer needs no credit, and what it has beyond the window is void.
        let over = heard.is_some_and(|heard| heard.fin_at.is_some());
        let given = window + said.credit + said.extra;
        assert!(
            over || left as u64 + announced == given,
            "I4: {left} + {announced} of {given} on {:?}",
            handle.id
        );
        assert!(said.credit <= announced, "W05: more credit is returned on {:?} than came", handle.id);
        let consumed = self.mux.consumed(handle.key);
        assert!(consumed <= said.bytes && consumed <= granted, "consumed on {:?}: {consumed}", handle.id);
    }

    /// I13: the session ended for a reason that there was.
    fn check_end(&self) {
        let end = self.mux.end();
        assert_eq!(end, self.first_end, "I13: the end of the session changed");
        let Some(end) = end else { return };
        let excused = |excuse: &str| self.excuses.contains(&excuse);
        let fine = match end.cause() {
            EndCause::Closed { .. } => self.leaving,
            EndCause::GoAway { .. } => excused("the peer said GOAWAY"),
            EndCause::PeerEof => excused("the transport ended"),
            EndCause::WriteStalled => excused("the transport stalled"),
            EndCause::Transport(_) => excused("the transport failed"),
            EndCause::PeerMisbehaved(_) => !self.strict,
            _ => false,
        };
        assert!(fine, "{}: the session ended without reason: {end:?}", self.side());
    }
}
