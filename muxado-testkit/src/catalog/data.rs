//! S39 to S71: data, resets and windows.

use super::{App, Row, WINDOW};
use crate::wire::{data, fin, frame, header, rst, syn, syn_fin, wndinc};

pub(super) fn rows() -> Vec<Row> {
    [payload(), resets(), windows()].concat()
}

/// Payloads that fill a window, in frames of `frame` bytes.
fn full(id: u32, size: usize) -> Vec<u8> {
    data(id, &vec![7; size]).repeat(WINDOW / size)
}

fn payload() -> Vec<Row> {
    vec![
        Row::new("s39_data_for_an_id_never_seen", [data(3, b"x"), data(3, b"y")]),
        Row::new("s40_fin_for_a_stream_that_is_over", [syn_fin(3, b""), fin(3), fin(5)]).app(App::Answers),
        Row::new("s41_data_for_an_id_we_never_opened", [data(5, b"x")]).client(1),
        Row::new("s42_data_for_a_stream_we_reset", [syn(3, b"x"), full(3, 1024)[..200_000].to_vec()])
            .app(App::Resets),
        Row::new(
            "s43_data_beyond_what_we_gave_before_the_reset",
            [syn(3, b"x"), full(3, 8192), full(3, 8192)],
        )
        .app(App::Resets),
        Row::new("s44_data_for_a_finished_stream", [syn_fin(3, b""), data(3, b"x"), data(3, b"y")])
            .app(App::Answers),
        Row::new("s45_data_beyond_the_window_by_one", [syn(3, b""), full(3, 16 * 1024), data(3, b"x")]),
        Row::new("s45_beyond_the_window_in_the_backlog", [syn(3, b""), full(3, 16 * 1024), data(3, b"x")])
            .app(App::Absent),
        Row::new(
            "s46_data_of_sixteen_mebibytes",
            [syn(3, b""), header(1, 0, 0xFF_FFFF, 3).to_vec(), vec![0; 9000]],
        ),
        Row::new("s47_data_after_fin", [syn_fin(3, b"a"), data(3, b"b")]),
        Row::new("s48_a_second_fin", [syn_fin(3, b"a"), fin(3), fin(3)]),
        Row::new("s49_empty_data", [syn(3, b""), data(3, b"")]),
        Row::new("s50_much_empty_data", [syn(3, b""), data(3, b"").repeat(10_001)]),
        Row::new("s51_a_window_in_tiny_frames", [syn(3, b""), full(3, 1)[..90_000].to_vec()]),
        Row::new("s52_a_frame_of_a_mebibyte", [syn(3, b""), frame(1, 0, 3, &vec![7; 1 << 20])]),
        Row::new("s53_the_application_walks_away", [syn(3, b"x"), full(3, 16 * 1024), full(3, 16 * 1024)])
            .app(App::Drops),
    ]
}

fn resets() -> Vec<Row> {
    vec![
        Row::new("s54_rst_for_a_live_stream", [syn(3, b"x"), rst(3, 7)]),
        Row::new("s55_rst_with_code_zero", [syn(3, b"x"), rst(3, 0)]),
        Row::new("s56_rst_after_fin", [syn_fin(3, b"x"), rst(3, 6)]),
        Row::new("s57_rst_for_no_stream", [syn_fin(3, b""), rst(3, 6), rst(5, 6)]).app(App::Answers),
        Row::new("s58_rst_that_crosses_ours", [syn(3, b""), rst(3, 6), rst(3, 6)]).app(App::Resets),
        Row::new("s59_rst_with_an_unknown_code", [syn(3, b"x"), rst(3, u32::MAX)]),
        Row::new("s60_rst_for_each_late_frame", [syn(3, b""), rst(3, 4).repeat(20)]).app(App::Resets),
        Row::new("s61_wndinc_behind_our_reset", [syn(3, b""), wndinc(3, 70_000), data(3, b"x")])
            .app(App::Resets),
        Row::new(
            "s62_stream_errors_again_and_again",
            [(3..100).step_by(2).flat_map(|id| [syn_fin(id, b"a"), data(id, b"b")].concat()).collect()],
        ),
    ]
}

fn windows() -> Vec<Row> {
    vec![
        Row::new("s63_wndinc_of_zero", [syn(3, b""), wndinc(3, 0)]),
        Row::new("s63_wndinc_with_the_top_bit", [syn(3, b""), wndinc(3, 0x8000_0000)]),
        Row::new("s64_wndincs_that_add_up", [syn(3, b""), wndinc(3, 0x7FFF_FFFF).repeat(40)]),
        Row::new("s65_wndinc_for_a_new_stream", [syn(3, b""), wndinc(3, 0x10_0000)]),
        Row::new("s66_wndinc_for_no_stream", [syn_fin(3, b""), wndinc(3, 6), wndinc(5, 6)]).app(App::Answers),
        Row::new("s67_wndinc_after_our_fin", [syn(3, b"x"), wndinc(3, 3), wndinc(3, 9)]).app(App::Answers),
        Row::new("s68_wndincs_of_one", [syn(3, b""), wndinc(3, 1).repeat(1000)]),
        Row::new("s69_data_that_is_read_at_once", [syn(3, b""), full(3, 4096)]).app(App::Reads),
        Row::new("s70_half_a_window_and_no_more", [syn(3, b""), full(3, 4096)[..100_000].to_vec()])
            .app(App::Reads),
    ]
}
