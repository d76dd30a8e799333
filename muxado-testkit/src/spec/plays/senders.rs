//! The rules W that a play must provoke. The others are judged on every frame of every session.

use super::super::conn::Conn;
use super::super::expect::Miss;
use super::Play;
use crate::wire::FIN;

/// The rules judged on what comes, whatever is played: the rule, and what it demands.
pub(in super::super) const JUDGED: &[(&str, &str)] = &[
    ("W01", "ids from 3 or 2, by 2, with SYN on the first DATA and nowhere else"),
    ("W02", "SYN and FIN never in one frame"),
    ("W03", "flags on DATA only, reserved flags never"),
    ("W04", "types 0 to 3, with a length, stream id and increment that are legal"),
    ("W05", "no more credit than was sent, extra credit apart"),
    ("W07", "DATA within the frame size and within credit"),
    ("W08", "the text of GOAWAY has 256 bytes at most, and is whole UTF-8"),
    ("W09", "RST with the codes of protocol 3.3, never 0"),
    ("W10", "one RST for an id; nothing behind it; no DATA behind FIN"),
    ("W12", "nothing behind the final GOAWAY"),
    ("W14", "no empty DATA without a flag"),
    ("W16", "256 streams of the peer's open at once at most"),
];

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("W01", "the peer opens a stream", "its first id, and an echo like any other", |conn| {
            if !conn.peer_opens {
                return Err(Miss::Untestable("needs --peer-opens".into()));
            }
            let id = conn.their(0);
            conn.until("stream of the peer's", |conn| conn.book.first_of_peer().is_some())?;
            let first = conn.book.first_of_peer().unwrap_or_default();
            if first != id {
                return conn.differs(format!("stream {first} first, not {id}"));
            }
            let before = conn.book.stream(id).came;
            conn.send_payload(0, id, 9);
            conn.until("echo", move |conn| conn.book.stream(id).came >= before + 9)?;
            conn.send_payload(FIN, id, 0);
            conn.until("FIN", move |conn| conn.book.stream(id).fin)?;
            conn.lives()
        }),
        Play::new("W11", "a stream that both sides finished is dropped", "no frame for it", |conn| {
            for n in 0..5 {
                conn.over(conn.id(n))?;
            }
            conn.silent_on(conn.id(4), Conn::lives)
        }),
    ]
}
