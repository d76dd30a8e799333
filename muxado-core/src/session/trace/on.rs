//! With the feature: a span for the session and one for each stream that the application holds, both at debug; an event
//! for each frame at trace; one summary at the end, and the last frames after a protocol error, both at debug.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use muxado_frame::StreamId;
use tracing::field::{Empty, debug, display};
use tracing::{Level, Span, debug, debug_span, enabled, trace};

use crate::proto::inspection::StreamInspection;
use crate::proto::{Mux, StreamKey};
use crate::session::shared::Shared;
use crate::session::wakers::WakeList;

/// What a session tells.
#[derive(Debug)]
pub(crate) struct SessionTrace {
    span: Span,
    /// The machine keeps frames to be told.
    telling: AtomicBool,
    /// The summary was told.
    ended: AtomicBool,
}

impl SessionTrace {
    pub(crate) fn new(mux: &mut Mux) -> SessionTrace {
        let side = debug(mux.side());
        let span = debug_span!(target: "muxado", "session", side, local = Empty, peer = Empty);
        let telling = wants_frames();
        mux.tell_frames(telling);
        SessionTrace { span, telling: AtomicBool::new(telling), ended: AtomicBool::new(false) }
    }

    pub(crate) fn addresses(&self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        for (name, address) in [("local", local), ("peer", peer)] {
            if let Some(address) = address {
                self.span.record(name, display(address));
            }
        }
    }

    /// Whether frames are wanted, or are still kept though nobody wants them any more.
    pub(crate) fn has_work(&self) -> bool {
        self.telling.load(Ordering::Relaxed) || wants_frames()
    }

    /// Tells the frames of the last step.
    pub(crate) fn tell_frames(&self, shared: &Shared, woken: &mut WakeList) {
        let telling = wants_frames();
        self.telling.store(telling, Ordering::Relaxed);
        let frames = shared.with_driver(woken, |state| {
            let frames = state.mux.take_frames();
            state.mux.tell_frames(telling);
            frames
        });
        for frame in frames {
            trace!(
                target: "muxado::frame",
                parent: &self.span,
                direction = %frame.direction,
                kind = %frame.kind,
                id = frame.id,
                length = frame.length,
                flags = %frame.flag_names(),
                value = frame.value,
            );
        }
    }

    /// Tells how it ended, once.
    pub(crate) fn ended(&self, shared: &Shared) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut woken = WakeList::default();
        if self.has_work() {
            self.tell_frames(shared, &mut woken);
        }
        let (end, stats) = shared.with(|state| (state.mux.end(), state.mux.stats()));
        let Some(end) = end else { return };
        let cut = end.cut();
        // A peer decides how often sessions begin and end, so that this is no louder than the rest.
        debug!(
            target: "muxado",
            parent: &self.span,
            cause = %end,
            code = end.code().get(),
            clean = end.is_clean(),
            cut_streams = cut.streams,
            cut_bytes = cut.bytes,
            opened = stats.opened,
            accepted = stats.accepted,
            refused = stats.refused,
            finished = stats.finished,
            resets_sent = stats.resets_sent,
            resets_received = stats.resets_received,
            frames_sent = stats.frames_sent,
            frames_received = stats.frames_received,
            bytes_sent = stats.bytes_sent,
            bytes_received = stats.bytes_received,
            glitches = stats.glitches,
            "session ended"
        );
        if let Some(frames) = end.frames() {
            debug!(target: "muxado", parent: &self.span, frames = %frames, "the last frames before a protocol error");
        }
    }
}

fn wants_frames() -> bool {
    enabled!(target: "muxado::frame", Level::TRACE)
}

/// What a stream tells: shared by its two halves, and over when both are dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamTrace(Option<Arc<Span>>);

impl StreamTrace {
    /// The application has the stream now.
    pub(crate) fn begin(&mut self, shared: &Shared, key: StreamKey) {
        if !enabled!(target: "muxado", Level::DEBUG) {
            return;
        }
        let Some(stream) = shared.with(|state| state.mux.inspect_stream(key)) else { return };
        let span = debug_span!(
            target: "muxado",
            parent: &shared.trace().span,
            "stream",
            id = stream.id.map(StreamId::get),
            opener = if stream.is_ours { "us" } else { "peer" },
            sending = Empty,
            sent = Empty,
            receiving = Empty,
        );
        self.0 = Some(Arc::new(span));
    }

    /// The half that sends is about to be dropped.
    pub(crate) fn sender_leaves(&self, shared: &Shared, key: StreamKey) {
        self.last_words(shared, key, |span, stream| {
            if let Some(id) = stream.id.filter(|_| stream.is_ours) {
                span.record("id", id.get());
            }
            span.record("sending", display(stream.sending));
            span.record("sent", stream.sent);
        });
    }

    /// The half that receives is about to be dropped.
    pub(crate) fn receiver_leaves(&self, shared: &Shared, key: StreamKey) {
        self.last_words(shared, key, |span, stream| _ = span.record("receiving", display(stream.receiving)));
    }

    fn last_words(&self, shared: &Shared, key: StreamKey, tell: impl FnOnce(&Span, &StreamInspection)) {
        let Some(span) = self.0.as_deref().filter(|span| !span.is_disabled()) else { return };
        if let Some(stream) = shared.with(|state| state.mux.inspect_stream(key)) {
            tell(span, &stream);
        }
    }
}
