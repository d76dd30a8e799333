//! What a run found out: as JSON, and with what the table needs.

use serde::Serialize;

use super::Options;
use super::course::{Interval, Outcome};
use super::link::Over;
use super::tally::Times;
use super::test::Test;
use crate::protocol;
use crate::settings::Settings;

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The version of this program.
    version: &'static str,
    /// The version of what its ends say to each other.
    protocol: u32,
    pub(crate) server: String,
    pub(crate) tls: bool,
    /// Bytes of each message, and bytes of each write.
    pub(crate) message: u32,
    write: u32,
    pub(crate) client_settings: Settings,
    /// None if there was no answer.
    pub(crate) server_settings: Option<Settings>,
    pub(crate) results: Vec<Measured>,
    /// Why it is not complete.
    pub(crate) error: Option<String>,
}

/// One test over muxado or over TCP.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) test: Test,
    pub(crate) over: Over,
    /// At once: those with bulk, or those for exchanges.
    pub(crate) streams: usize,
    /// What was measured, without warming up and coming to an end.
    pub(crate) seconds: f64,
    /// Of the client's process.
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) upload: Option<Rate>,
    pub(crate) download: Option<Rate>,
    /// Messages, or streams in the test of streams.
    pub(crate) exchanges: Option<Rate>,
    /// Of one exchange, in microseconds.
    pub(crate) latency_us: Option<Times>,
    intervals: Vec<Interval>,
    /// False if it was cut short.
    pub(crate) complete: bool,
}

/// Bytes or exchanges.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Rate {
    pub(crate) total: u64,
    pub(crate) per_second: f64,
}

impl Report {
    pub(super) fn new(options: &Options) -> Report {
        Report {
            version: env!("CARGO_PKG_VERSION"),
            protocol: protocol::VERSION,
            server: options.server.clone(),
            tls: options.trust.is_some(),
            message: options.message,
            write: options.write,
            client_settings: options.settings,
            server_settings: None,
            results: Vec::new(),
            error: None,
        }
    }
}

impl Measured {
    pub(super) fn new(test: Test, over: Over, streams: usize, outcome: Outcome, complete: bool) -> Measured {
        let Outcome { seconds, cpu_seconds, counts, times, intervals } = outcome;
        let rate =
            |total: u64| Rate { total, per_second: if seconds > 0.0 { total as f64 / seconds } else { 0.0 } };
        Measured {
            test,
            over,
            streams,
            seconds,
            cpu_seconds,
            upload: test.uploads().then(|| rate(counts.up)),
            download: test.downloads().then(|| rate(counts.down)),
            exchanges: test.exchanges().then(|| rate(counts.exchanges)),
            latency_us: times,
            intervals,
            complete,
        }
    }
}
