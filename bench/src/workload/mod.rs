//! What is measured: the list of workloads, how much of each, and in which unit.

mod asking;
pub(crate) mod bulk1;
pub(crate) mod bulk64;
pub(crate) mod churn;
pub(crate) mod duplex;
pub(crate) mod far;
pub(crate) mod hello;
pub(crate) mod idle;
pub(crate) mod mixed;
pub(crate) mod pattern;
pub(crate) mod rtt;
pub(crate) mod sessions;
pub(crate) mod stuck;

use std::str::FromStr;
use std::time::Duration;

use crate::peer::{PeerName, Setting};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// One stream, as many bytes as it takes.
    Bulk1,
    /// 64 streams at once.
    Bulk64,
    /// Both directions at once.
    Duplex,
    /// Streams that are opened, used once and ended.
    Churn,
    /// Ten thousand streams at once that say hello.
    Hello10k,
    /// Small messages there and back.
    Rtt,
    /// The same while a bulk stream fills the session.
    RttBusy,
    /// bulk1 over TLS.
    Tls,
    /// Streams of many sizes at once.
    Mixed,
    /// Sessions that are used once.
    Sessions,
    /// Open streams at rest.
    Idle,
    /// bulk1 over a line with a round trip of 50 ms.
    Wan,
    /// The same for so long that the beginning counts little.
    Wan1G,
    /// bulk1 beside a stream that nobody reads.
    StuckReader,
    /// One stream for a while, over the line of `bench far`. No part of a run of everything.
    Far,
}

