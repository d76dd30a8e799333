//! S19 to S38: how streams begin, and how many there may be.

use super::super::conn::Conn;
use super::super::expect::{Miss, Outcome};
use super::{LIVES, Play};
use crate::wire::{DATA, FIN, SYN, data, frame, header, rst, syn, syn_fin, wndinc};

const WINDOW: usize = 256 * 1024;

/// More streams at once than any known peer takes.
const MANY: u32 = 1100;

pub(super) fn plays() -> Vec<Play> {
    let mut plays = begins();
    plays.extend(repeated());
    plays.extend(limits());
    plays.extend(out_of_order());
    plays
}

fn begins() -> Vec<Play> {
    let sizes = [0, 1, 5, 16 * 1024, WINDOW];
    let opened = |flags: u8| {
        sizes.map(move |len| {
            let run = move |conn: &mut Conn| {
                let id = conn.id(0);
                conn.send_payload(SYN | flags, id, len);
                if flags == 0 {
                    conn.echoed(id)?;
                    conn.data(id, 3);
                    conn.fin(id);
                }
                conn.finished(id)?;
                conn.lives()
            };
            (format!("{len} bytes"), run)
        })
    };
    let beyond = [(WINDOW + 1, "by one"), (0xFF_FFFF, "16 MiB")].map(|(len, name)| {
        let run = move |conn: &mut Conn| {
            let id = conn.id(0);
            conn.send(&header(DATA, SYN, len as u32, id));
            conn.resets(id, 3)?;
            conn.send(&vec![0xEE; len]);
            conn.silent_on(id, Conn::lives)
        };
        (name.to_owned(), run)
    });
    let [empty, full @ ..] = opened(FIN);
    vec![
        Play::each(
            "S19",
            "SYN with payload up to the whole window",
            "its echo, and that of what follows",
            opened(0),
        ),
        Play::each("S20", "SYN and FIN in one empty frame", "FIN, nothing else", [empty]),
        Play::each("S22", "SYN and FIN in one frame with payload", "its echo, then FIN", full),
        Play::each(
            "S21",
            "SYN with more payload than the window",
            "RST 3 on the header; no stream; the session lives",
            beyond,
        ),
    ]
}

fn repeated() -> Vec<Play> {
    vec![
        Play::fatal(
            "S23",
            "SYN for a live id",
            1,
            &[
                ("empty", |conn| syn(conn.id(0), b"")),
                ("with payload", |conn| syn(conn.id(0), b"again")),
                ("with FIN", |conn| syn_fin(conn.id(0), b"")),
            ],
        ),
        Play::new(
            "S24",
            "SYN for an id that the peer has reset",
            "RST 4 each time; the session lives",
            |conn| {
                let id = conn.id(3);
                conn.dead(id)?;
                for payload in [&b""[..], b"again"] {
                    conn.send(&syn(id, payload));
                    conn.resets(id, 4)?;
                }
                conn.silent_on(id, Conn::lives)
            },
        ),
        Play::new("S26", "SYN for an id whose stream ended cleanly", "accepted as a new stream", |conn| {
            for len in [5, 9, 0] {
                conn.open(conn.id(0), len);
                conn.fin(conn.id(0));
                conn.finished(conn.id(0))?;
            }
            conn.lives()
        }),
        Play::fatal(
            "S27",
            "SYN with the wrong parity",
            1,
            &[
                ("empty", |conn| syn(conn.their(500), b"")),
                ("with payload", |conn| syn(conn.their(500), b"hello")),
                ("with FIN", |conn| syn_fin(conn.their(500), b"")),
                ("the highest", |conn| syn(conn.highest() ^ 1, b"")),
            ],
        ),
        Play::new(
            "S28",
            "SYN for a live id of the peer's",
            "GOAWAY 1 as the last frame, then the end",
            |conn| {
                if !conn.peer_opens {
                    return Err(Miss::Untestable("needs --peer-opens".into()));
                }
                conn.until("stream of the peer's", |conn| conn.book.first_of_peer().is_some())?;
                let id = conn.book.first_of_peer().unwrap_or_default();
                conn.send(&syn(id, b""));
                conn.session_error(1)
            },
        ),
    ]
}

fn limits() -> Vec<Play> {
    vec![
        Play::new(
            "S30",
            format!("{MANY} streams at once"),
            "those beyond the limit are refused 5 or 9, once each; all others work; the session lives",
            limit,
        ),
        Play::new("S33", "SYN, then RST at once, 200 times", LIVES, |conn| {
            let mut burst = Vec::new();
            for id in (0..200).map(|n| conn.id(n)).collect::<Vec<_>>() {
                burst.extend([conn.payload(SYN, id, 5), rst(id, 6)].concat());
            }
            conn.put(&burst);
            conn.lives()
        }),
        Play::new(
            "S34",
            "the first SYN has the highest possible id",
            "accepted, and lower ids after it",
            |conn| {
                for id in [conn.highest(), conn.id(0), conn.highest() - 2] {
                    conn.over(id)?;
                }
                conn.lives()
            },
        ),
    ]
}

fn limit(conn: &mut Conn) -> Outcome {
    for n in 0..MANY {
        conn.open(conn.id(n), 1);
    }
    let answered = |conn: &Conn, n| {
        let stream = conn.book.stream(conn.id(n));
        stream.came == 1 || !stream.resets.is_empty()
    };
    conn.until("an answer to every SYN", move |conn| (0..MANY).all(|n| answered(conn, n)))?;
    let (mut refused, mut taken) = (0, Vec::new());
    for id in (0..MANY).map(|n| conn.id(n)).collect::<Vec<_>>() {
        match conn.book.stream(id).resets[..] {
            [code @ (5 | 9)] => {
                refused += 1;
                conn.expected.insert(id, code);
            }
            _ => taken.push(id),
        }
    }
    for id in taken {
        conn.data(id, 2);
        conn.fin(id);
        conn.finished(id)?;
    }
    conn.lives_in_the_end()?;
    if refused == 0 {
        return Err(Miss::Untestable(format!("it took {MANY} streams at once")));
    }
    Ok(())
}

fn out_of_order() -> Vec<Play> {
    vec![
        Play::new("S25", "SYN for unused ids below one already seen", "accepted", |conn| {
            for n in [10, 2, 5, 0] {
                conn.open(conn.id(n), 5);
            }
            for n in [0, 2, 5, 10] {
                conn.fin(conn.id(n));
                conn.finished(conn.id(n))?;
            }
            conn.lives()
        }),
        Play::new(
            "S36",
            "an empty FIN for an id that had no SYN, then its SYN",
            "ignored; then accepted",
            |conn| {
                conn.fin(conn.id(3));
                conn.lives()?;
                conn.over(conn.id(3))?;
                conn.lives()
            },
        ),
        Play::new("S37", "DATA for an id whose SYN was lost", "RST 4 once; the session lives", |conn| {
            conn.dead(conn.id(0))?;
            conn.send(&data(conn.id(0), b"more"));
            conn.send(&wndinc(conn.id(0), 5));
            conn.silent_on(conn.id(0), Conn::lives)
        }),
        Play::new("S38", "DATA that overtook its SYN", "RST 4 for both; the session lives", |conn| {
            let id = conn.id(0);
            conn.dead(id)?;
            conn.send(&frame(DATA, SYN, id, b"late"));
            conn.resets(id, 4)?;
            conn.silent_on(id, Conn::lives)
        }),
    ]
}
