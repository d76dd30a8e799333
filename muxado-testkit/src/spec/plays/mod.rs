//! Every row of docs/behaviour.md, as something to play against a peer or as the reason why it cannot be seen.

mod data;
mod framing;
mod goaway;
mod liveness;
mod opening;
mod reset;
pub(super) mod senders;
mod unseen;
mod windows;

use super::conn::Conn;
use super::expect::Outcome;

/// Plays one variant on a connection of its own.
type Run = Box<dyn Fn(&mut Conn) -> Outcome + Send + Sync>;

/// A row, or a part of one.
pub(super) struct Play {
    /// As in docs/behaviour.md.
    pub(super) row: &'static str,
    pub(super) what: String,
    pub(super) expected: String,
    /// Muxspec reads nothing until the play says so.
    pub(super) deaf: bool,
    /// Its variants, each with a name where there is more than one.
    pub(super) tries: Vec<(String, Run)>,
    /// Why there are none.
    pub(super) unseen: Option<&'static str>,
}

/// The answer to what concerns no more than the frame itself.
const LIVES: &str = "no RST, no GOAWAY; the session lives";

/// Bytes that a play sends, with the ids of its side.
type Bytes = fn(&Conn) -> Vec<u8>;

/// A stream in some state, and its id.
type Which = (&'static str, fn(&Conn) -> u32);

impl Play {
    fn new(
        row: &'static str,
        what: impl Into<String>,
        expected: impl Into<String>,
        run: impl Fn(&mut Conn) -> Outcome + Send + Sync + 'static,
    ) -> Play {
        Play::each(row, what, expected, [(String::new(), run)])
    }

    /// Several variants of the same; the first that differs ends the play.
    fn each<F: Fn(&mut Conn) -> Outcome + Send + Sync + 'static>(
        row: &'static str,
        what: impl Into<String>,
        expected: impl Into<String>,
        tries: impl IntoIterator<Item = (String, F)>,
    ) -> Play {
        let tries = tries.into_iter().map(|(name, run)| (name, Box::new(run) as Run)).collect();
        Play { row, what: what.into(), expected: expected.into(), deaf: false, tries, unseen: None }
    }

    /// Bytes that end the session with this code, whatever its streams do.
    fn fatal(row: &'static str, what: &str, code: u32, variants: &[(&str, Bytes)]) -> Play {
        let tries = variants.iter().map(|&(name, bytes)| {
            let run = move |conn: &mut Conn| {
                conn.open(conn.id(0), 5);
                conn.echoed(conn.id(0))?;
                conn.over(conn.id(1))?;
                conn.send(&bytes(conn));
                conn.session_error(code)
            };
            (name.to_owned(), run)
        });
        Play::each(row, what, format!("GOAWAY {code} as the last frame, then the end"), tries)
    }

    /// Bytes after which the session lives and nothing was sent about them. Stream 0 of ours is live, 1 is over.
    fn harmless(row: &'static str, what: &str, variants: &[(&str, Bytes)]) -> Play {
        let tries = variants.iter().map(|&(name, bytes)| {
            let run = move |conn: &mut Conn| {
                conn.open(conn.id(0), 5);
                conn.echoed(conn.id(0))?;
                conn.over(conn.id(1))?;
                conn.send(&bytes(conn));
                conn.lives()?;
                conn.data(conn.id(0), 7);
                conn.fin(conn.id(0));
                conn.finished(conn.id(0))
            };
            (name.to_owned(), run)
        });
        Play::each(row, what, LIVES, tries)
    }

    /// A row that is not played.
    fn unseen(row: &'static str, what: &str, why: &'static str) -> Play {
        Play {
            row,
            what: what.into(),
            expected: String::new(),
            deaf: false,
            tries: Vec::new(),
            unseen: Some(why),
        }
    }

    fn deaf(mut self) -> Play {
        self.deaf = true;
        self
    }
}

/// Every play, in the order of the rows.
pub(super) fn all() -> Vec<Play> {
    let parts = [
        framing::plays(),
        opening::plays(),
        data::plays(),
        reset::plays(),
        windows::plays(),
        goaway::plays(),
        liveness::plays(),
        senders::plays(),
        unseen::plays(),
    ];
    let mut plays: Vec<Play> = parts.into_iter().flatten().collect();
    plays.sort_by_key(|play| play.row);
    plays
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_and_rule_of_the_page_has_its_place() {
        let page = include_str!("../../../../docs/behaviour.md");
        let first_cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
        let ids = first_cells.map(|(cell, _)| cell);
        let demanded: BTreeSet<&str> = ids.filter(|id| id.len() == 3 && id.starts_with(['S', 'W'])).collect();
        let judged = senders::JUDGED.iter().map(|(rule, _)| *rule);
        let placed: BTreeSet<&str> = all().iter().map(|play| play.row).chain(judged).collect();
        assert_eq!(demanded.len(), 94 + 18);
        assert_eq!(placed, demanded);
    }

    #[test]
    fn plays_have_different_names() {
        let plays = all();
        let names: BTreeSet<_> = plays.iter().map(|play| (play.row, &play.what)).collect();
        assert_eq!(names.len(), plays.len());
    }
}
