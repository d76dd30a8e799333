//! The floods that are counted, each within the budget of a session.

use super::Flood;
use super::applications::{
    GRAVES, LIMIT, all, almost_full, answers, both, drops, drops_reset, far_ahead, full, graves, nothing,
    one, one_finished, one_over, one_unread, reads, writers, writes,
};
use super::wire::{data, fin, go_away, id, rst, syn, syn_fin, unknown, wndinc};
use crate::measure::{Measure, Unit, Work};

pub(crate) const MEASURES: &[Measure] = &[
    flood("hostile/empty-data", Flood { before: one, frame: |_| data(3, b""), ..GLITCHES }),
    flood("hostile/unknown-frames", Flood { frame: |_| unknown(), ..GLITCHES }),
    flood("hostile/second-fins", Flood { before: one_finished, frame: |_| fin(3), ..GLITCHES }),
    flood("hostile/data-for-nobody", Flood { frame: |n| data(id(n), b"x"), ..FREE }),
    flood("hostile/resets-of-nothing", Flood { frame: |n| rst(id(n)), ..GLITCHES }),
    flood("hostile/empty-receipts", Flood { before: one, frame: |_| wndinc(3, 1), ..GLITCHES }),
    flood("hostile/goaway-again", Flood { before: both, frame: |_| go_away(0x7FFF_FFFF), ..GLITCHES }),
    flood(
        "hostile/one-byte-data",
        Flood { before: one, frame: |_| data(3, b"x"), application: reads, ..FREE },
    ),
    flood("hostile/one-byte-unread", Flood { before: one, frame: |_| data(3, b"x"), ..FREE }),
    flood(
        "hostile/one-byte-in-turns",
        Flood { before: all, frame: |n| data(id(n % LIMIT), b"x"), application: reads, ..FREE },
    ),
    flood("hostile/data-unwanted", Flood { before: one_unread, frame: |_| data(3, b"x"), ..FREE }),
    flood("hostile/data-after-the-end", Flood { before: one_over, frame: |_| data(3, b"x"), ..FREE }),
    flood(
        "hostile/data-for-the-dead",
        Flood { before: graves, frame: |n| data(id(LIMIT + n % GRAVES), b"x"), ..FREE },
    ),
    flood("hostile/resets-of-forgotten", Flood { before: far_ahead, frame: |n| rst(id(n)), ..FREE }),
    flood(
        "hostile/extra-credit",
        Flood { before: all, frame: |n| wndinc(id(n % LIMIT), 0x7FFF_FFFF), ..FREE },
    ),
    flood(
        "hostile/credit-in-crumbs",
        Flood {
            before: writers,
            frame: |n| wndinc(id(n % LIMIT), 1),
            application: writes,
            sessions: 1,
            most: 20_480,
            ..FREE
        },
    ),
    flood("hostile/refused-streams", Flood { before: full, frame: |n| syn(id(LIMIT + n)), ..FREE }),
    flood(
        "hostile/streams-that-end",
        Flood { frame: |n| syn_fin(id(n)), application: answers, at_once: 128, ..FREE },
    ),
    flood(
        "hostile/one-id-again",
        Flood { frame: |n| syn_fin(id(n % 128)), application: answers, at_once: 128, ..FREE },
    ),
    flood(
        "hostile/streams-we-drop",
        Flood { frame: |n| syn(id(n)), application: drops, at_once: 128, ..FREE },
    ),
    flood(
        "hostile/resets-of-accepted",
        Flood { frame: syn_then_rst, application: drops_reset, at_once: 128, ..FREE },
    ),
    flood(
        "hostile/resets-in-the-backlog",
        Flood {
            sessions: 12,
            most: 1900,
            at_once: 190,
            before: almost_full,
            frame: |n| if n % 2 == 0 { syn(id(LIMIT + n / 2)) } else { rst(id(LIMIT + n / 2)) },
            ..FREE
        },
    ),
];

/// As many frames as the budget of glitches lets pass.
const GLITCHES: Flood = Flood { sessions: 2, most: 9600, at_once: 240, ..FREE };

/// Frames that cost the peer nothing, so that there may be any number of them. Many sessions, because the hash of each
/// has other keys, and with them the luck of where its ids fall.
const FREE: Flood = Flood {
    sessions: 12,
    most: 2560,
    at_once: 256,
    before: nothing,
    frame: |_| Vec::new(),
    application: nothing,
};

/// A flood under its name, as long as it may be.
const fn flood(name: &'static str, flood: Flood) -> Measure {
    Measure { name, unit: Unit::Frame, amount: flood.sessions * flood.most, work: Work::Flood(flood) }
}

/// A read of 128 streams opened, then a read of the same 128 reset.
fn syn_then_rst(n: u64) -> Vec<u8> {
    let id = id(n / 256 * 128 + n % 128);
    if n % 256 < 128 { syn(id) } else { rst(id) }
}
