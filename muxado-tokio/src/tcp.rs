//! TCP: connect, bind, accept.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use muxado_core::{Config, Side};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::session::Session;

/// How long a connection may be silent before the kernel asks whether the peer is alive, and how long between asking.
/// Finds dead peers that no one writes to, within a minute and a half or so.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(45);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);

/// The shortest and longest pause after an accept failed for want of resources.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Bad connections in a row after which accepting pauses too: whatever is wrong, it must not keep a core busy.
const MAX_IN_A_ROW: u32 = 100;

/// Connects over TCP and starts the client's end of a session, with the default settings.
///
/// `TCP_NODELAY` and TCP keepalive are on.
///
/// # Errors
/// Whatever resolving and connecting report.
pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Session> {
    connect_with(address, &Config::default()).await
}

/// As [`connect`], with settings.
///
/// # Errors
/// Whatever resolving and connecting report.
pub async fn connect_with(address: impl ToSocketAddrs, config: &Config) -> io::Result<Session> {
    let tcp = TcpStream::connect(address).await?;
    tune(&tcp);
    Ok(Session::over_tcp(tcp, Side::Client, config))
}

/// Accepts TCP connections and starts the server's end of a session on each.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    config: Config,
}

impl Listener {
    /// Listens on `address`, with the default settings for the sessions.
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Listener> {
        Listener::bind_with(address, Config::default()).await
    }

    /// As [`bind`](Listener::bind), with settings.
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    pub async fn bind_with(address: impl ToSocketAddrs, config: Config) -> io::Result<Listener> {
        Ok(Listener { tcp: TcpListener::bind(address).await?, config })
    }

    /// Takes over a listener that was made elsewhere.
    #[must_use]
    pub fn from_tcp(tcp: TcpListener, config: Config) -> Listener {
        Listener { tcp, config }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Waits for the next connection and starts a session on it. `TCP_NODELAY` and TCP keepalive are on.
    ///
    /// What goes wrong with one connection, or passes, is absorbed: an aborted connection is skipped, and when files or
    /// memory run out it pauses and tries again, so that a busy server does not end.
    ///
    /// # Errors
    /// Only what makes the listener itself useless.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(Session, SocketAddr)> {
        let mut pause = PAUSE_MIN;
        let mut in_a_row = 0;
        loop {
            let (tcp, peer) = match self.tcp.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    in_a_row += 1;
                    match Trouble::of(&error) {
                        Trouble::OneConnection if in_a_row < MAX_IN_A_ROW => {}
                        Trouble::OneConnection | Trouble::Resources => {
                            tokio::time::sleep(pause).await;
                            pause = (pause * 2).min(PAUSE_MAX);
                        }
                        Trouble::Listener => return Err(error),
                    }
                    continue;
                }
            };
            tune(&tcp);
            return Ok((Session::over_tcp(tcp, Side::Server, &self.config), peer));
        }
    }
}

/// What a failed accept says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// That one connection was bad. There may be more.
    OneConnection,
    /// The process or the system has run out of something that may come back.
    Resources,
    /// The listener will not work again.
    Listener,
}

impl Trouble {
    fn of(error: &io::Error) -> Trouble {
        use io::ErrorKind::*;
        match error.kind() {
            ConnectionAborted | ConnectionReset | ConnectionRefused | Interrupted | WouldBlock | TimedOut
            | HostUnreachable | NetworkUnreachable | NetworkDown | PermissionDenied => Trouble::OneConnection,
            OutOfMemory => Trouble::Resources,
            _ if failed_handshake(error) => Trouble::OneConnection,
            _ if out_of_files(error) => Trouble::Resources,
            _ => Trouble::Listener,
        }
    }
}

/// Errors of the new connection that Linux reports from accept, and for which it asks to try again. The standard library
/// has no kinds for them.
fn failed_handshake(error: &io::Error) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CODES: &[i32] = &[
        64,  /* ENONET */
        71,  /* EPROTO */
        92,  /* ENOPROTOOPT */
        95,  /* EOPNOTSUPP */
        112, /* EHOSTDOWN */
    ];
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CODES: &[i32] = &[];
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// Out of file descriptors or socket buffers, for the process or the system. The standard library has no kinds for
/// them.
fn out_of_files(error: &io::Error) -> bool {
    #[cfg(unix)]
    const CODES: &[i32] = &[
        23,  /* ENFILE */
        24,  /* EMFILE */
        55,  /* ENOBUFS, BSD */
        105, /* ENOBUFS, Linux */
    ];
    #[cfg(windows)]
    const CODES: &[i32] = &[10024 /* WSAEMFILE */, 10055 /* WSAENOBUFS */];
    #[cfg(not(any(unix, windows)))]
    const CODES: &[i32] = &[];
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// What waits unsent in the socket at the most, in bytes: a message goes behind this and no more. Socket buffers
/// themselves are left to the system, which knows the link.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// Sets up a connection for a session. All of it is advice: a system that does not take it still carries the bytes,
/// and a connection that is dead already says so soon enough.
fn tune(tcp: &TcpStream) {
    let socket = SockRef::from(tcp);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broken_listener_ends_the_server() {
        for (error, trouble) in [
            (io::ErrorKind::ConnectionAborted.into(), Trouble::OneConnection),
            (io::ErrorKind::ConnectionReset.into(), Trouble::OneConnection),
            (io::ErrorKind::InvalidInput.into(), Trouble::Listener),
            (io::Error::other("broken"), Trouble::Listener),
            #[cfg(target_os = "linux")]
            (io::Error::from_raw_os_error(71), Trouble::OneConnection),
            #[cfg(unix)]
            (io::Error::from_raw_os_error(24), Trouble::Resources),
            #[cfg(unix)]
            (io::Error::from_raw_os_error(23), Trouble::Resources),
        ] {
            assert_eq!(Trouble::of(&error), trouble, "{error}");
        }
    }
}
