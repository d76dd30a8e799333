//! S54 to S62: streams that one side ends by force.

use super::super::conn::Conn;
use super::super::expect::Outcome;
use super::{LIVES, Play};
use crate::wire::{data, fin, rst, wndinc};

const SILENT: &str = "nothing more on that stream; the session lives";

pub(super) fn plays() -> Vec<Play> {
    let mut plays = live();
    plays.extend(strays());
    plays.extend(by_the_peer());
    plays
}

/// A stream whose echo waits for credit gets `bytes`, then all the credit it could want.
fn over_while_stuck(conn: &mut Conn, bytes: fn(u32) -> Vec<u8>) -> Outcome {
    let id = conn.id(0);
    conn.stuck(id, 50_000)?;
    conn.send(&bytes(id));
    conn.lives()?;
    conn.silent_on(id, |conn| {
        conn.send(&wndinc(id, 100_000));
        conn.lives()
    })
}

/// A name, the bytes, and what came of it.
type Case = (&'static str, fn(u32) -> Vec<u8>);

fn stuck(row: &'static str, what: &str, cases: &'static [Case]) -> Play {
    let tries = cases
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), move |conn: &mut Conn| over_while_stuck(conn, bytes)));
    Play::each(row, what, SILENT, tries)
}

fn live() -> Vec<Play> {
    let again = |conn: &mut Conn| {
        for n in 0..600 {
            conn.open(conn.id(n), 1);
            conn.echoed(conn.id(n))?;
            conn.send(&rst(conn.id(n), 6));
            if n % 100 == 99 {
                conn.lives_in_the_end()?;
            }
        }
        conn.lives_in_the_end()
    };
    vec![
        stuck("S54", "RST for a live stream, whose echo waits for credit", &[("", |id| rst(id, 6))]),
        Play::new("S54", "600 streams, each echoed and then reset", "every one is taken", again),
        stuck("S55", "RST with code 0", &[("", |id| rst(id, 0))]),
        stuck(
            "S56",
            "RST after FIN",
            &[
                ("one write", |id| [fin(id), rst(id, 6)].concat()),
                ("code 0", |id| [fin(id), rst(id, 0)].concat()),
            ],
        ),
        stuck(
            "S59",
            "RST with an unknown code",
            &[
                ("255", |id| rst(id, 255)),
                ("the highest", |id| rst(id, u32::MAX)),
                ("some number", |id| rst(id, 0x1234_5678)),
            ],
        ),
    ]
}

fn strays() -> Vec<Play> {
    vec![
        Play::harmless(
            "S57",
            "RST for a stream that is over or never seen",
            &[("over", |conn| rst(conn.id(1), 6)), ("never seen", |conn| rst(conn.id(9), 6))],
        ),
        Play::new("S57", "RST for an id never seen, then its SYN", "ignored; then accepted", |conn| {
            conn.send(&rst(conn.id(3), 6));
            conn.over(conn.id(3))?;
            conn.lives()
        }),
        Play::harmless(
            "S58",
            "RST twice",
            &[("", |conn| {
                let id = conn.id(9);
                [crate::wire::syn(id, b""), rst(id, 6), rst(id, 6), rst(id, 4)].concat()
            })],
        ),
        Play::new("S58", "RST that crosses the peer's", SILENT, |conn| {
            conn.dead(conn.id(0))?;
            conn.send(&rst(conn.id(0), 6));
            conn.silent_on(conn.id(0), Conn::lives)
        }),
        Play::new("S60", "RST in answer to each frame that came too late", LIVES, |conn| {
            conn.dead(conn.id(0))?;
            conn.send(&rst(conn.id(0), 4).repeat(20_000));
            conn.silent_on(conn.id(0), Conn::lives)
        }),
    ]
}

fn by_the_peer() -> Vec<Play> {
    vec![
        Play::new("S61", "the peer must reset a stream whose echo waits for credit", SILENT, |conn| {
            let id = conn.id(0);
            conn.stuck(id, 50_000)?;
            let len = conn.book.stream(id).credit().max(256 * 1024) + 1;
            conn.send(&data(id, &vec![0xEE; usize::try_from(len).unwrap_or(usize::MAX)]));
            conn.resets(id, 3)?;
            conn.silent_on(id, |conn| {
                conn.send(&wndinc(id, 100_000));
                conn.lives()
            })
        }),
        Play::new(
            "S62",
            "the peer is made to reset 20 streams, one after the other",
            "RST 3 for each, or 5 or 9 while places are taken; the session lives",
            |conn| {
                for n in 0..20 {
                    let id = conn.id(n);
                    conn.open(id, 0);
                    conn.send(&data(id, &[0xEE; 256 * 1024 + 1]));
                    conn.until("RST", |conn| !conn.book.stream(id).resets.is_empty())?;
                    let code = conn.book.stream(id).resets.first().copied().unwrap_or_default();
                    conn.expected.insert(id, if matches!(code, 5 | 9) { code } else { 3 });
                    conn.quiet()?;
                }
                conn.lives_in_the_end()
            },
        ),
        Play::new(
            "S53",
            "the application lets go of a stream that both sides finished",
            "nothing more on that stream",
            |conn| {
                conn.over(conn.id(0))?;
                conn.silent_on(conn.id(0), |conn| {
                    conn.lives()?;
                    conn.lives()
                })
            },
        ),
    ]
}
