//! A server that often answers before it has read all meets an honest client, again and again.

use std::time::Duration;

use muxado_core::proto::{Batch, Mux, Read};
use muxado_core::{Config, ErrorCode, Side};
use muxado_testkit::{Line, wire};

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

/// The same over a long line: a request that is refused at its beginning has far more than a window under way by then, for
/// which it was given credit. It is answered with RST 4 once, and the rest is no offence.
#[test]
fn b19_b35_s53_answering_early_over_a_long_line_never_uses_up_the_budget() {
    let mut line = Line::new(Duration::from_millis(50), 200_000_000, &Config::default());
    for number in 0..20 {
        let up = line.client.open().unwrap();
        line.client.flush(up).unwrap();
        line.pass(line.now + Duration::from_secs(1));
        let down = line.server.accept().unwrap().unwrap();
        // The first one shows how long the line is.
        let enough = line.now + Duration::from_millis(if number == 0 { 2000 } else { 290 });
        while line.now < enough {
            while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
            line.step();
            while let Read::Chunk(_) = line.server.read(down, usize::MAX).unwrap() {}
        }
        let before = line.server.stats();
        line.server.finish(down).unwrap();
        line.server.release_send(down);
        line.server.release_recv(down);
        line.pass(line.now + Duration::from_secs(1));
        assert!(line.server.end().is_none(), "stream {number}: {}", line.server.end().unwrap());
        assert_eq!(line.client.write(up, b"x").unwrap_err().code(), Some(ErrorCode::STREAM_CLOSED));
        line.client.release_send(up);
        line.client.release_recv(up);
        let after = line.server.stats();
        assert!(after.bytes_received - before.bytes_received > 4 << 20, "that much was under way");
        let [glitches, resets] = [after.glitches - before.glitches, after.resets_sent - before.resets_sent];
        assert_eq!((glitches, resets), (1, 1));
        assert_eq!(line.server.audit(), Ok(()));
    }
}
