//! Every setting of a session: its unit, its default, why, and what a wrong value costs.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::error::ConfigError;

/// The window both existing implementations assume for a new stream, in bytes (docs/protocol.md, flow control).
pub const DEFAULT_WINDOW: u32 = 256 * 1024;

/// The largest window that a 31-bit increment can express, in bytes.
pub(crate) const MAX_WINDOW: u32 = 0x7FFF_FFFF;

/// What all streams together may have beyond their windows at the most: so every sum fits 32 bits.
const MAX_EXTRA: usize = 0x7FFF_FFFF;

/// The settings of a session, checked. Made by [`Config::builder`] or [`Config::default`].
///
/// The defaults are safe with strangers on the open internet: a peer can make a session hold 128 MiB at the most, and
/// only by sending that much (256 streams of 256 KiB each, and as much again of credit that it had to earn).
///
/// ```
/// use muxado_core::Config;
///
/// let config = Config::builder().max_inbound_streams(10_000).build()?;
/// assert_eq!(config.accept_backlog(), 10_000, "the backlog follows the limit");
/// # Ok::<(), muxado_core::ConfigError>(())
/// ```
///
/// A clone is cheap, and shares them: a process with many sessions holds the same settings once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(Arc<Settings>);

/// What a [`Config`] shares.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    max_inbound_streams: usize,
    max_outbound_streams: usize,
    accept_backlog: usize,
    window: u32,
    max_frame: u32,
    send_queue: usize,
    session_send_queue: usize,
    max_session_recv: Option<usize>,
    extra_credit: usize,
    peer_drains: bool,
    inspection: bool,
    record_frames: usize,
    credit_delay: Duration,
    write_stall: Option<Duration>,
    drain_timeout: Duration,
    close_linger: Duration,
}

/// Shared by all that have nothing else to say.
static DEFAULT: LazyLock<Config> = LazyLock::new(|| Config(Arc::default()));

impl Default for Config {
    fn default() -> Config {
        DEFAULT.clone()
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_inbound_streams: 256,
            max_outbound_streams: 256,
            accept_backlog: 256,
            window: DEFAULT_WINDOW,
            max_frame: 16 * 1024,
            send_queue: 256 * 1024,
            session_send_queue: 512 * 1024,
            max_session_recv: None,
            extra_credit: 64 * 1024 * 1024,
            peer_drains: false,
            inspection: false,
            record_frames: 0,
            credit_delay: Duration::from_millis(50),
            write_stall: Some(Duration::from_secs(30)),
            drain_timeout: Duration::from_secs(30),
            close_linger: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Starts from the defaults; finish with [`ConfigBuilder::build`].
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder { settings: Settings::default(), backlog: None, known: DEFAULT_WINDOW, agreed: false }
    }

    /// Starts from these settings, to change some and keep the others.
    ///
    /// An [`accept_backlog`](ConfigBuilder::accept_backlog) that is equal to the limit of streams follows it again. A
    /// window other than this one has to be agreed anew.
    ///
    /// ```
    /// use muxado_core::Config;
    ///
    /// let few = Config::builder().max_inbound_streams(16).extra_credit(0).build()?;
    /// let many = few.to_builder().max_inbound_streams(10_000).build()?;
    /// assert_eq!((many.extra_credit(), many.accept_backlog()), (0, 10_000));
    /// # Ok::<(), muxado_core::ConfigError>(())
    /// ```
    pub fn to_builder(&self) -> ConfigBuilder {
        let backlog = Some(self.0.accept_backlog).filter(|backlog| *backlog != self.0.max_inbound_streams);
        ConfigBuilder { settings: (*self.0).clone(), backlog, known: self.0.window, agreed: false }
    }

    /// Streams the peer may have at once, in streams. See [`ConfigBuilder::max_inbound_streams`].
    #[must_use]
    pub fn max_inbound_streams(&self) -> usize {
        self.0.max_inbound_streams
    }

    /// Streams this side may have at once, in streams. See [`ConfigBuilder::max_outbound_streams`].
    #[must_use]
    pub fn max_outbound_streams(&self) -> usize {
        self.0.max_outbound_streams
    }

    /// Streams that may wait to be accepted. See [`ConfigBuilder::accept_backlog`].
    #[must_use]
    pub fn accept_backlog(&self) -> usize {
        self.0.accept_backlog
    }

    /// The window of a new stream, in bytes. See [`ConfigBuilder::window`].
    #[must_use]
    pub fn window(&self) -> u32 {
        self.0.window
    }

