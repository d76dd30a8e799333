//! What no session can be set to.

use std::fmt;

use crate::config::{DEFAULT_WINDOW, MAX_WINDOW};

/// A setting that cannot work, found by [`ConfigBuilder::build`](crate::ConfigBuilder::build).
///
/// ```
/// use muxado_core::{Config, ConfigError};
///
/// let error = Config::builder().window(1 << 20).build().unwrap_err();
/// assert!(matches!(error, ConfigError::WindowNotAgreed { bytes, .. } if bytes == 1 << 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The window must be 1 to 2^31 - 1 bytes.
    #[non_exhaustive]
    Window {
        /// The value refused, in bytes.
        bytes: u32,
    },
    /// A window other than 256 KiB works only with a peer that is configured alike.
    #[non_exhaustive]
    WindowNotAgreed {
        /// The value refused, in bytes.
        bytes: u32,
    },
    /// The largest frame must be 1 to 16 MiB - 1 bytes.
    #[non_exhaustive]
    MaxFrame {
        /// The value refused, in bytes.
        bytes: u32,
    },
    /// A session with a send queue of no bytes could never send.
    NoSendQueue,
    /// Where this side may have no streams, opening one would wait for ever.
    NoOutboundStreams,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Window { bytes } => {
                write!(f, "window of {bytes} bytes is not within 1 to {MAX_WINDOW}")
            }
            ConfigError::WindowNotAgreed { bytes } => write!(
                f,
                "window of {bytes} bytes is not the {DEFAULT_WINDOW} that every peer assumes: window_agreed_out_of_band says that this one is set up alike"
            ),
            ConfigError::MaxFrame { bytes } => {
                write!(f, "max_frame of {bytes} bytes is not within 1 to {}", muxado_frame::MAX_LENGTH)
            }
            ConfigError::NoSendQueue => {
                f.write_str("send_queue and session_send_queue must be at least 1 byte")
            }
            ConfigError::NoOutboundStreams => f.write_str("max_outbound_streams must be at least 1"),
        }
    }
}

impl std::error::Error for ConfigError {}
