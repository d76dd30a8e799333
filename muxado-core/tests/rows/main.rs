//! The behaviour table on the pure machine, row by row: given these bytes and calls, exactly these bytes come out.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod budgets;
mod close;
mod cut;
mod data;
mod early_answers;
mod equal_limits;
mod framing;
mod goaway;
mod inspection;
mod long_lines;
mod opening;
mod reset;
mod room;
mod second_goaway;
mod senders;
mod turns;
mod windows;
