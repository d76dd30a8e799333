//! S39 to S53: payload that is stray, late, too much or nothing at all.

use super::super::book::WINDOW;
use super::super::conn::Conn;
use super::super::expect::Outcome;
use super::{LIVES, Play};
use crate::wire::{DATA, FIN, SYN, data, fin, frame, header, rst, wndinc};

/// A window, as a number of bytes in memory.
const FULL: usize = WINDOW as usize;

pub(super) fn plays() -> Vec<Play> {
    let mut plays = stray();
    plays.extend(too_much());
    plays.extend(after_fin());
    plays.extend(nothing());
    plays
}

fn stray() -> Vec<Play> {
    let never_seen =
        [("with payload", 0, 5), ("empty", 0, 0), ("with FIN", FIN, 5), ("a full window", 0, FULL)];
    vec![
        Play::each(
            "S39",
            "DATA for an id never seen",
            "RST 4 once; the session lives",
            never_seen.map(|(name, flags, len)| {
                let run = move |conn: &mut Conn| {
                    let id = conn.id(9);
                    conn.send(&frame(DATA, flags, id, &vec![0xEE; len]));
                    conn.resets(id, 4)?;
                    conn.silent_on(id, Conn::lives)
                };
                (name.to_owned(), run)
            }),
        ),
        Play::harmless(
            "S40",
            "empty DATA with FIN for a stream that is over or never seen",
            &[
                ("over", |conn| fin(conn.id(1)).repeat(2)),
                ("never seen", |conn| [fin(conn.id(9)), fin(conn.id(8))].concat()),
            ],
        ),
        Play::fatal(
            "S41",
            "a frame for an id of the peer's that it never opened",
            1,
            &[
                ("DATA", |conn| data(conn.their(500), b"hello")),
                ("empty DATA", |conn| data(conn.their(500), b"")),
                ("empty FIN", |conn| fin(conn.their(500))),
                ("RST", |conn| rst(conn.their(500), 6)),
                ("WNDINC", |conn| wndinc(conn.their(500), 1)),
            ],
        ),
        Play::new("S42", "DATA for a stream it reset, within the credit left", LIVES, |conn| {
            conn.dead(conn.id(0))?;
            // The stray five bytes are used up.
            conn.send(&data(conn.id(0), &[0xEE; 1000]));
            conn.send(&frame(DATA, FIN, conn.id(0), &vec![0xEE; FULL - 1005]));
            conn.silent_on(conn.id(0), Conn::lives)
        }),
        Play::new("S43", "the same, beyond that credit", LIVES, |conn| {
            conn.dead(conn.id(0))?;
            for len in [FULL, FULL, 1, 0xFF_FFFF] {
                conn.send(&data(conn.id(0), &vec![0xEE; len]));
            }
            conn.silent_on(conn.id(0), Conn::lives)
        }),
        Play::new(
            "S44",
            "DATA with payload for a stream that both sides finished",
            "RST 4 once, then it is skipped; the session lives",
            |conn| {
                conn.over(conn.id(0))?;
                conn.send(&data(conn.id(0), b"late"));
                conn.resets(conn.id(0), 4)?;
                conn.send(&data(conn.id(0), b"later"));
                conn.silent_on(conn.id(0), Conn::lives)
            },
        ),
    ]
}

/// DATA of `len` more bytes than stream 0 has credit for; `whole`, or no more than its header before the answer.
fn overrun(conn: &mut Conn, flags: u8, beyond: usize, whole: bool) -> Outcome {
    let id = conn.id(0);
    conn.open(id, 5);
    conn.echoed(id)?;
    // Credit never comes back for more than was sent, so this is too much whatever was read.
    let len = usize::try_from(conn.book.stream(id).credit()).unwrap_or(FULL).max(FULL) + beyond;
    conn.send(&header(DATA, flags, len as u32, id));
    if !whole {
        conn.resets(id, 3)?;
    }
    conn.send(&vec![0xEE; len]);
    conn.resets(id, 3)?;
    conn.silent_on(id, Conn::lives)
}

fn too_much() -> Vec<Play> {
    const EXPECTED: &str = "RST 3 once, nothing of the frame delivered; the session lives";
    let by_one = [("without FIN", 0, true), ("with FIN", FIN, true), ("header alone", 0, false)];
    vec![
        Play::each(
            "S45",
            "DATA that exceeds the window by one byte",
            EXPECTED,
            by_one.map(|(name, flags, whole)| {
                (name.to_owned(), move |conn: &mut Conn| overrun(conn, flags, 1, whole))
            }),
        ),
        Play::new(
            "S45",
            "the first DATA behind an empty SYN exceeds the window by one byte",
            EXPECTED,
            |conn| {
                let id = conn.id(0);
                conn.open(id, 0);
                conn.send(&data(id, &vec![0xEE; FULL + 1]));
                conn.resets(id, 3)?;
                conn.silent_on(id, Conn::lives)
            },
        ),
        Play::new(
            "S46",
            "DATA of 16 MiB for a small window",
            "RST 3 on the header; the session lives",
            |conn| overrun(conn, 0, 0xFF_FFFF - FULL, false),
        ),
    ]
}

fn after_fin() -> Vec<Play> {
    let late =
        [("while its echo waits for credit", 1), ("at once", 0)].into_iter().flat_map(|(when, stuck)| {
            [("", 0), (" with FIN", FIN)].map(move |(with, flags)| {
                let run = move |conn: &mut Conn| {
                    let id = conn.id(0);
                    if stuck == 1 {
                        conn.stuck(id, 50_000)?;
                    } else {
                        conn.open(id, 5);
                    }
                    conn.send(&[fin(id), frame(DATA, flags, id, b"late")].concat());
                    conn.resets(id, 4)?;
                    conn.silent_on(id, |conn| {
                        conn.send(&[data(id, b"later"), wndinc(id, 100_000)].concat());
                        conn.lives()
                    })
                };
                (format!("{when}{with}"), run)
            })
        });
    vec![
        Play::each("S47", "DATA with payload after FIN", "RST 4 once, then nothing; the session lives", late),
        Play::new("S48", "a second FIN, empty", "ignored: the echo and its end come", |conn| {
            let id = conn.id(0);
            conn.stuck(id, 50_000)?;
            conn.send(&fin(id).repeat(3));
            conn.lives()?;
            conn.release(id);
            conn.finished(id)?;
            conn.lives()
        }),
    ]
}

fn nothing() -> Vec<Play> {
    vec![
        Play::harmless(
            "S49",
            "empty DATA without FIN",
            &[
                ("once", |conn| data(conn.id(0), b"")),
                ("1000 times", |conn| data(conn.id(0), b"").repeat(1000)),
            ],
        ),
        Play::new(
            "S50",
            "empty DATA without FIN, 300 000 times",
            "GOAWAY 10 at some point, then the end",
            |conn| {
                conn.open(conn.id(0), 5);
                conn.echoed(conn.id(0))?;
                conn.flood(150, |conn, _| data(conn.id(0), b"").repeat(2000));
                conn.session_error(10)
            },
        ),
        Play::new("S51", "a full window in frames of one byte", "all of it comes back", |conn| {
            let id = conn.id(0);
            let mut bytes = conn.payload(SYN, id, 1);
            for _ in 1..FULL {
                bytes.extend(conn.payload(0, id, 1));
            }
            conn.put(&bytes);
            conn.fin(id);
            conn.finished(id)?;
            conn.lives()
        }),
    ]
}
