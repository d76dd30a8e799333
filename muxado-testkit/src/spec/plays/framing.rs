//! S01 to S18: frames that are cut, impossible, unknown or oddly flagged.

use super::super::conn::Conn;
use super::super::expect::Outcome;
use super::{LIVES, Play, Which};
use crate::wire::{DATA, FIN, GOAWAY, RST, SYN, WNDINC, data, frame, go_away, header, rst, syn, wndinc};

const CUT: &str = "the transport ends; no FIN for what was cut off";

pub(super) fn plays() -> Vec<Play> {
    let mut plays = cuts();
    plays.extend(unknown());
    plays.extend(flags());
    plays.extend(impossible());
    plays.push(Play::each(
        "S18",
        "many kinds of frames, written in pieces",
        "the same as in one piece",
        [1, 2, 3, 5, 7, 11]
            .map(|size| (format!("{size} at a time"), move |conn: &mut Conn| in_pieces(conn, size))),
    ));
    plays
}

/// One live stream, one that we have finished, then `bytes` and our end.
fn cut_after(conn: &mut Conn, bytes: &[u8]) -> Outcome {
    conn.open(conn.id(0), 5);
    conn.echoed(conn.id(0))?;
    conn.over(conn.id(1))?;
    conn.send(bytes);
    conn.half_close();
    conn.ends_cut(&[conn.id(0)])
}

fn cuts() -> Vec<Play> {
    let after = |len| format!("after {len} bytes");
    let header_cut = (1..8).map(move |len| {
        let run = move |conn: &mut Conn| cut_after(conn, &data(conn.id(0), b"more")[..len]);
        (after(len), run)
    });
    let payload_cut = |flags: u8| {
        (8..12).map(move |len| {
            let run = move |conn: &mut Conn| cut_after(conn, &frame(DATA, flags, conn.id(0), b"more")[..len]);
            (after(len), run)
        })
    };
    let control_cut = [8, 9, 11].into_iter().flat_map(move |len| {
        [RST, WNDINC, GOAWAY].map(move |kind| {
            let run = move |conn: &mut Conn| {
                let id = conn.id(0);
                let whole = [rst(id, 6), frame(DATA, 0, id, b""), wndinc(id, 5), go_away(0, 7, b"text")];
                cut_after(conn, &whole[usize::from(kind)][..len])
            };
            (format!("type {kind} after {len} bytes"), run)
        })
    });
    vec![
        Play::each("S01", "the transport ends inside a header", CUT, header_cut),
        Play::new("S02", "the transport ends between frames", CUT, |conn| cut_after(conn, b"")),
        Play::each("S03", "the transport ends inside the payload of DATA", CUT, payload_cut(0)),
        Play::each("S04", "the transport ends inside the payload of DATA with FIN", CUT, payload_cut(FIN)),
        Play::each("S05", "the transport ends inside RST, WNDINC or GOAWAY", CUT, control_cut),
    ]
}

fn unknown() -> Vec<Play> {
    let sizes = [(1, "1 byte"), (3000, "3000 bytes"), (0xFF_FFFF, "16 MiB")];
    let bodies = sizes.map(|(len, name)| {
        let run = move |conn: &mut Conn| {
            conn.send(&frame(7, 0, conn.id(0), &vec![0xEE; len]));
            conn.lives()
        };
        (name.to_owned(), run)
    });
    vec![
        Play::harmless(
            "S06",
            "every unknown type, without a body",
            &[
                ("stream 0", |_| (4..16).flat_map(|kind| frame(kind, 0, 0, b"")).collect()),
                ("a live stream", |conn| (4..16).flat_map(|kind| frame(kind, 0, conn.id(0), b"")).collect()),
                ("all flags", |conn| (4..16).flat_map(|kind| frame(kind, 15, conn.their(9), b"")).collect()),
                ("never seen", |conn| (4..16).flat_map(|kind| frame(kind, SYN, conn.id(9), b"")).collect()),
            ],
        ),
        Play::each("S07", "an unknown type with a body", LIVES, bodies),
        Play::harmless(
            "S07",
            "an unknown type whose body looks like frames",
            &[("", |conn| {
                let inside = [go_away(0, 1, b""), rst(conn.id(0), 6), syn(conn.id(9), b"x")].concat();
                frame(12, 0, 0, &inside)
            })],
        ),
    ]
}

fn flags() -> Vec<Play> {
    vec![
        Play::new(
            "S08",
            "reserved flags on DATA, with SYN and FIN and without",
            "an echo as without them",
            |conn| {
                let id = conn.id(0);
                conn.send_payload(SYN | 0x4, id, 5);
                conn.send_payload(0x8, id, 5);
                conn.send_payload(FIN | 0xC, id, 5);
                conn.finished(id)?;
                conn.lives()
            },
        ),
        Play::harmless(
            "S09",
            "SYN and FIN flags on RST, WNDINC and GOAWAY",
            &[
                ("WNDINC on a live stream", |conn| {
                    (1..4).flat_map(|flags| frame(WNDINC, flags, conn.id(0), &[0, 0, 0, 1])).collect()
                }),
                ("WNDINC never seen", |conn| {
                    let stray = frame(WNDINC, SYN, conn.id(9), &[0, 0, 0, 1]);
                    [stray, syn(conn.id(9), b""), rst(conn.id(9), 6)].concat()
                }),
                ("RST never seen", |conn| {
                    let stray = frame(RST, SYN | FIN, conn.id(9), &[0, 0, 0, 6]);
                    [stray, syn(conn.id(9), b""), rst(conn.id(9), 6)].concat()
                }),
                ("GOAWAY", |_| frame(GOAWAY, SYN | FIN, 0, &[0xFF; 8])),
            ],
        ),
        Play::new("S09", "an RST with SYN and FIN flags on a live stream", "as any RST", |conn| {
            let id = conn.id(0);
            conn.open(id, 5);
            conn.echoed(id)?;
            conn.send(&frame(RST, SYN | FIN, id, &[0, 0, 0, 6]));
            conn.silent_on(id, Conn::lives)
        }),
    ]
}

