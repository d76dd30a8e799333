//! What is measured: the list of workloads, how much of each, and in which unit.

pub(crate) mod bulk1;
pub(crate) mod churn;
mod pattern;

use std::str::FromStr;

use crate::peer::PeerName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// One stream, as many bytes as it takes.
    Bulk1,
    /// Streams that are opened, used once and ended.
    Churn,
}

impl Workload {
    pub(crate) const ALL: [Workload; 2] = [Workload::Bulk1, Workload::Churn];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Workload::Bulk1 => "bulk1",
            Workload::Churn => "churn",
        }
    }

    /// What one measurement does, in bytes or streams.
    pub(crate) fn amount(self, quick: bool) -> u64 {
        let amount = match self {
            Workload::Bulk1 => 1 << 30,
            Workload::Churn => 100_000,
        };
        if quick { amount / 4 } else { amount }
    }

    /// The unit that rates are given in, and how much of the amount makes one.
    pub(crate) fn unit(self) -> (&'static str, f64) {
        match self {
            Workload::Bulk1 => ("GiB", (1_u64 << 30) as f64),
            Workload::Churn => ("k streams", 1000.0),
        }
    }

    /// Those who can do it.
    pub(crate) fn peers(self) -> impl Iterator<Item = PeerName> {
        // Without a multiplexer a stream is a connection, which is another workload.
        PeerName::ALL.into_iter().filter(move |peer| self != Workload::Churn || *peer != PeerName::Tcp)
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Workload, String> {
        let found = Workload::ALL.into_iter().find(|workload| workload.as_str() == name);
        found.ok_or_else(|| "no such workload".into())
    }
}
