//! The async shell in virtual time: wakers, cancellation, ends, odd transports and foreign code.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod ahead;
mod budgets;
mod deadlines;
mod first_and_last;
mod foreign_code;
mod guarantees;
mod inspection;
mod last_words;
mod lines;
mod lingering;
mod long_lines;
mod observer;
mod reads;
mod session_end;
mod slow_links;
mod small_credit;
mod stopped;
mod together;
mod turns;
mod unsent;
mod waiting;
mod writers;
