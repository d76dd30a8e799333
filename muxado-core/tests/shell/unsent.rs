//! What a transport holds unsent is bounded as its line shows to be enough (`Driver::unsent`).

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::AsyncWrite;
use futures_util::{AsyncWriteExt, FutureExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side};
use muxado_testkit::{Lane, World, Writer, pipe, wire};

const KIB: usize = 1024;

/// A socket that holds 128 KiB, and notes what it is bounded to.
struct Socket {
    writer: Writer,
    bounds: Arc<Mutex<Vec<u32>>>,
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_close(cx)
    }
}

/// A client that has more to send than its socket takes.
struct Client {
    world: World,
    to_peer: Lane,
    bounds: Arc<Mutex<Vec<u32>>>,
    _session: Session,
}

impl Client {
    fn of(local: &str, peer: &str) -> Client {
        let world = World::new();
        let (end, far) = pipe(128 * KIB);
        let (from_peer, to_peer) = (end.read.lane(), end.write.lane());
        let bounds = Arc::new(Mutex::new(Vec::new()));
        let socket = Socket { writer: end.write, bounds: bounds.clone() };
        let (session, driver) =
            Session::from_halves(Side::Client, end.read, socket, &Config::default(), world.clone());
        let [local, peer] = [local, peer].map(|address| address.parse::<SocketAddr>().unwrap());
        session.set_addresses(Some(local), Some(peer));
        let driver = driver.vectored(true).unsent(|socket, bytes| socket.bounds.lock().unwrap().push(bytes));
        world.spawn(async move {
            let _far = far;
            driver.await;
        });
        let mut stream = session.open().now_or_never().unwrap().unwrap();
        stream.write_all(b"first").now_or_never().unwrap().unwrap();
        world.settle();
        from_peer.inject(&wire::wndinc(3, 1 << 30));
        world.spawn(async move { while stream.write_all(&[7; 64 * KIB]).await.is_ok() {} });
        world.settle();
        Client { world, to_peer, bounds, _session: session }
    }

    /// The line takes all there is after a while, and the socket is filled again.
    fn empty_after(&self, wait: Duration) {
        self.world.block_on(self.world.sleep(wait));
        assert_eq!(self.to_peer.take().len(), 128 * KIB, "it was full");
        self.world.settle();
    }

    fn bounds(&self) -> Vec<usize> {
        let bounds = std::mem::take(&mut *self.bounds.lock().unwrap());
        bounds.into_iter().map(|bytes| bytes as usize / KIB).collect()
    }
}

#[test]
fn a_socket_that_runs_dry_may_hold_more_and_one_that_is_slow_less() {
    let client = Client::of("192.0.2.1:7", "192.0.2.2:7");
    assert!(client.bounds().is_empty(), "it is as it was set up");
    client.empty_after(Duration::from_millis(1));
    assert_eq!(client.bounds(), [256]);
    client.empty_after(Duration::from_millis(1));
    assert!(client.bounds().is_empty(), "half of what it may hold was there");
    client.empty_after(Duration::from_millis(20));
    assert_eq!(client.bounds(), [128]);
    client.empty_after(Duration::from_millis(1));
    assert!(client.bounds().is_empty(), "what it held was more");
    client.empty_after(Duration::from_millis(1));
    assert_eq!(client.bounds(), [256]);
}

#[test]
fn what_leads_to_the_same_machine_is_left_as_it_was_set_up() {
    for (local, peer) in [("192.0.2.1:7", "192.0.2.1:8"), ("127.0.0.1:7", "127.0.0.2:7")] {
        let client = Client::of(local, peer);
        for wait in [1, 1, 20, 20, 1].map(Duration::from_millis) {
            client.empty_after(wait);
        }
        assert!(client.bounds().is_empty());
    }
}
