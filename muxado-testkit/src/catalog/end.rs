//! S72 to S89: goodbyes, and peers that do not read.

use super::{App, Row};
use crate::wire::{GOAWAY, data, fin, frame, go_away, header, rst, syn, syn_fin, wndinc};

pub(super) fn rows() -> Vec<Row> {
    let live = || syn(2, b"theirs");
    vec![
        Row::new("s72_frames_after_goaway", [go_away(3, 0, b""), data(3, b"x"), fin(3)]).client(1),
        Row::new(
            "s73_eight_stray_bytes_after_goaway",
            [header(GOAWAY, 0, 8, 0).to_vec(), vec![0; 8], vec![b'x'; 8]],
        )
        .client(1),
        Row::new(
            "s73_a_text_of_eight_bytes_too_few",
            [[&header(GOAWAY, 0, 9, 0)[..], &[0; 8], b"a longer text"].concat()],
        ),
        Row::new("s74_a_second_goaway_with_a_lower_id", [go_away(7, 0, b"a"), go_away(3, 0, b"b")]).client(3),
        Row::new("s75_a_second_goaway_with_a_higher_id", [go_away(3, 0, b"a"), go_away(9, 0, b"b")])
            .client(3),
        Row::new("s76_goaway_with_much_text", [frame(GOAWAY, 0, 0, &vec![b'x'; 70_000])]),
        Row::new(
            "s76_goaway_of_sixteen_mebibytes",
            [header(GOAWAY, 0, 0xFF_FFFF, 0).to_vec(), vec![b'x'; 9000]],
        ),
        Row::new("s77_a_last_id_of_the_other_parity", [go_away(4, 0, b"")]).client(2),
        Row::new("s77_a_last_id_with_the_top_bit", [go_away(0x8000_0003, 0, b"")]).client(2),
        Row::new("s78_goaway_with_an_error", [live(), go_away(3, 10, b"calm"), data(3, b"x")]).client(1),
        Row::new("s79_data_below_the_last_id", [go_away(3, 0, b""), data(3, &[7; 40_000])]).client(1),
        Row::new("s80_data_while_draining", [syn(3, b"a"), data(3, b"b")]).draining(),
        Row::new("s81_goaway_and_the_end", [syn_fin(3, b"a"), go_away(0, 0, b"bye")]),
        Row::new(
            "s83_the_end_before_it_was_accepted",
            [[syn_fin(3, b"a"), syn(5, b"b"), rst(0, 1)].concat()],
        )
        .app(App::Absent),
        Row::new("s84_credit_that_stops", [syn(3, b"request"), wndinc(3, 3)]).app(App::Answers),
        Row::new("s85_replies_provoked", [(1..260).flat_map(|n| data(1 + 2 * n, b"x")).collect()]),
        Row::new("s86_one_slow_reader", [syn(3, &[1; 5000]), syn(5, &[2; 5000]), fin(5)]),
        Row::new("s87_no_credit_returned", [data(3, b"x")]).client(1).app(App::Drops),
        Row::new("s88_a_full_window_and_we_walk_away", [syn(3, b""), data(3, &[7; 16 * 1024]).repeat(16)])
            .app(App::Drops),
        Row::new("s89_a_frame_repeated", [syn(3, b"x"), data(3, b"y"), data(3, b"y"), syn(3, b"x")]),
        Row::new("s92_both_directions_full", [data(3, &[7; 16 * 1024]).repeat(16)]).client(1),
    ]
}
