//! Without the feature: nothing, which costs nothing.

use std::net::SocketAddr;

use crate::proto::{Mux, StreamKey};
use crate::session::shared::Shared;
use crate::session::wakers::WakeList;

/// What a session would tell.
#[derive(Debug)]
pub(crate) struct SessionTrace;

impl SessionTrace {
    #[inline]
    pub(crate) fn new(_mux: &mut Mux) -> SessionTrace {
        SessionTrace
    }

    #[inline]
    pub(crate) fn addresses(&self, _local: Option<SocketAddr>, _peer: Option<SocketAddr>) {}

    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        false
    }

    #[inline]
    pub(crate) fn tell_frames(&self, _shared: &Shared, _woken: &mut WakeList) {}

    #[inline]
    pub(crate) fn ended(&self, _shared: &Shared) {}
}

/// What a stream would tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamTrace(());

impl StreamTrace {
    #[inline]
    pub(crate) fn begin(&mut self, _shared: &Shared, _key: StreamKey) {}

    #[inline]
    pub(crate) fn sender_leaves(&self, _shared: &Shared, _key: StreamKey) {}

    #[inline]
    pub(crate) fn receiver_leaves(&self, _shared: &Shared, _key: StreamKey) {}
}
