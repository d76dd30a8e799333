//! A line with a delay: a relay that hands on what it reads a while later, and never makes anybody wait.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Setting;

/// What is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// The line that `bench far` runs the program on: where to listen, and where that is reached from afar.
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

/// Where a peer listens.
///
/// On Linux all of 127/8 is this machine, and each listener has an address of its own. Thousands of sessions leave
/// thousands of ports waiting for late packets, and with one address the search for a free one becomes what is measured.
pub(super) fn listen_at(setting: Setting) -> SocketAddr {
    static LISTENERS: AtomicU32 = AtomicU32::new(0);
    let ip = match (setting.is_far, cfg!(target_os = "linux")) {
        (true, _) => NEAR,
        (false, true) => {
            let listener = LISTENERS.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id() << 12);
            Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + listener % 0x00ff_0000)
        }
        (false, false) => Ipv4Addr::LOCALHOST,
    };
    (ip, 0).into()
}

/// The address to connect to in place of `address`, so that each direction takes `delay` longer.
pub(super) async fn in_front_of(address: SocketAddr, setting: Setting) -> io::Result<SocketAddr> {
    let delay = setting.delay;
    if setting.is_far {
        return Ok((FAR, address.port()).into());
    }
    if delay.is_zero() {
        return Ok(address);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(address).await else { break };
            let (_, _) = (near.set_nodelay(true), far.set_nodelay(true));
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            tokio::spawn(direction(from_near, to_far, delay));
            tokio::spawn(direction(from_far, to_near, delay));
        }
    });
    Ok(here)
}

async fn direction(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    // As much as the line itself holds: the reader must not wait for the writer.
    let (send, mut receive) = mpsc::unbounded_channel::<(Instant, Bytes)>();
    let writing = tokio::spawn(async move {
        while let Some((due, bytes)) = receive.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut room = vec![0; CHUNK];
    while let Ok(len @ 1..) = from.read(&mut room).await {
        if send.send((Instant::now() + delay, Bytes::copy_from_slice(&room[..len]))).is_err() {
            return;
        }
    }
    drop(send);
    let _ = writing.await;
}
