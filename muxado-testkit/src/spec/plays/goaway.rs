//! S32 and S72 to S83: announcements of the end, and the end.

use super::super::conn::{Conn, End};
use super::super::expect::Outcome;
use super::{Bytes, Play};
use crate::wire::{GOAWAY, SYN, data, go_away, header, syn_fin};

/// No limit to the streams that were handled.
const ALL: u32 = 0x7FFF_FFFF;

pub(super) fn plays() -> Vec<Play> {
    let mut plays = received();
    plays.push(syn_after_ours());
    plays.extend(misunderstood());
    plays.extend(ours_to_provoke());
    plays
}

fn received() -> Vec<Play> {
    let codes = [0, 1, 10, u32::MAX];
    vec![
        Play::harmless(
            "S72",
            "frames after a correct GOAWAY",
            &[
                ("without text", |_| go_away(ALL, 0, b"")),
                ("with text", |_| go_away(ALL, 0, b"goodbye, and thank you")),
            ],
        ),
        Play::harmless(
            "S74",
            "a second GOAWAY with a lower last stream id",
            &[("", |_| [go_away(100, 0, b"one"), go_away(2, 1, b"two")].concat())],
        ),
        Play::harmless(
            "S75",
            "a second GOAWAY with a higher last stream id",
            &[("", |_| [go_away(2, 0, b"one"), go_away(100, 1, b"two")].concat())],
        ),
        Play::harmless(
            "S76",
            "GOAWAY with 16 MiB of text",
            &[("", |_| go_away(ALL, 0, &vec![b'x'; 0xFF_FFF7]))],
        ),
        Play::harmless(
            "S77",
            "last stream ids that are odd in some way",
            &[
                ("0", |_| go_away(0, 0, b"")),
                ("1", |_| go_away(1, 0, b"")),
                ("of our own parity", |conn| go_away(conn.id(0), 0, b"")),
                ("only the top bit", |_| go_away(0x8000_0000, 0, b"")),
                ("all bits", |_| go_away(u32::MAX, 0, b"")),
            ],
        ),
        Play::each(
            "S78",
            "GOAWAY with an error code while streams are live",
            "they go on",
            codes.map(|code| (format!("code {code}"), move |conn: &mut Conn| goes_on(conn, code))),
        ),
        Play::new(
            "S79",
            "1 MiB on a stream below the last stream id, after GOAWAY",
            "it comes back",
            |conn| {
                let id = conn.id(0);
                conn.open(id, 5);
                conn.send(&go_away(ALL, 0, b"bye"));
                conn.bulk(id, 1024 * 1024)?;
                conn.fin(id);
                conn.finished(id)
            },
        ),
    ]
}

fn syn_after_ours() -> Play {
    Play::each(
        "S32",
        "SYN after our GOAWAY",
        "accepted",
        [("the same write", true), ("another write", false)].map(|(name, together)| {
            let run = move |conn: &mut Conn| {
                let goaway = go_away(0, 0, b"going");
                conn.book.sends(&goaway);
                let id = conn.id(0);
                let stream = conn.payload(SYN, id, 5);
                if together {
                    conn.put(&[goaway, stream].concat());
                } else {
                    conn.put(&goaway);
                    conn.put(&stream);
                }
                conn.fin(id);
                conn.finished(id)?;
                conn.lives()
            };
            (name.to_owned(), run)
        }),
    )
}

fn goes_on(conn: &mut Conn, code: u32) -> Outcome {
    let id = conn.id(0);
    conn.stuck(id, 50_000)?;
    conn.send(&go_away(ALL, code, b"trouble"));
    conn.lives()?;
    conn.release(id);
    conn.fin(id);
    conn.finished(id)
}