    /// The largest DATA payload sent, in bytes. See [`ConfigBuilder::max_frame`].
    #[must_use]
    pub fn max_frame(&self) -> u32 {
        self.0.max_frame
    }

    /// The most one stream may queue, in bytes. See [`ConfigBuilder::send_queue`].
    #[must_use]
    pub fn send_queue(&self) -> usize {
        self.0.send_queue
    }

    /// What may be ready to send in the whole session, in bytes. See [`ConfigBuilder::session_send_queue`].
    #[must_use]
    pub fn session_send_queue(&self) -> usize {
        self.0.session_send_queue
    }

    /// The cap on unread bytes of the whole session. See [`ConfigBuilder::max_session_recv`].
    #[must_use]
    pub fn max_session_recv(&self) -> Option<usize> {
        self.0.max_session_recv
    }

    /// Credit beyond the windows, in bytes. See [`ConfigBuilder::extra_credit`].
    #[must_use]
    pub fn extra_credit(&self) -> usize {
        self.0.extra_credit
    }

    /// What may be granted beyond the windows: nothing that could make an honest peer cross the cap.
    pub(crate) fn extra_budget(&self) -> usize {
        let window = usize::try_from(self.0.window).unwrap_or(usize::MAX);
        let windows =
            self.0.max_inbound_streams.saturating_add(self.0.max_outbound_streams).saturating_mul(window);
        let room = self.0.max_session_recv.map_or(usize::MAX, |cap| cap.saturating_sub(windows));
        self.0.extra_credit.min(room).min(MAX_EXTRA)
    }

    /// Whether the peer survives an early GOAWAY. See [`ConfigBuilder::peer_drains`].
    #[must_use]
    pub fn peer_drains(&self) -> bool {
        self.0.peer_drains
    }

    /// Whether the session keeps track of how long streams wait. See [`ConfigBuilder::inspection`].
    #[must_use]
    pub fn inspection(&self) -> bool {
        self.0.inspection
    }

    /// How many of the last frames are remembered. See [`ConfigBuilder::record_frames`].
    #[must_use]
    pub fn record_frames(&self) -> usize {
        self.0.record_frames
    }

    /// How long small credit may wait. See [`ConfigBuilder::credit_delay`].
    #[must_use]
    pub fn credit_delay(&self) -> Duration {
        self.0.credit_delay
    }

    /// How long the transport may take no bytes. See [`ConfigBuilder::write_stall`].
    #[must_use]
    pub fn write_stall(&self) -> Option<Duration> {
        self.0.write_stall
    }

    /// How long what is left may take to drain. See [`ConfigBuilder::drain_timeout`].
    #[must_use]
    pub fn drain_timeout(&self) -> Duration {
        self.0.drain_timeout
    }

    /// How long `close` flushes. See [`ConfigBuilder::close_linger`].
    #[must_use]
    pub fn close_linger(&self) -> Duration {
        self.0.close_linger
    }
}

/// Collects settings; [`build`](ConfigBuilder::build) checks them together.
///
/// What could not work is refused. A value of `accept_backlog`, `extra_credit` or `record_frames` above what is
/// possible counts as the most that is, and the settings still say what was asked for.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_core::{Config, DEFAULT_WINDOW};
///
/// // Between two ends of one owner, over a link with a long round trip.
/// let config = Config::builder()
///     .window(16 * DEFAULT_WINDOW)
///     .window_agreed_out_of_band() // the other end has the same
///     .peer_drains(true)
///     .write_stall(Duration::from_secs(120))
///     .build()?;
/// assert_eq!(config.window(), 4 * 1024 * 1024);
/// # Ok::<(), muxado_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ConfigBuilder {
    settings: Settings,
    backlog: Option<usize>,
    /// A window that needs no other statement: it was agreed before.
    known: u32,
    agreed: bool,
}

impl ConfigBuilder {
    /// Streams the peer may have at once. Default 256; 0 refuses all.
    ///
    /// One more is refused with [`ErrorCode::STREAM_REFUSED`](crate::ErrorCode::STREAM_REFUSED), which the peer may
    /// retry; the session goes on. Each stream may hold a window of unread bytes, so this times
    /// [`window`](Self::window) is the memory a peer can claim. Too low refuses honest work.
    ///
    /// A stream counts until both directions have ended *and* its handles are dropped. Up to this many more do not count,
    /// if both sides have finished them and everything is read: a peer with the same limit may open its next stream a
    /// moment before our handles of the last one are dropped, and is not refused.
    pub fn max_inbound_streams(mut self, streams: usize) -> Self {
        self.settings.max_inbound_streams = streams;
        self
    }

