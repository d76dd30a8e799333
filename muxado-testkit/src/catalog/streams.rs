//! S19 to S38: streams that begin in odd ways.

use super::{App, Row, WINDOW};
use crate::wire::{data, fin, frame, go_away, header, rst, syn, syn_fin};

/// SYNs of `count` streams, from 3 on.
fn syns(count: u32) -> Vec<u8> {
    (0..count).flat_map(|number| syn(3 + 2 * number, b"")).collect()
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("s19_syn_with_a_full_window", [frame(1, 2, 3, &vec![7; WINDOW])]),
        Row::new("s20_syn_and_fin_empty", [syn_fin(3, b"")]),
        Row::new("s20_syn_and_fin_answered", [syn_fin(3, b"")]).app(App::Answers),
        Row::new("s21_syn_beyond_the_window", [frame(1, 2, 3, &vec![7; WINDOW + 1]), syn(5, b"")]),
        Row::new("s21_syn_of_sixteen_mebibytes", [header(1, 2, 0xFF_FFFF, 3).to_vec(), vec![0; 9000]]),
        Row::new("s22_syn_and_fin_with_payload", [syn_fin(3, b"all of it")]),
        Row::new("s22_syn_and_fin_with_payload_answered", [syn_fin(3, b"all of it")]).app(App::Answers),
        Row::new("s23_syn_for_a_live_id", [syn(3, b"a"), syn(3, b"b")]),
        Row::new("s24_syn_for_a_remembered_id", [data(3, b"x"), syn(3, b"y")]),
        Row::new("s25_syns_out_of_order", [syn(9, b""), syn(3, b""), syn(7, b""), syn(5, b"")]),
        Row::new("s26_an_id_used_again", [syn_fin(3, b"a"), syn_fin(3, b"b"), syn_fin(3, b"c")])
            .app(App::Answers),
        Row::new("s27_syn_with_the_wrong_parity", [syn(2, b"x")]),
        Row::new("s28_syn_for_a_live_id_of_ours", [syn(3, b"x")]).client(1),
        Row::new("s29_more_streams_than_are_accepted", [syns(300)]).app(App::Absent),
        Row::new("s30_more_streams_than_may_live", [syns(200), syns(301)[200 * 8..].to_vec()]),
        Row::new("s31_syn_while_draining", [syn(3, b"a"), syn(5, b"b")]).draining(),
        Row::new("s32_syn_after_the_peers_goaway", [go_away(0, 0, b"bye"), syn(3, b"x")]),
        Row::new("s33_syn_and_rst", [[syn(3, b"x"), rst(3, 6), syn(5, b"y"), rst(5, 6)].concat()])
            .app(App::Absent),
        Row::new("s34_the_highest_id_first", [syn(0x7FFF_FFFF, b"x"), syn(1, b"y")]),
        Row::new("s36_fin_without_syn", [fin(3), fin(5)]),
        Row::new("s37_data_whose_syn_was_lost", [data(3, b"x"), data(3, b"y"), fin(3)]),
        Row::new("s38_data_that_overtook_its_syn", [data(3, b"x"), syn(3, b"y")]),
    ]
}
