//! What sessions over TLS need that no TLS library decides.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use super::arrivals::{ArrivalLimits, Arrivals, first};
use crate::Config;
use crate::rt::Runtime;

/// The name of this protocol in TLS's application layer protocol negotiation (ALPN).
pub const ALPN: &[u8] = b"muxado/2";

/// Settings of sessions over TLS, besides those of the TLS library.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_core::face::TlsOptions;
///
/// let options = TlsOptions::new().require_alpn(true).handshake_timeout(Duration::from_secs(5));
/// assert!(options.check_alpn(Some(b"muxado/2")).is_ok());
/// assert!(options.check_alpn(None).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct TlsOptions {
    config: Config,
    require_alpn: bool,
    handshake_timeout: Duration,
    max_handshakes: usize,
}

impl Default for TlsOptions {
    fn default() -> TlsOptions {
        TlsOptions {
            config: Config::default(),
            require_alpn: false,
            handshake_timeout: Duration::from_secs(10),
            max_handshakes: 1024,
        }
    }
}

impl TlsOptions {
    /// The default settings: those of [`Config`], ALPN offered and not demanded, 10 s for a handshake, 1,024 handshakes at
    /// once.
    #[must_use]
    pub fn new() -> TlsOptions {
        TlsOptions::default()
    }

    /// Settings for the sessions. Default: [`Config::default`].
    #[must_use]
    pub fn config(mut self, config: Config) -> TlsOptions {
        self.config = config;
        self
    }

    /// Whether a peer that does not agree on [`ALPN`] is refused. Default: no, since the other implementations of muxado
    /// name no protocol.
    #[must_use]
    pub fn require_alpn(mut self, require: bool) -> TlsOptions {
        self.require_alpn = require;
        self
    }

    /// How long a handshake may take. Default: 10 s. Too short turns away slow clients.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> TlsOptions {
        self.handshake_timeout = limit;
        self
    }

    /// How many handshakes a listener does at once. Beyond that, the one that has taken longest gives way. Default:
    /// 1,024; 0 counts as 1.
    #[must_use]
    pub fn max_handshakes(mut self, max: usize) -> TlsOptions {
        self.max_handshakes = max;
        self
    }

    /// The settings for the sessions.
    #[must_use]
    pub fn session(&self) -> &Config {
        &self.config
    }

    /// A listener's handshakes, none yet: as many at once, and for as long each, as these settings say.
    ///
    /// For an example see [`Arrivals::next`].
    pub fn handshakes<R: Runtime, T: Send + 'static>(&self, runtime: R) -> Arrivals<R, T> {
        Arrivals::new(runtime, ArrivalLimits::new(self.max_handshakes, self.handshake_timeout))
    }

    /// One handshake, within its time.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    ///
    /// use muxado_core::face::TlsOptions;
    ///
    /// # let world = muxado_testkit::World::new();
    /// # let runtime = world.clone();
    /// # let handshake = std::future::pending::<io::Result<()>>();
    /// # world.block_on(async move {
    /// let options = TlsOptions::new().handshake_timeout(Duration::from_secs(5));
    /// let shaken = options.in_time(&runtime, handshake).await; // with a peer that says nothing
    /// assert_eq!(shaken.unwrap_err().kind(), io::ErrorKind::TimedOut);
    /// # });
    /// ```
    ///
    /// # Errors
    /// That of the handshake; the kind `TimedOut` if it takes too long.
    ///
    /// # Cancel safety
    /// Dropping the future drops the handshake, and the connection with it.
    pub async fn in_time<R: Runtime, T>(
        &self,
        runtime: &R,
        handshake: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let sleep = runtime.sleep(self.handshake_timeout);
        let late = async {
            sleep.await;
            Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long"))
        };
        first(handshake, late).await
    }

    /// Judges the protocol that a handshake agreed on.
    ///
    /// ```
    /// use muxado_core::face::{AlpnMismatch, TlsOptions};
    ///
    /// let options = TlsOptions::new().require_alpn(true);
    /// let error = options.check_alpn(Some(b"h2")).unwrap_err(); // what the TLS library says was agreed on
    /// let mismatch = error.get_ref().and_then(|inside| inside.downcast_ref::<AlpnMismatch>());
    /// assert_eq!(mismatch.and_then(|mismatch| mismatch.agreed.as_deref()), Some(&b"h2"[..]));
    /// ```
    ///
    /// # Errors
    /// [`AlpnMismatch`] in an [`io::Error`] if [`ALPN`] is demanded and was not agreed on.
    pub fn check_alpn(&self, agreed: Option<&[u8]>) -> io::Result<()> {
        if !self.require_alpn || agreed == Some(ALPN) {
            return Ok(());
        }
        let agreed = agreed.map(<[u8]>::to_vec);
        Err(io::Error::new(io::ErrorKind::InvalidData, AlpnMismatch { agreed }))
    }
}

/// The peer speaks TLS but has not agreed to speak muxado in it.
///
/// For an example see [`TlsOptions::check_alpn`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlpnMismatch {
    /// What was agreed on, or none if nothing was.
    pub agreed: Option<Vec<u8>>,
}

impl fmt::Display for AlpnMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.agreed {
            Some(agreed) => write!(f, "the TLS peer speaks {}, not muxado/2", agreed.escape_ascii()),
            None => f.write_str("the TLS peer did not agree on the protocol muxado/2"),
        }
    }
}

impl Error for AlpnMismatch {}
