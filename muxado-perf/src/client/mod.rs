//! The client: connects, does the tests one after the other, and reports, whatever has come in between.

mod course;
mod latency;
mod link;
mod progress;
mod report;
mod streams;
mod table;
mod tally;
mod test;
mod throughput;

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use muxado_tokio::{ErrorCode, Initiator, Session};
use muxado_typed::Typed;
use tokio_util::sync::CancellationToken;

use crate::protocol::Terms;
use crate::secure::Trust;
use crate::settings::Settings;
pub(crate) use course::Clock;
use course::Course;
use link::Link;
use progress::Progress;
use report::{Measured, Report};
pub(crate) use test::Test;

/// What the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// HOST:PORT of the server.
    pub(crate) server: String,
    /// Over TLS, trusting this.
    pub(crate) trust: Option<Trust>,
    /// What to do, in this order.
    pub(crate) tests: Vec<Test>,
    /// How much of each.
    pub(crate) amount: Amount,
    /// Streams at once in each direction of bulk.
    pub(crate) streams: usize,
    /// Streams at once in the test of streams.
    pub(crate) in_flight: usize,
    /// Bytes of a message.
    pub(crate) message: u32,
    /// Bytes of a write of bulk.
    pub(crate) write: u32,
    /// Whether everything is done over raw TCP as well.
    pub(crate) raw: bool,
    /// Whether the report is JSON.
    pub(crate) json: bool,
    pub(crate) settings: Settings,
}

/// How much is done: for a time, or so many of what the test is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) clock: Clock,
    /// In each direction, instead of a time.
    pub(crate) bytes: Option<u64>,
    /// Messages or streams, instead of a time.
    pub(crate) count: Option<u64>,
}

impl Amount {
    fn bytes(self) -> Option<u64> {
        self.bytes
    }

    fn exchanges(self) -> Option<u64> {
        self.count
    }

    /// None for a test that is over when so much is done.
    fn clock(self, test: Test) -> Option<Clock> {
        let counted = if test.exchanges() { self.count } else { self.bytes };
        counted.is_none().then_some(self.clock)
    }

    /// How long a test takes at the least, by the clock.
    fn time(self, test: Test) -> Duration {
        self.clock(test).map_or(Duration::ZERO, |clock| clock.warm_up + clock.duration)
    }
}

impl Options {
    /// How many streams the session has to have.
    fn streams_needed(&self) -> usize {
        self.tests.iter().map(|test| test.streams_needed(self)).max().unwrap_or(1)
    }

    /// An error if the server does not allow as much.
    fn fit(&self, terms: &Terms) -> anyhow::Result<()> {
        let needed = self.streams_needed();
        let Terms { streams, seconds, raw, .. } = terms;
        ensure!(needed <= *streams, "these tests need {needed} streams at once, the server allows {streams}");
        let rounds = if self.raw { 2 } else { 1 };
        let time: Duration = self.tests.iter().map(|test| self.amount.time(*test) * rounds).sum();
        let needed = time.as_secs();
        ensure!(needed < *seconds, "these tests take {needed} s, the server allows a session {seconds} s");
        ensure!(!self.raw || raw.is_some(), "the server takes no raw TCP: it was started without --raw");
        Ok(())
    }
}

/// Does the tests until `interrupt`. Fails if not all of them could be done, having reported those that could.
pub(crate) async fn run(options: Options, interrupt: CancellationToken) -> anyhow::Result<()> {
    let mut report = Report::new(&options);
    let result = measure(&options, &mut report, &interrupt).await;
    report.error = result.as_ref().err().map(|error| format!("{error:#}"));
    let mut out = io::stdout();
    let printed = if options.json {
        serde_json::to_string_pretty(&report)
            .map_err(io::Error::from)
            .and_then(|text| writeln!(out, "{text}"))
    } else {
        write!(out, "{}", table::Table(&report))
    };
    result.and(printed.context("cannot print"))
}

async fn measure(
    options: &Options,
    report: &mut Report,
    interrupt: &CancellationToken,
) -> anyhow::Result<()> {
    let (typed, terms) = tokio::select! {
        connected = link::connect(options) => connected?,
        () = interrupt.cancelled() => bail!("interrupted"),
    };
    report.server_settings = Some(terms.settings);
    options.fit(&terms)?;
    let session = typed.get_ref().clone();
    let links = links(options, &typed, &terms)?;
    let mut result = Ok(());
    'tests: for test in &options.tests {
        for link in links.iter().filter(|link| test.has_raw() || matches!(link, Link::Muxado(_))) {
            result = one(*test, link, options, report, interrupt).await;
            if result.is_err() {
                break 'tests;
            }
        }
    }
    let end = session.close(ErrorCode::NO_ERROR, "done").await;
    // A session that did not end by this says best why a test failed.
    match (result, link::goodbye(&end)) {
        (Err(error), _) if interrupt.is_cancelled() => Err(error),
        (Err(_), Some(goodbye)) => Err(goodbye.context("lost the server")),
        (Err(_), None) if end.initiator() != Initiator::Local => Err(anyhow!(end).context("lost the server")),
        (result, _) => result,
    }
}

fn links(options: &Options, typed: &Typed<Session>, terms: &Terms) -> anyhow::Result<Vec<Link>> {
    let mut links = vec![Link::Muxado(typed.clone())];
    if let (true, Some(raw)) = (options.raw, terms.raw) {
        let server = typed.get_ref().peer_addr().context("the server has no address")?;
        links.push(Link::tcp(server, raw));
    }
    Ok(links)
}

/// One test over one link, which goes into the report as far as it went.
async fn one(
    test: Test,
    link: &Link,
    options: &Options,
    report: &mut Report,
    interrupt: &CancellationToken,
) -> anyhow::Result<()> {
    let over = link.over();
    let name =
        if over == link::Over::Tcp { format!("{} over TCP", test.name()) } else { test.name().to_owned() };
    let progress = Progress::of(name.clone());
    let course: Course = test.prepare(link, options).await.with_context(|| name.clone())?;
    let (outcome, result) = course.run(&progress, interrupt).await;
    report.results.push(Measured::new(test, over, test.streams(over, options), outcome, result.is_ok()));
    result.context(name)
}