    /// Streams this side may have at once. Default 256; at least 1, or `build` refuses it: with none `open` would wait for ever.
    ///
    /// `open` waits for a free place. Sessions of the crate `muxado` die at 512 streams of both directions together, so
    /// raise this only for peers that are known to be something else. Each stream costs what an inbound one costs, and its
    /// [`send_queue`](Self::send_queue).
    pub fn max_outbound_streams(mut self, streams: usize) -> Self {
        self.settings.max_outbound_streams = streams;
        self
    }

    /// Streams that may wait to be accepted. Default: the inbound limit, so that nothing is refused for being early. 0 refuses
    /// all; more than the inbound limit has no effect.
    ///
    /// One more is refused with [`ErrorCode::ACCEPT_QUEUE_FULL`](crate::ErrorCode::ACCEPT_QUEUE_FULL), which the peer may
    /// retry. Lower it to shed load sooner.
    pub fn accept_backlog(mut self, streams: usize) -> Self {
        self.backlog = Some(streams);
        self
    }

    /// The receive window of a new stream, and the credit assumed for sending on one, in bytes. Default 256 KiB; from 1 to
    /// 2^31 - 1, or `build` refuses it.
    ///
    /// muxado has no settings exchange: both sides must simply know it. A value other than 256 KiB therefore needs
    /// [`window_agreed_out_of_band`](Self::window_agreed_out_of_band), or `build` refuses it: a peer that
    /// believes in another window has its streams reset, or stalls. A stream moves at most one window in a round
    /// trip; each open stream may hold one window of unread bytes.
    pub fn window(mut self, bytes: u32) -> Self {
        self.settings.window = bytes;
        self
    }

    /// States that the peer is configured with the same [`window`](Self::window). Default: no.
    pub fn window_agreed_out_of_band(mut self) -> Self {
        self.agreed = true;
        self
    }

    /// The largest payload of a DATA frame we send, in bytes. Default 16 KiB; from 1 to 16 MiB - 1, or `build` refuses it.
    ///
    /// A frame is the unit in which streams take turns: larger frames delay the other streams, smaller ones cost
    /// headers. Many frames go out in one system call, so large frames gain little.
    pub fn max_frame(mut self, bytes: u32) -> Self {
        self.settings.max_frame = bytes;
        self
    }

    /// The most one stream may have accepted from its writer and not yet sent, in bytes. Default 256 KiB; at least 1, or
    /// `build` refuses it.
    ///
    /// A writer may always queue 16 KiB (or this, if less); beyond that only what the peer's credit and
    /// [`session_send_queue`](Self::session_send_queue) allow.
    pub fn send_queue(mut self, bytes: usize) -> Self {
        self.settings.send_queue = bytes;
        self
    }

    /// What may be ready to send in all streams of the session together, in bytes. Default 512 KiB; at least 1, or
    /// `build` refuses it.
    ///
    /// Bytes that wait for the peer's credit do not count, so that a stuck stream never stalls the others. About the
    /// size of a second-level cache is best: with more, copies miss the cache and messages wait longer.
    pub fn session_send_queue(mut self, bytes: usize) -> Self {
        self.settings.session_send_queue = bytes;
        self
    }

    /// A cap on the unread bytes of all streams together, in bytes. Default: `None`, which leaves the bound at streams
    /// times window, plus [`extra_credit`](Self::extra_credit). 0 resets every stream that brings data.
    ///
    /// The stream that crosses it is reset with [`ErrorCode::ENHANCE_YOUR_CALM`](crate::ErrorCode::ENHANCE_YOUR_CALM); the
    /// session goes on.
    pub fn max_session_recv(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.settings.max_session_recv = bytes.into();
        self
    }

    /// Credit that all streams together may be given beyond their windows, in bytes. Default 64 MiB; 0: none; more than
    /// 2^31 - 1 counts as that.
    ///
    /// A stream gets some when its window is what limits it and its reader keeps up, as on a link with a long round trip
    /// or a very high rate. It loses it when the reader falls behind, or when it resumes after ten seconds of silence. It
    /// is memory that a peer can claim on top of that of [`max_inbound_streams`](Self::max_inbound_streams): by earning
    /// the credit, and using it when the application stops reading. A peer that ignores such credit, as the crate `muxado`
    /// does, is served as if there were none. With [`max_session_recv`](Self::max_session_recv), only what that leaves
    /// beyond all windows is granted.
    pub fn extra_credit(mut self, bytes: usize) -> Self {
        self.settings.extra_credit = bytes;
        self
    }

