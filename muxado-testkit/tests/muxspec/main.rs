//! The conformance suite against peers that are broken on purpose: it must find each fault on its row, and come to an end
//! whatever the peer does. That it finds nothing wrong with a good one is tested where sessions over TCP are.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod faults;
mod hostile;
mod peer;
