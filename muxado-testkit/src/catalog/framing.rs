//! S01 to S18: frames that are cut, impossible, unknown or oddly flagged. What ends here is the transport.

use super::Row;
use crate::wire::{
    DATA, FIN, GOAWAY, RST, SYN, WNDINC, data, fin, frame, go_away, header, rst, syn, syn_fin, wndinc,
};

/// A stream with three bytes on it, then `bytes`.
fn row(name: &'static str, bytes: impl AsRef<[u8]>) -> Row {
    Row::new(name, [syn(3, b"abc"), bytes.as_ref().to_vec()])
}

pub(super) fn rows() -> Vec<Row> {
    let cut = |frame: Vec<u8>, short: usize| frame[..frame.len() - short].to_vec();
    let reserved = 0x8000_0003;
    vec![
        row("s01_end_inside_a_header", &data(3, b"x")[..5]),
        row("s02_end_between_frames", fin(3)),
        row("s03_end_inside_a_payload", cut(data(3, b"more"), 2)),
        row("s04_end_inside_a_payload_with_fin", cut(frame(DATA, FIN, 3, b"more"), 1)),
        row("s05_end_inside_rst", cut(rst(3, 6), 1)),
        row("s05_end_inside_wndinc", cut(wndinc(3, 6), 3)),
        row("s05_end_inside_goaway", cut(go_away(0, 0, b"some text"), 4)),
        row("s06_unknown_types", (4..16).flat_map(|kind| frame(kind, 0, 3, b"")).collect::<Vec<u8>>()),
        row("s07_unknown_type_with_a_body", frame(4, 15, 0, &[0xEE; 70_000])),
        row("s07_unknown_type_that_never_ends", [&header(15, 0, 0xFF_FFFF, 9)[..], &[0; 5000]].concat()),
        row("s08_reserved_flags", [frame(DATA, 0xC, 3, b"x"), frame(DATA, 0xD, 3, b"y")].concat()),
        row(
            "s09_flags_where_there_are_none",
            [frame(WNDINC, 3, 3, &[0, 0, 0, 1]), frame(RST, 2, 3, &[0, 0, 0, 6])].concat(),
        ),
        row("s10_syn_with_the_reserved_bit", frame(DATA, SYN, reserved, b"x")),
        row("s11_data_with_the_reserved_bit", data(reserved, b"x")),
        row("s11_rst_with_the_reserved_bit", rst(reserved, 6)),
        row("s11_wndinc_with_the_reserved_bit", wndinc(reserved, 6)),
        row("s12_data_on_stream_zero", data(0, b"x")),
        row("s13_rst_on_stream_zero", rst(0, 6)),
        row("s13_wndinc_on_stream_zero", wndinc(0, 6)),
        row("s14_goaway_on_a_stream", frame(GOAWAY, 0, 3, &[0; 8])),
        row("s15_rst_too_short", frame(RST, 0, 3, &[0; 3])),
        row("s15_rst_too_long", header(RST, 0, 0xFF_FFFF, 3)),
        row("s16_wndinc_too_short", frame(WNDINC, 0, 3, &[0; 3])),
        row("s16_wndinc_too_long", frame(WNDINC, 0, 3, &[0; 5])),
        row("s17_goaway_too_short", frame(GOAWAY, 0, 0, &[0; 7])),
        row(
            "s18_a_little_of_everything",
            [
                syn(5, b"five"),
                wndinc(3, 100),
                syn_fin(7, b""),
                data(5, &[5; 3000]),
                rst(7, 9),
                fin(5),
                fin(3),
            ]
            .concat(),
        ),
    ]
}
