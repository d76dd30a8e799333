//! The machine looks at itself for people: in which state everything is, and what each stream waits for.
//!
//! It costs a walk over all streams, and nothing unless somebody asks.

use super::inspection::{Inspection, Life, Limit, Receiving, Sending, StreamInspection, Wait, Waiting};
use super::mux::Mux;
use super::shutdown::Phase;
use super::state::{RecvState, SendState};
use super::stream::{Opener, Standing, Stream, StreamKey};
use super::watch::Noted;

impl Mux {
    /// The session and all of its streams as they are now: what is queued, what credit there is, and what each stream
    /// waits for. Takes a walk over all streams.
    ///
    /// How long they have waited is known only to the sessions of [`Session`](crate::Session), made with
    /// [`ConfigBuilder::inspection`](crate::ConfigBuilder::inspection).
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        let streams = self.streams.iter_keys().map(|(key, stream)| self.show(key, stream));
        Inspection {
            side: self.side(),
            age: None,
            life: self.life(),
            end: self.end(),
            driver: None,
            limits: self.limits_reached(),
            openers: 0,
            queued: self.streams.iter().map(|stream| stream.send.queue.len()).fold(0, usize::saturating_add),
            stats: self.stats(),
            streams: streams.collect(),
        }
    }

    /// One stream as it is now; none if it is gone. See [`inspect`](Mux::inspect).
    #[must_use]
    pub fn inspect_stream(&self, key: StreamKey) -> Option<StreamInspection> {
        self.streams.get(key).map(|stream| self.show(key, stream))
    }

    fn life(&self) -> Life {
        match self.shutdown.phase {
            Phase::Open if self.is_peer_leaving() => Life::PeerLeaving,
            Phase::Open => Life::Open,
            Phase::Draining => Life::Draining,
            Phase::Closing => Life::Closing,
            Phase::Ended => Life::Ended,
        }
    }

    fn limits_reached(&self) -> Vec<Limit> {
        let config = &self.config;
        [
            (Limit::MaxOutboundStreams, self.streams.outbound >= config.max_outbound_streams()),
            (Limit::MaxInboundStreams, self.streams.inbound_is_full(config.max_inbound_streams())),
            (Limit::AcceptBacklog, self.streams.backlog_len() >= config.accept_backlog()),
            (Limit::SessionSendQueue, !self.line.is_empty() || self.in_use() >= config.session_send_queue()),
            (Limit::MaxSessionRecv, config.max_session_recv().is_some_and(|cap| self.unread() >= cap)),
            (Limit::StreamIds, !self.streams.has_id_left()),
        ]
        .into_iter()
        .filter_map(|(limit, is_reached)| is_reached.then_some(limit))
        .collect()
    }

    fn show(&self, key: StreamKey, stream: &Stream) -> StreamInspection {
        let (send, recv) = (&stream.send, &stream.recv);
        let stamp = self.watch.as_deref().and_then(|watch| watch.stamp(key)).unwrap_or_default();
        let wait = |what: Option<Waiting>, noted: Option<Noted>| {
            what.map(|what| Wait { what, so_far: noted.and_then(|noted| noted.so_far(what, self.now)) })
        };
        StreamInspection {
            id: stream.id,
            is_ours: stream.opener == Opener::Local,
            priority: stream.priority,
            in_background: stream.standing == Standing::Background,
            sending: send.state.into(),
            queued: send.queue.len(),
            send_credit: send.credit.available(),
            sent: send.credit.sent(),
            confirmed: send.credit.consumed(),
            receiving: recv.state.into(),
            unread: recv.queue.len(),
            window: recv.credit.window(),
            extra_credit: recv.credit.extra(),
            peer_credit: recv.credit.left(),
            reading: wait(stream.reading_waits(), stamp.reading),
            writing: wait(stream.writing_waits(), stamp.writing),
        }
    }
}

impl Stream {
    /// What whoever would read waits for.
    pub(super) fn reading_waits(&self) -> Option<Waiting> {
        if self.in_backlog {
            return Some(Waiting::Accept);
        }
        let is_held = self.send.held || self.recv.held;
        match self.recv.held {
            true if !self.recv.queue.is_empty() => Some(Waiting::Reader),
            true if self.recv.waiting => Some(Waiting::Data),
            _ if is_held && self.is_closed() => Some(Waiting::Release),
            _ => None,
        }
    }

    /// What is still to go out waits for.
    pub(super) fn writing_waits(&self) -> Option<Waiting> {
        if self.rst.is_some() {
            return Some(Waiting::Turn);
        }
        if self.send.state.is_over() {
            return None;
        }
        let stuck = !self.send.queue.is_empty() && self.send.credit.available() == 0;
        match self.send.waiting {
            _ if stuck => Some(Waiting::Credit),
            true if self.send.in_line => Some(Waiting::SendQueue),
            is_waiting if is_waiting || self.has_turn() => Some(Waiting::Turn),
            _ => None,
        }
    }
}

impl From<SendState> for Sending {
    fn from(state: SendState) -> Sending {
        match state {
            SendState::Open => Sending::Open,
            SendState::Finishing => Sending::Finishing,
            SendState::Aborting => Sending::Aborting,
            SendState::Finished => Sending::Finished,
            SendState::Dead => Sending::Failed,
        }
    }
}

impl From<RecvState> for Receiving {
    fn from(state: RecvState) -> Receiving {
        match state {
            RecvState::Open => Receiving::Open,
            RecvState::Discarding => Receiving::Discarding,
            RecvState::Finished => Receiving::Finished,
            RecvState::Dead => Receiving::Failed,
        }
    }
}
