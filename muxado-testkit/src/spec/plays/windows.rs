//! S63 to S71: credit that is impossible, huge, tiny or late.

use super::super::book::WINDOW;
use super::super::conn::Conn;
use super::super::expect::Outcome;
use super::{Play, Which};
use crate::wire::{fin, rst, wndinc};

/// A window, as a number of bytes in memory.
const FULL: usize = WINDOW as usize;

pub(super) fn plays() -> Vec<Play> {
    let mut plays = impossible();
    plays.extend(given());
    plays.extend(ones());
    plays.extend(returned());
    plays
}

fn impossible() -> Vec<Play> {
    let streams: [Which; 3] = [
        ("a live stream", |conn| conn.id(0)),
        ("one that is over", |conn| conn.id(1)),
        ("one never seen", |conn| conn.id(9)),
    ];
    let increments = [0, 0x8000_0000];
    let tries = increments.into_iter().flat_map(move |increment| {
        streams.map(|(name, id)| {
            let run = move |conn: &mut Conn| {
                conn.open(conn.id(0), 5);
                conn.echoed(conn.id(0))?;
                conn.over(conn.id(1))?;
                conn.send(&wndinc(id(conn), increment));
                conn.session_error(1)
            };
            (format!("{increment:#x} for {name}"), run)
        })
    });
    vec![
        Play::each("S63", "WNDINC whose 31 bits are 0", "GOAWAY 1 as the last frame, then the end", tries),
        Play::harmless(
            "S63",
            "WNDINC with its top bit set and others too",
            &[
                ("a live stream", |conn| wndinc(conn.id(0), 0x8000_0001)),
                ("over", |conn| wndinc(conn.id(1), u32::MAX)),
            ],
        ),
    ]
}

fn given() -> Vec<Play> {
    let sums = [("31 bits", 2), ("32 bits", 3), ("40 bits", 600)];
    vec![
        Play::each(
            "S64",
            "WNDINCs that add up beyond a counter, then an echo of 1 MiB without further credit",
            "no error; all of it comes back",
            sums.map(|(name, times)| {
                let run = move |conn: &mut Conn| {
                    let id = conn.id(0);
                    conn.hold(id);
                    conn.open(id, 1);
                    conn.send(&wndinc(id, 0x7FFF_FFFF).repeat(times));
                    conn.bulk(id, 4 * FULL)?;
                    conn.fin(id);
                    conn.finished(id)?;
                    conn.lives()
                };
                (name.to_owned(), run)
            }),
        ),
        Play::new(
            "S65",
            "1 MiB of credit for a new stream, beyond the initial window",
            "honoured: 1.25 MiB come back without further credit",
            |conn| {
                let id = conn.id(0);
                conn.hold(id);
                conn.open(id, 0);
                conn.send(&wndinc(id, 1024 * 1024));
                conn.bulk(id, 5 * FULL)?;
                conn.echoed(id)?;
                conn.fin(id);
                conn.finished(id)?;
                conn.lives()
            },
        ),
        Play::harmless(
            "S66",
            "WNDINC for a stream that is over or never seen",
            &[
                ("over", |conn| wndinc(conn.id(1), 5)),
                ("reset", |conn| {
                    let id = conn.id(9);
                    [crate::wire::syn(id, b""), rst(id, 6), wndinc(id, 5)].concat()
                }),
                ("never seen", |conn| wndinc(conn.id(9), 5)),
            ],
        ),
        Play::new("S67", "WNDINC after the peer's FIN", "ignored", |conn| {
            let id = conn.id(0);
            conn.stuck(id, 50_000)?;
            conn.send(&fin(id));
            conn.release(id);
            conn.finished(id)?;
            conn.silent_on(id, |conn| {
                conn.send(&wndinc(id, 50_000).repeat(2));
                conn.lives()
            })
        }),
    ]
}

fn ones() -> Vec<Play> {
    vec![
        Play::new(
            "S68",
            "WNDINC of 1, once for each byte of a window that came",
            "no error; as much again comes back",
            |conn| {
                let id = conn.id(0);
                conn.hold(id);
                conn.open(id, 0);
                conn.bulk(id, FULL)?;
                conn.echoed(id)?;
                for _ in 0..64 {
                    conn.send(&wndinc(id, 1).repeat(FULL / 64));
                }
                conn.bulk(id, FULL)?;
                conn.fin(id);
                conn.finished(id)?;
                conn.lives()
            },
        ),
        Play::new(
            "S68",
            "WNDINC of 1, 300 000 times for nothing",
            "GOAWAY 10 at some point, then the end",
            |conn| {
                conn.open(conn.id(0), 5);
                conn.echoed(conn.id(0))?;
                conn.flood(150, |conn, _| wndinc(conn.id(0), 1).repeat(2000));
                conn.session_error(10)
            },
        ),
    ]
}

fn returned() -> Vec<Play> {
    let all_back = |conn: &mut Conn, id| -> Outcome {
        conn.until("return of all credit", move |conn| {
            let stream = conn.book.stream(id);
            // Credit beyond the window may have been taken back by not returning as much.
            stream.came == stream.to_echo && stream.credit() >= FULL as u64
        })?;
        let stream = conn.book.stream(id);
        if stream.returned <= stream.to_echo {
            return Ok(());
        }
        conn.differs(format!("{} returned for {}", stream.returned, stream.to_echo))
    };
    vec![
        Play::each(
            "S69",
            "some bytes, all of them read, and no more",
            "all credit comes back",
            [1, 1000, FULL / 2 - 1, FULL / 2, FULL].map(|len| {
                let run = move |conn: &mut Conn| {
                    conn.open(conn.id(0), len);
                    all_back(conn, conn.id(0))?;
                    conn.lives()
                };
                (format!("{len} bytes"), run)
            }),
        ),
        Play::new(
            "S70",
            "a sender that believes in a window of 1000 and waits for credit",
            "no deadlock: credit comes back each time",
            move |conn| {
                conn.open(conn.id(0), 0);
                for _ in 0..5 {
                    conn.data(conn.id(0), 1000);
                    all_back(conn, conn.id(0))?;
                }
                conn.lives()
            },
        ),
        Play::new(
            "W06",
            "3 MiB through one stream, each byte sent on credit that came back",
            "all of it comes back, and all credit",
            move |conn| {
                conn.open(conn.id(0), 0);
                conn.bulk(conn.id(0), 12 * FULL)?;
                all_back(conn, conn.id(0))?;
                conn.fin(conn.id(0));
                conn.finished(conn.id(0))
            },
        ),
    ]
}
