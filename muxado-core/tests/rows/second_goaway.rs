//! Two GOAWAYs in one session: of ours the second says what an early one did not (decision 3, W12); of the peer's it may say
//! why, if the first did not (S74, S75).

use muxado_core::{Config, EndCause};
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::wire::{data, fin, go_away, rst, syn};
use muxado_testkit::{Peer, every_split};

#[test]
fn decision_3_w12_what_an_early_goaway_did_not_say_a_second_one_says_last() {
    type End = fn(&mut Peer);
    let config = Config::builder().peer_drains(true).build().unwrap();
    let early = [go_away(5, 0, b""), fin(0x7FFF_FFFE)].concat();
    let ends: [(End, Vec<u8>); 5] = [
        (
            |peer| peer.mux.close(ErrorCode::new(77), b"enough"),
            [rst(5, 5), go_away(3, 77, b"enough")].concat(),
        ),
        (|peer| peer.mux.close(ErrorCode::NO_ERROR, b"bye"), [rst(5, 5), go_away(3, 0, b"bye")].concat()),
        (|peer| peer.mux.close(ErrorCode::NO_ERROR, b""), rst(5, 5)),
        (|peer| peer.feed(data(0, b"")), go_away(5, 1, b"bad frame")),
        (|peer| peer.mux.handle_deadline(), vec![]),
    ];
    for (end, last_words) in ends {
        let mut peer = Peer::with(Side::Server, &config);
        peer.feed([syn(3, b"a"), syn(5, b"waits")].concat());
        let stream = peer.mux.accept().unwrap().unwrap();
        peer.mux.go_away();
        assert_eq!(peer.sent(), early);
        end(&mut peer);
        assert_eq!(peer.sent(), last_words);
        assert!(peer.mux.is_finished() && peer.mux.end().is_some());
        peer.drop_stream(stream);
        assert_eq!(peer.sent(), b"");
    }
}

#[test]
fn decision_3_a_close_before_the_early_goaway_went_out_is_the_only_one() {
    let config = Config::builder().peer_drains(true).build().unwrap();
    let mut peer = Peer::with(Side::Client, &config);
    peer.mux.go_away();
    peer.mux.close(ErrorCode::new(77), b"enough");
    assert_eq!(peer.sent(), go_away(0, 77, b"enough"));
}

#[test]
fn s74_s75_a_goaway_that_said_nothing_leaves_it_to_the_next_to_say_why() {
    let client = || Peer::new(Side::Client);
    let said = |peer: &mut Peer| {
        peer.mux.handle_eof();
        let end = peer.mux.end().unwrap();
        assert!(matches!(end.cause(), EndCause::GoAway { .. }), "{end}");
        (end.code().get(), String::from_utf8(end.text().to_vec()).unwrap())
    };
    for (second, code, text) in [
        (go_away(5, 77, b"enough"), 77, "enough"),
        (go_away(3, 77, b""), 77, ""),
        (go_away(9, 0, b"enough"), 0, "enough"),
        (go_away(9, 0, b""), 9, "the third"),
    ] {
        let bytes = [go_away(5, 0, b""), second.clone(), go_away(5, 9, b"the third")].concat();
        let all =
            every_split(&bytes, || (client(), vec![]), |peer, _| (said(peer), peer.mux.stats().glitches));
        assert_eq!(all, ((code, text.to_owned()), 2));
        // One that is cut off has said nothing at all (S05).
        let mut peer = client();
        peer.feed([&go_away(5, 0, b"")[..], &second[..second.len() - 1]].concat());
        assert_eq!(said(&mut peer), (0, String::new()));
    }
}