fn impossible() -> Vec<Play> {
    const R: u32 = 0x8000_0000;
    vec![
        Play::fatal(
            "S10",
            "SYN with the reserved bit of the id set",
            1,
            &[
                ("empty", |conn| syn(R | conn.id(9), b"")),
                ("with payload", |conn| syn(R | conn.id(9), b"hello")),
                ("with FIN", |conn| frame(DATA, SYN | FIN, R | conn.id(9), b"")),
                ("only the bit", |_| syn(R, b"")),
                ("header alone", |conn| header(DATA, SYN, 5, R | conn.id(9)).to_vec()),
            ],
        ),
        Play::fatal(
            "S11",
            "any other frame with the reserved bit set",
            1,
            &[
                ("DATA", |conn| data(R | conn.id(0), b"hello")),
                ("empty FIN", |conn| frame(DATA, FIN, R | conn.id(0), b"")),
                ("RST", |conn| rst(R | conn.id(0), 6)),
                ("WNDINC", |conn| wndinc(R | conn.id(0), 5)),
                ("GOAWAY", |_| frame(GOAWAY, 0, R, &[0; 8])),
            ],
        ),
        Play::fatal(
            "S12",
            "DATA on stream 0",
            1,
            &[
                ("with payload", |_| data(0, b"hello")),
                ("empty", |_| data(0, b"")),
                ("SYN", |_| syn(0, b"hello")),
                ("FIN", |_| frame(DATA, FIN, 0, b"")),
                ("header alone", |_| header(DATA, 0, 5, 0).to_vec()),
            ],
        ),
        Play::fatal(
            "S13",
            "RST or WNDINC on stream 0",
            1,
            &[("RST", |_| rst(0, 6)), ("WNDINC", |_| wndinc(0, 1))],
        ),
        Play::fatal(
            "S14",
            "GOAWAY on a stream",
            1,
            &[
                ("live", |conn| frame(GOAWAY, 0, conn.id(0), &[0; 8])),
                ("never seen", |conn| frame(GOAWAY, 0, conn.id(9), &[0; 20])),
                ("the peer's", |conn| frame(GOAWAY, 0, conn.their(9), &[0; 8])),
            ],
        ),
        lengths("S15", "RST whose length is not 4, its header alone", RST, &[0, 1, 3, 5, 8, 0xFF_FFFF]),
        lengths("S16", "WNDINC whose length is not 4, its header alone", WNDINC, &[0, 1, 3, 5, 8, 0xFF_FFFF]),
        lengths("S17", "GOAWAY whose length is under 8, its header alone", GOAWAY, &[0, 1, 4, 7]),
    ]
}

/// A header with a length that is impossible for its type, on three streams.
fn lengths(row: &'static str, what: &str, kind: u8, lengths: &'static [u32]) -> Play {
    let streams: [Which; 3] =
        [("a live stream", |conn| conn.id(0)), ("stream 0", |_| 0), ("never seen", |conn| conn.id(9))];
    let tries = lengths.iter().flat_map(move |&length| {
        streams.map(|(name, id)| {
            let run = move |conn: &mut Conn| {
                conn.open(conn.id(0), 5);
                conn.echoed(conn.id(0))?;
                conn.send(&header(kind, 0, length, id(conn)));
                conn.session_error(8)
            };
            (format!("length {length} on {name}"), run)
        })
    });
    Play::each(row, what, "GOAWAY 8 as the last frame, then the end", tries)
}

fn in_pieces(conn: &mut Conn, size: usize) -> Outcome {
    let [a, b] = [conn.id(0), conn.id(1)];
    let mut bytes = Vec::new();
    let parts = [
        (SYN, a, 10, frame(6, 0xF, b, b"what?")),
        (0, a, 20, wndinc(a, 70_000)),
        (SYN, b, 0, rst(conn.id(7), 9)),
        (0x4, b, 30, data(a, b"")),
        (FIN, b, 40, wndinc(b, 1)),
        (FIN, a, 0, frame(15, 0, 0, &[0; 50])),
    ];
    for (flags, id, len, next) in parts {
        bytes.extend(conn.payload(flags, id, len));
        conn.book.sends(&next);
        bytes.extend(next);
    }
    for piece in bytes.chunks(size) {
        conn.put(piece);
    }
    conn.finished(a)?;
    conn.finished(b)?;
    conn.lives()
}