fn misunderstood() -> Vec<Play> {
    // Eight bytes of these stray behind the frame: the fourth of them holds a type.
    let texts: [(&str, &[u8]); 4] = [
        ("an unknown type", b"nineteen bytes long"),
        ("WNDINC", b"your peer broke the rules"),
        ("GOAWAY", b"error number 1234567 here"),
        ("no text left", b"exactly8"),
    ];
    let tries = texts.map(|(name, text)| {
        let run = move |conn: &mut Conn| {
            conn.open(conn.id(0), 5);
            conn.echoed(conn.id(0))?;
            let length = u32::try_from(text.len()).unwrap_or_default();
            conn.send(&[&header(GOAWAY, 0, length, 0)[..], &[0; 4], &[0, 0, 0, 2], text].concat());
            ends_without_blame(conn)
        };
        (format!("which look like {name}"), run)
    });
    let cut = |conn: &mut Conn| {
        conn.open(conn.id(0), 5);
        conn.echoed(conn.id(0))?;
        conn.send(&[&go_away(ALL, 2, b"bye")[..], &[0, 0, 5]].concat());
        conn.half_close();
        ends_without_blame(conn)
    };
    vec![
        Play::each("S73", "GOAWAY whose length leaves out 8 bytes, which follow", NO_BLAME, tries),
        Play::new("S73", "the transport ends inside a frame, after GOAWAY", NO_BLAME, cut),
    ]
}

const NO_BLAME: &str = "the transport ends; no GOAWAY with an error of its own";

fn ends_without_blame(conn: &mut Conn) -> Outcome {
    conn.ends_cut(&[conn.id(0)])?;
    match conn.book.goaway {
        Some(goaway) if !matches!(goaway.code, 0 | 2) => conn.differs("GOAWAY with an error of its own"),
        _ => Ok(()),
    }
}

fn ours_to_provoke() -> Vec<Play> {
    const EXPECTED: &str = "GOAWAY with all its bytes, then a clean end, no connection reset";
    let junk: Bytes = |conn| {
        let junk = data(conn.id(0), &[0xEE; 1000]);
        [data(0, b"wrong"), junk.repeat(60)].concat()
    };
    let in_flight = move |conn: &mut Conn| {
        conn.open(conn.id(0), 5);
        conn.echoed(conn.id(0))?;
        conn.send(&junk(conn));
        conn.session_error(1)?;
        clean_end(conn)
    };
    vec![
        Play::new("S80", "the peer must end the session", EXPECTED, |conn| {
            conn.send(&data(0, b"wrong"));
            conn.session_error(1)?;
            clean_end(conn)
        }),
        Play::new(
            "S80",
            "the same, after two streams that it accepted and one that never was",
            "GOAWAY with the higher id of the two as last id",
            |conn| {
                conn.over(conn.id(3))?;
                conn.open(conn.id(1), 5);
                conn.echoed(conn.id(1))?;
                conn.dead(conn.id(7))?;
                conn.send(&data(0, b"wrong"));
                conn.session_error(1)?;
                let last = conn.book.goaway.map_or(0, |goaway| goaway.last);
                if last == conn.id(3) { Ok(()) } else { conn.differs(format!("{last} as last id")) }
            },
        ),
        Play::new("S80", "the same, before any stream", "GOAWAY with 0 as last id", |conn| {
            conn.send(&data(0, b"wrong"));
            conn.session_error(1)?;
            let last = conn.book.goaway.map_or(0, |goaway| goaway.last);
            if last == 0 { Ok(()) } else { conn.differs(format!("{last} as last id")) }
        }),
        Play::new("S81", "the peer must end the session, with 60 KiB under way to it", EXPECTED, in_flight),
        Play::new("W17", "the same, for the half-close and the lingering", EXPECTED, in_flight),
        Play::new("S83", "SYN and FIN with payload, then the end of our direction", CLEAN, |conn| {
            conn.send(&syn_fin(conn.id(0), b""));
            conn.until("FIN", |conn| conn.book.stream(conn.id(0)).fin)?;
            conn.half_close();
            conn.ends_cut(&[])
        }),
    ]
}

const CLEAN: &str = "the transport ends";

fn clean_end(conn: &mut Conn) -> Outcome {
    match conn.end {
        Some(End::Clean) => Ok(()),
        _ => conn.differs("no clean end"),
    }
}
