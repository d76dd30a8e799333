//! Hands the engine's inputs to [`muxado_testkit::fuzz::two_node`].

#![no_main]
#![forbid(unsafe_code)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| muxado_testkit::fuzz::two_node(data));
