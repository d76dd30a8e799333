//! Where the ends of the transport are.

use std::net::SocketAddr;

use super::Session;

impl Session {
    /// Tells the session, and with it all of its clones and streams, the addresses of the transport's ends.
    ///
    /// For a transport that does not tell them: a sniffed connection, or one through a proxy. The first call that states an
    /// address counts, later ones change nothing. If both are known, and are not of one machine, the session's first stream
    /// gets credit beyond its window sooner.
    ///
    /// ```
    /// # use muxado_testkit::{World, pipe};
    /// use muxado_core::{Config, Session};
    ///
    /// # let (runtime, (transport, _peer)) = (World::new(), pipe(4096));
    /// let visitor = "192.0.2.7:50000".parse()?;
    /// let (session, driver) = Session::server(transport, &Config::default(), runtime);
    /// session.set_addresses(None, Some(visitor));
    /// assert_eq!((session.local_addr(), session.peer_addr()), (None, Some(visitor)));
    /// assert_eq!(session.try_open()?.peer_addr(), Some(visitor)); // and so for each of its streams
    /// # drop(driver);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_addresses(&self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        if self.shared.set_addresses(local, peer) && self.shared.is_far() {
            self.shared.with(|state| state.mux.handle_far());
        }
    }

    /// The address of this end of the transport, where it is [known](Session::set_addresses).
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.shared.local_addr()
    }

    /// The address of the peer's end of the transport, where it is [known](Session::set_addresses).
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.shared.peer_addr()
    }
}
