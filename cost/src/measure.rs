//! What is measured: the table of all measures, and what one run of one tells besides its instructions.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::hostile::Flood;
use crate::{codec, hostile, machine, session};

/// One thing whose cost is counted.
#[derive(Debug)]
pub(crate) struct Measure {
    /// Unique; what comes before the slash is what is measured alone.
    pub(crate) name: &'static str,
    /// What the cost is given for.
    pub(crate) unit: Unit,
    /// How many units are done.
    pub(crate) amount: u64,
    pub(crate) work: Work,
}

/// What is done for so many units.
#[derive(Debug)]
pub(crate) enum Work {
    Own(fn(u64) -> Outcome),
    Flood(Flood),
}

pub(crate) type Outcome = Result<Tally, Fault>;

/// Why the work could not be done. Whatever it is, nothing can be said about its cost.
pub(crate) type Fault = Box<dyn Error>;

/// What a cost is the cost of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// One frame, whatever its size.
    Frame,
    /// One DATA frame with 16 KiB of payload.
    BulkFrame,
    /// One stream from its opening to its end.
    Stream,
    /// One message there and one back.
    RoundTrip,
}

/// Payload of a full frame, in bytes: what ours sends by default.
pub(crate) const FRAME: usize = 16 * 1024;

/// What a run has done that is not instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Calls that would have been system calls.
    pub(crate) calls: u64,
    /// Bytes a hostile peer had to send.
    pub(crate) wire: u64,
}

/// Does what is counted. Callgrind looks for this function's name and counts nothing outside of it, so that preparing
/// and cleaning up cost nothing. Not to be nested.
#[inline(never)]
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Does something so many times, counted.
pub(crate) fn repeat(times: u64, work: impl FnMut(u64) -> Result<(), Fault>) -> Result<(), Fault> {
    counted(|| (0..times).try_for_each(work))
}

/// Every measure.
pub(crate) fn all() -> impl Iterator<Item = &'static Measure> {
    [codec::MEASURES, machine::MEASURES, session::MEASURES, hostile::MEASURES].into_iter().flatten()
}

pub(crate) fn find(name: &str) -> Option<&'static Measure> {
    all().find(|measure| measure.name == name)
}

impl Measure {
    pub(crate) const fn new(name: &'static str, unit: Unit, amount: u64, run: fn(u64) -> Outcome) -> Measure {
        Measure { name, unit, amount, work: Work::Own(run) }
    }

    /// Whether it is held to B33.
    pub(crate) fn is_flood(&self) -> bool {
        matches!(self.work, Work::Flood(_))
    }

    pub(crate) fn run(&self, amount: u64) -> Outcome {
        match &self.work {
            Work::Own(run) => run(amount),
            Work::Flood(flood) => flood.run(amount),
        }
    }
}

impl Unit {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Unit::Frame => "frame",
            Unit::BulkFrame => "16 KiB frame",
            Unit::Stream => "stream",
            Unit::RoundTrip => "round trip",
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.calls, self.wire)
    }
}

impl FromStr for Tally {
    type Err = Box<dyn Error>;

    fn from_str(text: &str) -> Result<Tally, Self::Err> {
        let (calls, wire) = text.trim().split_once(' ').ok_or("a run has to end with two numbers")?;
        Ok(Tally { calls: calls.parse()?, wire: wire.parse()? })
    }
}
