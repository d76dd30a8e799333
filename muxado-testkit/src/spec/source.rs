//! Where connections to the peer come from: it is dialled, or it dials in.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks for a connection.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A peer that dials in may be busy with another play for this many limits.
const PATIENCE: u32 = 8;

/// A way to get one connection after the other.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    /// It has taken too long once. What follows does not wait again.
    gone: AtomicBool,
}

#[derive(Debug)]
enum Kind {
    Dial(Vec<SocketAddr>),
    Listen(Mutex<TcpListener>),
}

impl Source {
    /// Dials `address`, where the peer listens.
    ///
    /// # Errors
    /// The address cannot be resolved.
    pub fn dial(address: impl ToSocketAddrs) -> io::Result<Source> {
        Ok(Source { kind: Kind::Dial(address.to_socket_addrs()?.collect()), gone: AtomicBool::new(false) })
    }

    /// Waits for the peer to dial in.
    ///
    /// # Errors
    /// Whatever the listener reports.
    pub fn listen(listener: TcpListener) -> io::Result<Source> {
        listener.set_nonblocking(true)?;
        Ok(Source { kind: Kind::Listen(Mutex::new(listener)), gone: AtomicBool::new(false) })
    }

    /// One connection, or why there is none.
    pub(super) fn connect(&self, limit: Duration) -> Result<TcpStream, String> {
        if self.gone.load(Ordering::Relaxed) {
            return Err("the peer is gone".into());
        }
        let connection = match &self.kind {
            Kind::Dial(addresses) => dial(addresses, limit),
            Kind::Listen(listener) => {
                let listener = listener.lock().map_err(|_| "another play has failed".to_owned())?;
                // Another play may have found out while this one waited for its turn.
                if self.gone.load(Ordering::Relaxed) {
                    return Err("the peer is gone".into());
                }
                accept(&listener, limit * PATIENCE)
            }
        };
        if connection.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            self.gone.store(true, Ordering::Relaxed);
        }
        connection.map_err(|error| format!("no connection: {error}"))
    }
}

fn dial(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::AddrNotAvailable, "no address");
    for address in addresses {
        match TcpStream::connect_timeout(address, limit) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn accept(listener: &TcpListener, limit: Duration) -> io::Result<TcpStream> {
    let until = Instant::now() + limit;
    loop {
        match listener.accept() {
            Ok((tcp, _)) => return Ok(tcp),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                thread::sleep(LOOK_EVERY);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the peer did not dial in"));
            }
            Err(error) => return Err(error),
        }
    }
}
