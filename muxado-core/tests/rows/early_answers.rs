//! A server that often answers before it has read all meets an honest client, again and again.

use muxado_core::proto::{Batch, Mux, Read};
use muxado_core::{Config, Side};
use muxado_testkit::wire;

/// Each stream: a short request, our answer, FIN and drop; then more of the request arrives, is answered with RST 4 and
/// counts as a glitch. The work done must pay for that.
#[test]
fn b19_answering_early_never_uses_up_the_budget() {
    let mut mux = Mux::new(Side::Server, &Config::default());
    let mut batch = Batch::contiguous();
    for number in 0..30_000_u32 {
        let id = 3 + 2 * number;
        let _ = mux.handle_slice(&wire::syn(id, b"GET"));
        let key = mux.accept().unwrap().unwrap();
        assert!(matches!(mux.read(key, 9), Ok(Read::Chunk(_))));
        mux.write(key, b"no").unwrap();
        mux.finish(key).unwrap();
        mux.release_send(key);
        mux.release_recv(key);
        mux.poll_transmit(&mut batch, usize::MAX);
        batch.advance(usize::MAX);
        let _ = mux.handle_slice(&wire::data(id, b"rest of the request"));
        mux.poll_transmit(&mut batch, usize::MAX);
        batch.advance(usize::MAX);
        while mux.poll_event().is_some() {}
        assert!(mux.end().is_none(), "stream {number}: {}", mux.end().unwrap());
    }
}
