//! muxado itself.

use muxado_frame::{Decoder, Flags, Header, Kind, Side, StreamId};

use super::{Matcher, Verdict};

/// Clients of muxado v2, by a plausible first frame: a stream is opened, or the session ends as soon as it began
/// (docs/protocol.md, 2 and 4).
///
/// A ClientHello of TLS does not match, though one of some 5 KB could be read as a frame that opens a stream: one of
/// 1.4 MB, and with an id above 65,536, where every known client begins with 3 (4.2).
///
/// A client that opens no stream says nothing, and cannot be told apart until it does: when
/// [`Limits::time`](crate::Limits::time) is over it goes to [`any()`](crate::any()), or is closed if there is no such listener.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, muxado};
///
/// assert_eq!(muxado().look(&[0, 0, 5, 0x12, 0, 0, 0, 3]), Verdict::Match); // DATA with SYN
/// assert_eq!(muxado().look(b"GET / HTTP/1.1"), Verdict::NoMatch);
/// ```
#[must_use]
pub fn muxado() -> impl Matcher {
    first_frame
}

fn first_frame(seen: &[u8]) -> Verdict {
    if begins_a_client_hello(seen) {
        return Verdict::NoMatch;
    }
    let Some(bytes) = seen.first_chunk() else {
        // The fourth byte has the kind and the flags, which no text has.
        return match seen.get(3) {
            Some(byte) if !may_be_first(Kind::from_bits(byte >> 4), Flags::from_bits(*byte)) => {
                Verdict::NoMatch
            }
            _ => Verdict::NeedMore,
        };
    };
    let header = Header::decode(*bytes);
    let is_sound = match header.kind() {
        Kind::Data => StreamId::new(header.stream_id()).is_some_and(|id| id.opener() == Side::Client),
        _ => Decoder::new().decode(bytes).is_ok(),
    };
    if is_sound && may_be_first(header.kind(), header.flags()) { Verdict::Match } else { Verdict::NoMatch }
}

/// A stream that begins, with or without its end, or the end of the session.
fn may_be_first(kind: Kind, flags: Flags) -> bool {
    match kind {
        Kind::Data => flags.syn() && flags.bits() & !(Flags::SYN.bits() | Flags::FIN.bits()) == 0,
        Kind::GoAway => flags == Flags::NONE,
        _ => false,
    }
}

/// A record of TLS with a handshake message, of any version since SSL 3, and the first byte of that message.
fn begins_a_client_hello(seen: &[u8]) -> bool {
    matches!(seen, [0x16, 3, 0..=4, _, _, 1, ..])
}
