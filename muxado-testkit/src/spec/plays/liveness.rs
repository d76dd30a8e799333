//! S84 to S94: nobody reads, nobody gives credit, and everything must go on.

use super::super::conn::Conn;
use super::super::expect::{Miss, Outcome};
use super::Play;
use crate::wire::{data, rst};

/// A window in bytes.
const FULL: usize = 256 * 1024;

/// Streams with a full window each: more than the sockets of both ends can hold.
const STREAMS: u32 = 96;

pub(super) fn plays() -> Vec<Play> {
    let mut plays = vec![
        Play::new(
            "S84",
            "we read nothing while a full window goes out on each of 96 streams",
            "the peer reads all of it; then it comes back",
            |conn| unread(conn, STREAMS),
        )
        .deaf(),
        Play::new(
            "S85",
            "we read nothing while 14 000 frames ask for an RST each",
            "GOAWAY 10 as the last frame, then the end",
            provoke,
        )
        .deaf(),
        Play::new(
            "S39",
            "DATA for an id never seen, another one each time",
            "RST 4 for each, GOAWAY 10 at some point, then the end",
            |conn| {
                conn.flood(300, |conn, n| {
                    (0..500).flat_map(|more| data(conn.id(n * 500 + more), b"x")).collect()
                });
                conn.wait(|conn| conn.end.is_some());
                expect_stray_resets(conn)?;
                conn.session_error(10)
            },
        ),
    ];
    plays.extend(uncredited());
    plays
}

fn uncredited() -> Vec<Play> {
    vec![
        Play::new(
            "S86",
            "one stream gets no credit and its window is full",
            "it alone waits: 1 MiB on another comes back, then the rest of it",
            |conn| {
                let (slow, fast) = (conn.id(0), conn.id(1));
                conn.stuck(slow, FULL)?;
                conn.open(fast, 0);
                conn.bulk(fast, 4 * FULL)?;
                conn.fin(fast);
                conn.finished(fast)?;
                conn.release(slow);
                conn.fin(slow);
                conn.finished(slow)?;
                conn.lives()
            },
        ),
        Play::new(
            "S87",
            "40 streams never get credit, then they are reset",
            "others work meanwhile, and the session lives",
            |conn| {
                let ids: Vec<u32> = (0..40).map(|n| conn.id(n)).collect();
                for id in &ids {
                    conn.stuck(*id, 1000)?;
                    conn.lives()?;
                }
                for id in ids {
                    conn.send(&rst(id, 6));
                }
                conn.lives()
            },
        ),
        Play::new(
            "S92",
            "32 streams each way with full windows and no credit, then credit for all",
            "no deadlock: everything comes back",
            |conn| {
                let ids: Vec<u32> = (0..32).map(|n| conn.id(n)).collect();
                for id in &ids {
                    conn.stuck(*id, FULL)?;
                    conn.fin(*id);
                }
                for id in &ids {
                    conn.release(*id);
                }
                for id in ids {
                    conn.finished(id)?;
                }
                conn.lives()
            },
        ),
    ]
}

fn unread(conn: &mut Conn, streams: u32) -> Outcome {
    let ids: Vec<u32> = (0..streams).map(|n| conn.id(n)).collect();
    for id in &ids {
        conn.open(*id, FULL);
    }
    if conn.unwritable.is_some() {
        return conn.differs("it does not read while nobody reads from it");
    }
    hear(conn)?;
    for id in &ids {
        conn.fin(*id);
    }
    for id in ids {
        conn.finished(id)?;
    }
    conn.lives()
}

fn provoke(conn: &mut Conn) -> Outcome {
    for n in 0..28 {
        let piece: Vec<u8> = (0..500).flat_map(|more| data(conn.id(n * 500 + more), b"x")).collect();
        conn.send(&piece);
    }
    hear(conn)?;
    conn.wait(|conn| conn.end.is_some());
    expect_stray_resets(conn)?;
    conn.session_error(10)
}

/// Every RST is one that says that the stream is not there.
fn expect_stray_resets(conn: &mut Conn) -> Outcome {
    let resets: Vec<(u32, u32)> =
        conn.book.resets().map(|(id, codes)| (id, codes.first().copied().unwrap_or_default())).collect();
    for (id, code) in resets {
        if code != 4 {
            return conn.differs(format!("RST of stream {id} with code {code}"));
        }
        conn.expected.insert(id, 4);
    }
    Ok(())
}

/// Begins to read.
fn hear(conn: &mut Conn) -> Outcome {
    conn.listen().map_err(|error| Miss::Untestable(format!("cannot read: {error}")))
}
