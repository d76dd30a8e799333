//! The settings of a session that are worth trying on a link. Everything else is as by default.

use muxado_tokio::{Config, ConfigError};
use serde::{Deserialize, Serialize};

/// Those of one end, in bytes. [`muxado_tokio::ConfigBuilder`] says what each of them does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) window: u32,
    pub(crate) extra_credit: usize,
    pub(crate) max_frame: u32,
    pub(crate) send_queue: usize,
    pub(crate) session_send_queue: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        let config = Config::default();
        Settings {
            window: config.window(),
            extra_credit: config.extra_credit(),
            max_frame: config.max_frame(),
            send_queue: config.send_queue(),
            session_send_queue: config.session_send_queue(),
        }
    }
}

impl Settings {
    /// For a session with so many streams, which the client opens.
    pub(crate) fn config(&self, streams: usize) -> Result<Config, ConfigError> {
        Config::builder()
            .max_inbound_streams(streams)
            .max_outbound_streams(streams)
            .window(self.window)
            // The first words of a session see to it.
            .window_agreed_out_of_band()
            .extra_credit(self.extra_credit)
            .max_frame(self.max_frame)
            .send_queue(self.send_queue)
            .session_send_queue(self.session_send_queue)
            .peer_drains(true)
            .build()
    }
}
