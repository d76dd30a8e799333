//! The tests there are, and what each of them consists of.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::course::{Course, Work};
use super::latency::Pings;
use super::link::{Link, Over};
use super::streams::Opener;
use super::tally::Tally;
use super::throughput::Bulk;
use crate::protocol::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Test {
    /// Bulk to the server.
    Upload,
    /// Bulk from the server.
    Download,
    /// Both at once.
    Both,
    /// Streams for one small exchange.
    Streams,
    /// Small messages and nothing else.
    Latency,
    /// Small messages while there is bulk both ways.
    Loaded,
}

impl Test {
    pub(crate) const ALL: [Test; 6] =
        [Test::Upload, Test::Download, Test::Both, Test::Streams, Test::Latency, Test::Loaded];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Test::Upload => "upload",
            Test::Download => "download",
            Test::Both => "both",
            Test::Streams => "streams",
            Test::Latency => "latency",
            Test::Loaded => "loaded",
        }
    }

    pub(crate) fn uploads(self) -> bool {
        matches!(self, Test::Upload | Test::Both | Test::Loaded)
    }

    pub(crate) fn downloads(self) -> bool {
        matches!(self, Test::Download | Test::Both | Test::Loaded)
    }

    pub(crate) fn exchanges(self) -> bool {
        matches!(self, Test::Streams | Test::Latency | Test::Loaded)
    }

    /// Whether it can be done over raw TCP. One connection for one exchange measures handshakes, and uses up ports.
    pub(super) fn has_raw(self) -> bool {
        self != Test::Streams
    }

    /// How many streams it has at once of the kind that matters. Over raw TCP it is one connection: so is a session.
    pub(super) fn streams(self, over: Over, options: &Options) -> usize {
        match self {
            Test::Latency => 1,
            _ if over == Over::Tcp => 1,
            Test::Streams => options.in_flight,
            Test::Upload | Test::Download | Test::Both | Test::Loaded => options.streams,
        }
    }

    /// How many streams it has open in all.
    pub(crate) fn streams_needed(self, options: &Options) -> usize {
        let directions = usize::from(self.uploads()) + usize::from(self.downloads());
        match self {
            Test::Streams => options.in_flight,
            _ => directions * options.streams + usize::from(self.exchanges()),
        }
    }

    /// Opens what it needs.
    pub(super) async fn prepare(self, link: &Link, options: &Options) -> anyhow::Result<Course> {
        let (tally, stop) = (Arc::new(Tally::new()?), CancellationToken::new());
        let mut work: Vec<Work> = Vec::new();
        let streams = self.streams(link.over(), options) as u64;
        let amount = options.amount;
        if self == Test::Streams {
            let left = Arc::new(AtomicU64::new(amount.exchanges().unwrap_or(u64::MAX)));
            for number in 0..streams {
                let (link, left) = (link.clone(), left.clone());
                let (tally, stop) = (tally.clone(), stop.clone());
                let opener = Opener { link, left, message: options.message, tally, stop };
                work.push(Box::pin(opener.run(number)));
            }
        } else {
            // Where there are messages, they decide when it is over.
            let bytes = if self.exchanges() { None } else { amount.bytes() };
            for number in 0..streams {
                // Each its share, and the first the rest.
                let share = |all: u64| all / streams + if number == 0 { all % streams } else { 0 };
                let (tally, stop) = (tally.clone(), stop.clone());
                let bulk = Bulk { limit: bytes.map(share), write: options.write, tally, stop };
                if self.uploads() {
                    work.push(Box::pin(bulk.clone().upload(link.open(Kind::Upload).await?)));
                }
                if self.downloads() {
                    work.push(Box::pin(bulk.download(link.open(Kind::Download).await?)));
                }
            }
            if self.exchanges() {
                let (tally, stop) = (tally.clone(), stop.clone());
                let pings =
                    Pings { limit: amount.exchanges(), message: options.message, tally, stop: stop.clone() };
                let channel = link.open(Kind::Echo).await?;
                work.push(Box::pin(async move {
                    let result = pings.run(channel).await;
                    stop.cancel();
                    result
                }));
            }
        }
        Ok(Course { work, tally, stop, clock: amount.clock(self) })
    }
}

impl FromStr for Test {
    type Err = String;

    fn from_str(name: &str) -> Result<Test, String> {
        let found = Test::ALL.into_iter().find(|test| test.name() == name);
        found.ok_or_else(|| {
            format!("there is no test `{name}`: there are {}", Test::ALL.map(Test::name).join(", "))
        })
    }
}
