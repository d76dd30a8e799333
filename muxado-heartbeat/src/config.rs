//! Times, limits, and what to do about silence.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use muxado_core::ErrorCode;

type Callback = Arc<dyn Fn(Beat) + Send + Sync>;

/// How a session's heartbeat works. The default suits a connection over the internet.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_heartbeat::{Beat, HeartbeatConfig, Policy};
///
/// let config = HeartbeatConfig::default()
///     .interval(Duration::from_secs(5))
///     .tolerance(Duration::from_secs(5))
///     .policy(Policy::Report)
///     .on_beat(|beat| match beat {
///         Beat::Echo { rtt } => println!("{rtt:?} there and back"),
///         Beat::Silence { lasted } => println!("silent for {lasted:?}"),
///         _ => {}
///     });
/// # let _ = config;
/// ```
#[derive(Clone)]
pub struct HeartbeatConfig {
    pub(crate) interval: Duration,
    pub(crate) tolerance: Duration,
    pub(crate) policy: Policy,
    pub(crate) beats: bool,
    pub(crate) callback: Option<Callback>,
}

/// What to do when the peer has been silent for too long. For an example see [`HeartbeatConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Tell the callback, and go on: silence is counted anew from then.
    Report,
    /// Tell the callback, and close the session with this code.
    Close(ErrorCode),
}

/// What a heartbeat reports about the peer: see [`HeartbeatConfig::on_beat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Beat {
    /// It has answered a beat.
    Echo {
        /// The round-trip time.
        rtt: Duration,
    },
    /// It has been silent for too long.
    Silence {
        /// For how long so far.
        lasted: Duration,
    },
}

impl Default for HeartbeatConfig {
    fn default() -> HeartbeatConfig {
        HeartbeatConfig {
            interval: Duration::from_secs(10),
            tolerance: Duration::from_secs(15),
            policy: Policy::Close(ErrorCode::SESSION_CLOSED),
            beats: true,
            callback: None,
        }
    }
}

impl HeartbeatConfig {
    /// How often a beat goes out. Default 10 s. There is one at a time: none goes out before the last was answered.
    /// With zero, the next one then goes out at once.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> HeartbeatConfig {
        self.interval = interval;
        self
    }

    /// How much longer than the interval the peer may be silent. Default 15 s. Less than the round-trip time of the
    /// link ends live sessions. The two together are at least 1 ms: if they are set to less, they count as that.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> HeartbeatConfig {
        self.tolerance = tolerance;
        self
    }

    /// What to do about silence. Default: close the session with [`ErrorCode::SESSION_CLOSED`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> HeartbeatConfig {
        self.policy = policy;
        self
    }

    /// Sends no beats: for a peer that does not answer them. Then only what it sends of its own accord shows that it is
    /// alive, and interval and tolerance together are an idle limit. Default: beats are sent.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use muxado_heartbeat::HeartbeatConfig;
    ///
    /// // Who sends nothing for a minute is not there.
    /// let idle = HeartbeatConfig::default()
    ///     .without_beats()
    ///     .interval(Duration::from_secs(60))
    ///     .tolerance(Duration::ZERO);
    /// # let _ = idle;
    /// ```
    #[must_use]
    pub fn without_beats(mut self) -> HeartbeatConfig {
        self.beats = false;
        self
    }

    /// A callback for each echo, and for silence that has lasted too long. It runs in the task of the heartbeat, so it
    /// should not take long. The last one set counts. Default: none.
    #[must_use]
    pub fn on_beat(mut self, callback: impl Fn(Beat) + Send + Sync + 'static) -> HeartbeatConfig {
        self.callback = Some(Arc::new(callback));
        self
    }

    pub(crate) fn tell(&self, beat: Beat) {
        if let Some(callback) = &self.callback {
            callback(beat);
        }
    }
}

impl fmt::Debug for HeartbeatConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatConfig")
            .field("interval", &self.interval)
            .field("tolerance", &self.tolerance)
            .field("policy", &self.policy)
            .field("beats", &self.beats)
            .finish_non_exhaustive()
    }
}