    /// States that the peer keeps working after it received GOAWAY. Default: no, since neither Go's muxado nor the
    /// crate `muxado` does.
    ///
    /// With it, `go_away` announces the end at once and lets open streams finish, for which the peer gives them its own
    /// [`drain_timeout`](Self::drain_timeout); a `close` after that sends a second GOAWAY, with its code and text. Without
    /// it, GOAWAY is the last frame, sent when the streams have finished.
    pub fn peer_drains(mut self, yes: bool) -> Self {
        self.settings.peer_drains = yes;
        self
    }

    /// Keeps track of when streams began to wait, so that [`Session::inspect`](crate::Session::inspect) can say how
    /// long they have waited so far. Default: no; it then says everything else.
    ///
    /// It costs a look at the clock for each call on a stream and each step of the driver, and 56 bytes a stream.
    pub fn inspection(mut self, yes: bool) -> Self {
        self.settings.inspection = yes;
        self
    }

    /// Remembers what the headers of the last `frames` frames said, in both directions, and no payload. Default 0:
    /// none; more than 65 536 counts as that.
    ///
    /// For [`Session::frames`](crate::Session::frames) at any time, and [`SessionEnd::frames`](crate::SessionEnd::frames) after
    /// a protocol error. 40 bytes each. With [`inspection`](Self::inspection) they have times.
    pub fn record_frames(mut self, frames: usize) -> Self {
        self.settings.record_frames = frames;
        self
    }

    /// How long credit for a stream that was read empty may wait to be returned, so that small messages do not cost a
    /// WNDINC each. Default 50 ms; zero returns it at once.
    ///
    /// Half a window of consumed bytes is always returned at once, and small credit goes along with whatever is sent before,
    /// if none has gone for half of this time. A longer wait only delays a peer with a smaller window.
    pub fn credit_delay(mut self, delay: Duration) -> Self {
        self.settings.credit_delay = delay;
        self
    }

    /// How long the transport may accept no bytes, while there is something to send, before the session is given up
    /// with [`EndCause::WriteStalled`](crate::EndCause::WriteStalled). Default 30 s; `None` waits for ever. Too short
    /// gives up a link that is merely slow: zero, at the first moment in which it takes nothing.
    pub fn write_stall(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.write_stall = limit.into();
        self
    }

    /// How long to wait for what is left: for accepted bytes of a dropped stream to which the peer gives no credit (up
    /// to half as long again), for open streams after the peer's GOAWAY, and at the very end for the peer to close the
    /// transport. Default 30 s. Too short cuts off a slow peer; too long keeps what a peer that went away has left
    /// behind.
    pub fn drain_timeout(mut self, limit: Duration) -> Self {
        self.settings.drain_timeout = limit;
        self
    }

    /// How long `close` goes on sending what finished or dropped streams still have queued, and then waits for the peer
    /// to close the transport. Default 5 s; zero cuts it at once.
    pub fn close_linger(mut self, limit: Duration) -> Self {
        self.settings.close_linger = limit;
        self
    }