/// The figure that a workload is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Headline {
    /// So much of the amount in a second, the more the better: the unit, and how much of the amount makes one.
    Rate(&'static str, f64),
    /// The time for all of it in milliseconds, the less the better.
    Time,
    /// A figure of the workload's own, the less the better.
    Figure(&'static str),
}

const GIB: f64 = (1_u64 << 30) as f64;

impl Workload {
    pub(crate) const ALL: [Workload; 14] = [
        Workload::Bulk1,
        Workload::Bulk64,
        Workload::Duplex,
        Workload::Churn,
        Workload::Hello10k,
        Workload::Rtt,
        Workload::RttBusy,
        Workload::Tls,
        Workload::Mixed,
        Workload::Sessions,
        Workload::Idle,
        Workload::Wan,
        Workload::Wan1G,
        Workload::StuckReader,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Workload::Bulk1 => "bulk1",
            Workload::Bulk64 => "bulk64",
            Workload::Duplex => "duplex",
            Workload::Churn => "churn",
            Workload::Hello10k => "hello10k",
            Workload::Rtt => "rtt",
            Workload::RttBusy => "rtt-busy",
            Workload::Tls => "tls",
            Workload::Mixed => "mixed",
            Workload::Sessions => "sessions",
            Workload::Idle => "idle",
            Workload::Wan => "wan",
            Workload::Wan1G => "wan-1g",
            Workload::StuckReader => "stuck-reader",
            Workload::Far => "far",
        }
    }

    /// What one measurement does, in bytes, streams or messages.
    pub(crate) fn amount(self, quick: bool) -> u64 {
        let amount = match self {
            Workload::Bulk1 | Workload::Bulk64 | Workload::Duplex => 1 << 30,
            Workload::StuckReader | Workload::Tls => 512 << 20,
            Workload::Churn => 100_000,
            Workload::Hello10k => return 10_000,
            Workload::Rtt => 40_000,
            Workload::RttBusy => 8000,
            Workload::Mixed => 40_000,
            // Each leaves a port behind that cannot be had again for a minute.
            Workload::Sessions => 500,
            Workload::Idle => return 20_000,
            Workload::Wan => return 64 << 20,
            Workload::Wan1G => return 1 << 30,
            Workload::Far => 5000,
        };
        if quick { amount / 4 } else { amount }
    }

    pub(crate) fn headline(self) -> Headline {
        match self {
            Workload::Bulk1 | Workload::Bulk64 | Workload::Duplex | Workload::Tls | Workload::StuckReader => {
                Headline::Rate("GiB", GIB)
            }
            Workload::Wan | Workload::Wan1G | Workload::Far => Headline::Rate("MiB", (1 << 20) as f64),
            Workload::Churn => Headline::Rate("k streams", 1000.0),
            Workload::Mixed => Headline::Rate("k requests", 1000.0),
            Workload::Sessions => Headline::Rate("k sessions", 1000.0),
            Workload::Hello10k => Headline::Time,
            Workload::Rtt | Workload::RttBusy => Headline::Figure("p50 us"),
            Workload::Idle => Headline::Figure("B/stream"),
        }
    }

    /// Further figures that belong beside the headline.
    pub(crate) fn further(self) -> &'static [&'static str] {
        match self {
            Workload::Rtt => &["p99 us"],
            Workload::RttBusy => &["p99 us", "bulk GiB/s"],
            Workload::Mixed => &["p50 us", "p99 us", "large p50 ms"],
            Workload::Idle => &["once closed"],
            _ => &[],
        }
    }

    /// The unit of the CPU time, and how much of the amount makes one.
    pub(crate) fn cpu_unit(self) -> (&'static str, f64) {
        match self.headline() {
            Headline::Rate("MiB", _) => ("GiB", GIB),
            Headline::Rate(unit, scale) => (unit, scale),
            _ => ("k", 1000.0),
        }
    }

    pub(crate) fn setting(self) -> Setting {
        let streams = match self {
            Workload::Hello10k => 10_000,
            Workload::Idle => 20_001,
            _ => 256,
        };
        let delay = match self {
            Workload::Wan | Workload::Wan1G => Duration::from_millis(25),
            _ => Duration::ZERO,
        };
        Setting { streams, delay, is_tls: self == Workload::Tls, is_far: self == Workload::Far }
    }

    /// Those who can do it.
    pub(crate) fn peers(self) -> impl Iterator<Item = PeerName> {
        let able = move |peer: &PeerName| match (self, peer) {
            (_, peer) if peer.is_of_another_runtime() => {
                matches!(
                    self,
                    Workload::Bulk1 | Workload::Bulk64 | Workload::Duplex | Workload::Churn | Workload::Rtt
                )
            }
            // It shows what the goals of these are up against.
            (_, PeerName::Limit) => matches!(
                self,
                Workload::Bulk1
                    | Workload::Bulk64
                    | Workload::Duplex
                    | Workload::Rtt
                    | Workload::RttBusy
                    | Workload::Wan1G
            ),
            // With windows that stay as they are it takes minutes.
            (Workload::Wan1G, PeerName::CrateMuxado | PeerName::H2Default) => false,
            // The window of the connection fills with answers that nobody reads before the request is out.
            (Workload::Mixed, PeerName::H2Default) => false,
            // It comes with TLS of its own; a connection is more than a session there.
            (Workload::Tls | Workload::Sessions, PeerName::Quinn) => false,
            // The line with a delay is TCP's. So many connections are more than a process may have files.
            (Workload::Wan | Workload::Wan1G, PeerName::Quinn)
            | (Workload::Idle | Workload::Hello10k, PeerName::Tcp) => false,
            // Many small pieces of data are taken for an attack, and an unread stream stops all others.
            (Workload::Hello10k | Workload::StuckReader, PeerName::H2Default) => false,
            // A writer that is out of window is woken only if somebody reads the same stream, which nobody does here.
            (
                Workload::Bulk1
                | Workload::Bulk64
                | Workload::Duplex
                | Workload::Tls
                | Workload::Mixed
                | Workload::Wan
                | Workload::Wan1G
                | Workload::StuckReader,
                PeerName::TokioYamux,
            )
            | (Workload::RttBusy, PeerName::TokioYamux) => false,
            _ => true,
        };
        PeerName::ALL.into_iter().filter(able)
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Workload, String> {
        let mut known = Workload::ALL.into_iter().chain([Workload::Far]);
        let found = known.find(|workload| workload.as_str() == name);
        found.ok_or_else(|| "no such workload".into())
    }
}
