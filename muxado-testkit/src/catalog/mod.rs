//! What odd and hostile peers send, as data: the rows of docs/behaviour.md that are about bytes, and floods of them.
//!
//! Nothing here says what must happen: that is for the tests that use it. Fuzz targets start from these bytes, fault
//! tests run them with other limits, memory and work are measured on them.

mod data;
mod end;
mod floods;
mod framing;
mod streams;

use muxado_core::{Config, Side};

use crate::host::Host;
pub use crate::host::{APPS, App};
pub use floods::floods;

/// The window both sides believe in unless they are told otherwise.
const WINDOW: usize = 256 * 1024;

/// One sequence of bytes, and the machine it is meant for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// Begins with the id of the row in lower case, and is unique.
    pub name: &'static str,
    /// The side of our machine.
    pub side: Side,
    /// Streams that our machine has opened before, whose SYNs have gone out.
    pub opens: usize,
    /// What our application does whenever it gets its turn.
    pub app: App,
    /// Our machine is draining when the last part comes.
    pub drains: bool,
    /// What the peer sends. Between the parts our application gets its turn.
    pub parts: Vec<Vec<u8>>,
}

impl Row {
    fn new<const N: usize>(name: &'static str, parts: [Vec<u8>; N]) -> Row {
        Row { name, side: Side::Server, opens: 0, app: App::Holds, drains: false, parts: parts.into() }
    }

    /// Our machine is a client with `opens` streams: their ids are 3, 5, 7 and so on.
    fn client(mut self, opens: usize) -> Row {
        self.side = Side::Client;
        self.opens = opens;
        self
    }

    fn app(mut self, app: App) -> Row {
        self.app = app;
        self
    }

    fn draining(mut self) -> Row {
        self.drains = true;
        self
    }

    /// The id of the row it belongs to.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(self.name)
    }

    /// Everything the peer sends.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.parts.concat()
    }

    /// The machine it is meant for, with what it does first already done.
    #[must_use]
    pub fn host(&self, config: &Config) -> Host {
        Host::new(self.side, config, self.app, self.opens)
    }

    /// Plays it against `host` in pieces of at most `chunk` bytes, and calls `look` after each with the bytes fed so
    /// far.
    pub fn play(&self, host: &mut Host, chunk: usize, mut look: impl FnMut(&mut Host, usize)) {
        let mut fed = 0;
        for (number, part) in self.parts.iter().enumerate() {
            if self.drains && number + 1 == self.parts.len() {
                host.mux.drain();
            }
            for piece in part.chunks(chunk.max(1)) {
                host.feed(piece);
                fed += piece.len();
                look(host, fed);
            }
        }
    }
}

/// The same few frames again and again, with other ids.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Flood {
    /// Begins with the id of the row in lower case, and is unique.
    pub name: &'static str,
    /// The side of our machine.
    pub side: Side,
    /// Streams that our machine has opened before, whose SYNs have gone out.
    pub opens: usize,
    /// What our application does whenever it gets its turn.
    pub app: App,
    /// The peer reads what we send.
    pub listens: bool,
    /// Our machine drains once `first` is in.
    pub drains: bool,
    /// What the peer sends before.
    pub first: Vec<u8>,
    /// What it sends in each round.
    pub round: fn(u32) -> Vec<u8>,
    /// How often: enough to show what it does.
    pub rounds: u32,
}

impl Flood {
    /// The id of the row it belongs to.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(self.name)
    }

    /// The rounds from `from` on, until they are `len` bytes or used up, and the number of the next round.
    #[must_use]
    pub fn rounds_from(&self, from: u32, len: usize) -> (Vec<u8>, u32) {
        let mut bytes = Vec::new();
        let mut at = from;
        while at < self.rounds && bytes.len() < len {
            bytes.extend((self.round)(at));
            at += 1;
        }
        (bytes, at)
    }

    /// Everything the peer sends, up to `rounds` rounds of it.
    #[must_use]
    pub fn bytes(&self, rounds: u32) -> Vec<u8> {
        let mut bytes = self.first.clone();
        for number in 0..rounds.min(self.rounds) {
            bytes.extend((self.round)(number));
        }
        bytes
    }

    /// The machine it is meant for, with what it does first already done.
    #[must_use]
    pub fn host(&self, config: &Config) -> Host {
        let mut host = Host::new(self.side, config, self.app, self.opens);
        host.feed(&self.first);
        if self.drains {
            host.mux.drain();
        }
        host.listened_to = self.listens;
        host
    }
}

/// All rows, in the order of their ids.
#[must_use]
pub fn rows() -> Vec<Row> {
    [framing::rows(), streams::rows(), data::rows(), end::rows()].concat()
}

fn id_of(name: &str) -> String {
    name.split('_').next().unwrap_or(name).to_uppercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_begin_with_an_id() {
        let names: Vec<_> =
            rows().iter().map(|row| row.name).chain(floods().iter().map(|flood| flood.name)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in names {
            let id = id_of(name);
            assert!(id.len() == 3 && id.starts_with('S'), "{name}");
            assert!(id[1..].parse::<u32>().is_ok_and(|number| number <= 94), "{name}");
        }
    }

    #[test]
    fn every_row_about_bytes_is_there() {
        let ids: BTreeSet<String> = rows().iter().map(Row::id).collect();
        // What is missing is about our own side, time or the transport alone.
        let missing: Vec<String> =
            (1..=89).map(|number| format!("S{number:02}")).filter(|id| !ids.contains(id)).collect();
        assert_eq!(missing, ["S35", "S71", "S82"]);
    }

    #[test]
    fn every_row_and_flood_can_be_played() {
        for row in rows() {
            let whole = row.bytes().len();
            let mut last = 0;
            row.play(&mut row.host(&Config::default()), usize::MAX, |_, fed| last = fed);
            assert_eq!(last, whole, "{}", row.name);
        }
        for flood in floods() {
            let mut host = flood.host(&Config::default());
            let (bytes, next) = flood.rounds_from(0, 5000);
            assert!(next > 0 && !bytes.is_empty(), "{}", flood.name);
            host.feed(&bytes);
        }
    }
}
