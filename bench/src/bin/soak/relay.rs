//! A relay between two ends of a TCP connection, on which something goes wrong.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Little passes at a time; nothing else is wrong.
    Slow,
    /// Both sockets are closed at once after so many bytes of one direction.
    KillAfter(u64),
    /// One direction ends after so many bytes; the other goes on.
    EndAfter(u64),
    /// After so many bytes nothing passes for a while, then both sockets are closed.
    StallAfter(u64, Duration),
}

impl Mishap {
    pub(crate) fn random(rng: &mut Rng) -> Mishap {
        let most = [100, 10_000, 3_000_000][rng.usize(0..3)];
        let bytes = rng.u64(0..most);
        match rng.u8(0..4) {
            0 => Mishap::EndAfter(bytes),
            1 => Mishap::StallAfter(bytes, Duration::from_millis(rng.u64(0..4000))),
            _ => Mishap::KillAfter(bytes),
        }
    }
}

/// No pair that is ended by its relay talks for longer.
const LONG_ENOUGH: Duration = Duration::from_secs(5);

/// Where to connect to instead of `server`. Takes one connection.
pub(crate) async fn start(server: SocketAddr, mishap: Mishap) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let Ok((client, _)) = listener.accept().await else { return };
        drop(listener);
        let Ok(server) = TcpStream::connect(server).await else { return };
        let (client_read, client_write) = client.into_split();
        let (server_read, server_write) = server.into_split();
        let both = async {
            // The first to be killed takes the other with it.
            let there = copy(client_read, server_write, mishap);
            let back = copy(server_read, client_write, mishap);
            match mishap {
                Mishap::KillAfter(_) | Mishap::StallAfter(..) => drop(tokio::try_join!(there, back)),
                Mishap::Slow | Mishap::EndAfter(_) => drop(tokio::join!(there, back)),
            }
        };
        match mishap {
            Mishap::Slow => both.await,
            _ => drop(tokio::time::timeout(LONG_ENOUGH, both).await),
        }
    });
    Ok(address)
}

/// Passes on what comes, until it ends or something goes wrong.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mishap: Mishap) -> io::Result<()> {
    let mut buffer = vec![0; 32 * 1024];
    let mut passed = 0;
    let limit = match mishap {
        Mishap::Slow => u64::MAX,
        Mishap::KillAfter(bytes) | Mishap::EndAfter(bytes) | Mishap::StallAfter(bytes, _) => bytes,
    };
    while passed < limit {
        let room = usize::try_from(limit - passed).unwrap_or(usize::MAX).min(buffer.len());
        let room = if mishap == Mishap::Slow { room.min(10_000) } else { room };
        let read = from.read(&mut buffer[..room]).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        if mishap == Mishap::Slow {
            sleep(Duration::from_millis(1)).await;
        }
        to.write_all(&buffer[..read]).await?;
        passed += read as u64;
    }
    match mishap {
        Mishap::StallAfter(_, pause) => sleep(pause).await,
        Mishap::EndAfter(_) => return to.shutdown().await,
        _ => {}
    }
    Err(io::ErrorKind::ConnectionAborted.into())
}
