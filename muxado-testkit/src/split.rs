//! The same bytes in other pieces must come to the same (S18).

use std::fmt::Debug;

use bytes::Bytes;
use muxado_core::proto::StreamKey;

use crate::Peer;

/// Up to this many bytes every cut in two is tried; above, about this many cuts.
const EVERY_CUT: usize = 512;

/// Hands `bytes` to machines from `make` whole, copied and shared, then byte by byte, then cut in two at every place;
/// asserts that `look` sees the same each time, and returns it.
///
/// `make` also returns the streams it has opened, for `look` to use.
pub fn every_split<T: PartialEq + Debug>(
    bytes: &[u8],
    make: impl Fn() -> (Peer, Vec<StreamKey>),
    look: impl Fn(&mut Peer, &[StreamKey]) -> T,
) -> T {
    let seen = |feed: &dyn Fn(&mut Peer)| {
        let (mut peer, opened) = make();
        feed(&mut peer);
        look(&mut peer, &opened)
    };
    let whole = seen(&|peer| peer.feed(bytes));
    let shared = seen(&|peer| peer.feed_shared(Bytes::copy_from_slice(bytes)));
    assert_eq!(shared, whole, "shared differs from copied");
    let single = seen(&|peer| peer.feed_cut(bytes, 1..bytes.len()));
    assert_eq!(single, whole, "byte by byte differs from whole");
    for cut in (1..bytes.len()).step_by(bytes.len() / EVERY_CUT + 1) {
        let halves = seen(&|peer| peer.feed_cut(bytes, [cut]));
        assert_eq!(halves, whole, "cut at {cut} differs from whole");
    }
    whole
}