    /// Checks the settings.
    ///
    /// ```
    /// use muxado_core::Config;
    ///
    /// let error = Config::builder().max_frame(0).build().unwrap_err();
    /// assert!(error.to_string().contains("max_frame"));
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and its bounds.
    pub fn build(self) -> Result<Config, ConfigError> {
        let mut settings = self.settings;
        settings.accept_backlog = self.backlog.unwrap_or(settings.max_inbound_streams);
        if settings.window == 0 || settings.window > MAX_WINDOW {
            return Err(ConfigError::Window { bytes: settings.window });
        }
        if settings.window != DEFAULT_WINDOW && settings.window != self.known && !self.agreed {
            return Err(ConfigError::WindowNotAgreed { bytes: settings.window });
        }
        if settings.max_frame == 0 || settings.max_frame > muxado_frame::MAX_LENGTH {
            return Err(ConfigError::MaxFrame { bytes: settings.max_frame });
        }
        if settings.send_queue == 0 || settings.session_send_queue == 0 {
            return Err(ConfigError::NoSendQueue);
        }
        if settings.max_outbound_streams == 0 {
            return Err(ConfigError::NoOutboundStreams);
        }
        Ok(Config(Arc::new(settings)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s71_another_window_needs_an_agreement() {
        let refused = Config::builder().window(64 * 1024).build();
        assert_eq!(refused, Err(ConfigError::WindowNotAgreed { bytes: 64 * 1024 }));
        let agreed = Config::builder().window(64 * 1024).window_agreed_out_of_band().build();
        assert_eq!(agreed.map(|c| c.window()), Ok(64 * 1024));
    }

    #[test]
    fn s71_an_agreement_is_about_one_window() {
        let agreed =
            Config::builder().window(64 * 1024).window_agreed_out_of_band().build().unwrap_or_default();
        assert_eq!(agreed.to_builder().window(64 * 1024).build().as_ref(), Ok(&agreed));
        let other = agreed.to_builder().window(32 * 1024);
        assert_eq!(other.clone().build(), Err(ConfigError::WindowNotAgreed { bytes: 32 * 1024 }));
        assert_eq!(other.window_agreed_out_of_band().build().map(|c| c.window()), Ok(32 * 1024));
        assert_eq!(agreed.to_builder().window(DEFAULT_WINDOW).build(), Ok(Config::default()));
    }

    /// Without a default in it, so that a setting to come is not forgotten here.
    fn unusual() -> Config {
        Config(Arc::new(Settings {
            max_inbound_streams: 1,
            max_outbound_streams: 2,
            accept_backlog: 3,
            window: 4,
            max_frame: 5,
            send_queue: 6,
            session_send_queue: 7,
            max_session_recv: Some(8),
            extra_credit: 9,
            peer_drains: true,
            inspection: true,
            record_frames: 10,
            credit_delay: Duration::from_secs(11),
            write_stall: None,
            drain_timeout: Duration::from_secs(12),
            close_linger: Duration::from_secs(13),
        }))
    }

    #[test]
    fn every_setting_survives_the_way_back_to_the_builder() {
        for config in [Config::default(), unusual()] {
            assert_eq!(config.to_builder().build().as_ref(), Ok(&config));
        }
    }

    #[test]
    fn a_backlog_follows_the_limit_unless_it_was_set() {
        let follows = Config::default().to_builder().max_inbound_streams(10_000).build();
        assert_eq!(follows.map(|c| c.accept_backlog()), Ok(10_000));
        let stays = unusual().to_builder().max_inbound_streams(10_000).build();
        assert_eq!(stays.map(|c| c.accept_backlog()), Ok(3));
    }

    #[test]
    fn limits_are_unset_as_they_are_set() {
        let set =
            Config::builder().max_session_recv(10).write_stall(Duration::MAX).build().unwrap_or_default();
        assert_eq!((set.max_session_recv(), set.write_stall()), (Some(10), Some(Duration::MAX)));
        let unset = set.to_builder().max_session_recv(None).write_stall(None).build().unwrap_or_default();
        assert_eq!((unset.max_session_recv(), unset.write_stall()), (None, None));
    }

    #[test]
    fn impossible_values_are_refused() {
        for (builder, error) in [
            (Config::builder().window(0).window_agreed_out_of_band(), ConfigError::Window { bytes: 0 }),
            (
                Config::builder().window(1 << 31).window_agreed_out_of_band(),
                ConfigError::Window { bytes: 1 << 31 },
            ),
            (Config::builder().max_frame(0), ConfigError::MaxFrame { bytes: 0 }),
            (Config::builder().max_frame(1 << 24), ConfigError::MaxFrame { bytes: 1 << 24 }),
            (Config::builder().send_queue(0), ConfigError::NoSendQueue),
            (Config::builder().session_send_queue(0), ConfigError::NoSendQueue),
            (Config::builder().max_outbound_streams(0), ConfigError::NoOutboundStreams),
        ] {
            assert_eq!(builder.build(), Err(error));
        }
    }

    #[test]
    fn many_sessions_hold_their_settings_once() {
        let config = Config::default();
        assert!(Arc::ptr_eq(&config.0, &Config::default().0));
        let mux = crate::proto::Mux::new(crate::Side::Client, &config);
        assert!(Arc::ptr_eq(&config.0, &mux.config().0));
    }

    #[test]
    fn the_defaults_pass_their_own_check() {
        assert_eq!(Config::builder().build(), Ok(Config::default()));
    }
}
