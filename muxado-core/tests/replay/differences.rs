//! Where our side reports something else than the recorded one did, and the row of docs/behaviour.md that demands it.
//!
//! This is the only place that knows a recording by its name. Whatever is not here must be as recorded, and whatever
//! is here must happen.

use muxado_frame::Side::{self, Client, Server};

/// What our side reports instead, in one session.
#[derive(Debug)]
pub(crate) struct Difference {
    /// A name, or the first part of one and a star.
    session: &'static str,
    pub(crate) side: Side,
    pub(crate) row: &'static str,
    pub(crate) why: &'static str,
    /// What differs, and what it is with us.
    pub(crate) ours: &'static [(&'static str, &'static str)],
}

impl Difference {
    pub(crate) fn covers(&self, session: &str) -> bool {
        match self.session.strip_suffix('*') {
            Some(start) => session.starts_with(start),
            None => session == self.session,
        }
    }
}

const fn differs(
    session: &'static str,
    side: Side,
    row: &'static str,
    why: &'static str,
    ours: &'static [(&'static str, &'static str)],
) -> Difference {
    Difference { session, side, row, why, ours }
}

/// All of them.
pub(crate) const DIFFERENCES: &[Difference] = &[
    // How the transport ends.
    differs(
        "eof_in_*",
        Server,
        "S01",
        "an end inside a frame is an end like any other",
        &[("end", "code 15")],
    ),
    // Frames that nobody sends.
    differs(
        "ngrok_server_unknown_frame",
        Server,
        "S06",
        "unknown frames are skipped",
        &[("stream 3 read", "4 bytes 88d4266f")],
    ),
    differs(
        "ngrok_server_syn_flag_on_wndinc",
        Server,
        "S09",
        "flags count on DATA only",
        &[("accepted", ""), ("stream 9", "none")],
    ),
    differs(
        "reserved_bit_in_stream_id",
        Server,
        "S10",
        "the reserved bit ends the session",
        &[("accepted", "3"), ("stream 2147483651", "none"), ("end", "code 1")],
    ),
    differs(
        "ngrok_server_rst_bad_length",
        Server,
        "S15",
        "a RST of another length than 4 ends the session",
        &[("stream 3 read", "5 bytes 2cf24dba"), ("stream 3 end", "lost"), ("stream 3 write", "lost")],
    ),
    differs(
        "ngrok_server_goaway_bad_length",
        Server,
        "S17",
        "a GOAWAY of length 7 ends the session",
        &[("stream 3 write", "lost")],
    ),
    // Opening.
    differs(
        "flow_control_counts_unread_bytes",
        Server,
        "S21",
        "SYN with more than a window makes no stream",
        &[("accepted", "3"), ("stream 5", "none")],
    ),
    differs(
        "window_mismatch",
        Server,
        "S21",
        "SYN with more than a window makes no stream",
        &[("accepted", "5"), ("stream 3", "none")],
    ),
    differs(
        "empty_stream",
        Server,
        "S22",
        "SYN and FIN in one frame leave our direction open",
        &[("stream 3 write", "ok")],
    ),
    differs(
        "syn_fin_with_data",
        Server,
        "S22",
        "SYN and FIN in one frame leave our direction open",
        &[("stream 3 write", "ok")],
    ),
    differs(
        "duplicate_syn",
        Server,
        "S23",
        "SYN for a live stream ends the session",
        &[("accepted", "3"), ("stream 3 write", "lost"), ("stream 3#2", "none"), ("end", "code 1")],
    ),
    differs(
        "ngrok_server_duplicate_syn",
        Server,
        "S23",
        "SYN for a live stream ends the session",
        &[("accepted", "3"), ("stream 3 end", "lost"), ("stream 3 write", "lost"), ("stream 3#2", "none")],
    ),
    differs(
        "ngrok_server_even_id",
        Server,
        "S27",
        "SYN of the wrong parity ends the session",
        &[("accepted", ""), ("stream 4", "none"), ("stream 7", "none")],
    ),
    differs(
        "ngrok_server_accept_full",
        Server,
        "S29",
        "a full backlog refuses and stalls nobody",
        &[("accepted", "3 5"), ("stream 7", "none"), ("stream 9", "none"), ("stream 11", "none")],
    ),
    differs(
        "ngrok_server_stream_limit",
        Server,
        "S30",
        "one stream too many is refused, the others go on",
        &[
            ("stream 3 read", "5 bytes 4c270de0"),
            // It was let go before the peer ended it.
            ("stream 3 end", "none"),
        ],
    ),
    // Data.
    differs(
        "stray_frames",
        Server,
        "S41",
        "frames for streams we never opened end the session",
        &[("end", "code 1")],
    ),
    differs(
        "flow_control_violation",
        Server,
        "S45",
        "nothing of the frame that breaks the window is kept",
        &[("stream 3 read", "1024 bytes 85e2258f")],
    ),
    differs(
        "data_after_fin",
        Server,
        "S47",
        "data after FIN leaves the clean end as it is",
        &[("stream 3 end", "eof")],
    ),
    // Reset.
    differs(
        "ngrok_client_rst_pending_read",
        Client,
        "S54",
        "RST wakes the reader",
        &[("stream 3 end", "code 7")],
    ),
    differs(
        "ngrok_client_rst_code_zero",
        Client,
        "S55",
        "code 0 resets like any other",
        &[("stream 3 write", "code 0")],
    ),
    differs(
        "ngrok_server_data_after_closed",
        Client,
        "S56",
        "RST after FIN leaves the clean end as it is",
        &[("stream 3 end", "eof")],
    ),
    // GOAWAY.
    differs(
        "goaway_graceful_overread",
        Client,
        "S72",
        "GOAWAY is as long as it says, streams go on behind it",
        &[("stream 3 read", "20 bytes 0132aac8"), ("stream 3 end", "eof"), ("goodbye", "code 0 restarting")],
    ),
    differs(
        "goaway_last_stream_id",
        Client,
        "S72",
        "GOAWAY is as long as it says",
        &[("goodbye", "code 0 draining")],
    ),
    differs(
        "ngrok_client_close",
        Server,
        "S73",
        "the length of this peer's GOAWAY is eight short",
        &[("goodbye", "code 0 nineteen by")],
    ),
    differs(
        "ngrok_client_hello",
        Server,
        "S73",
        "the length of this peer's GOAWAY is eight short",
        &[("goodbye", "code 0 goodbye from ngro")],
    ),
    differs(
        "ngrok_server_close",
        Client,
        "S73",
        "the length of this peer's GOAWAY is eight short",
        &[("goodbye", "code 1 closing with an e")],
    ),
    differs(
        "ngrok_client_receives_goaway",
        Client,
        "S77",
        "streams above the last id fail, none is opened",
        &[("open", "code 11"), ("stream 5 write", "lost, not processed"), ("stream 7", "none")],
    ),
    differs(
        "ngrok_client_receives_goaway_error",
        Client,
        "S77",
        "no stream is opened after GOAWAY",
        &[("open", "code 11"), ("stream 5", "none")],
    ),
    differs(
        "ngrok_client_receives_goaway_error",
        Client,
        "S78",
        "GOAWAY is not the end of a stream",
        &[("stream 3 end", "lost")],
    ),
    differs(
        "ngrok_client_receives_goaway",
        Client,
        "S79",
        "data that follows GOAWAY is delivered",
        &[("stream 3 read", "6 bytes 0db52f40")],
    ),
    differs(
        "goaway_refuse*",
        Server,
        "S80",
        "a drained session ends itself with its last stream",
        &[("end", "code 14")],
    ),
    // Typed streams.
    differs(
        "typed_stream_split_type",
        Server,
        "S90",
        "the type is four bytes, however they are split",
        &[("stream 3 type", "01020304"), ("stream 3 read", "4 bytes 2e09d521")],
    ),
];
