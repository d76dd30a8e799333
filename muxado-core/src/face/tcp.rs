//! How a TCP connection should be set up for a session.

#[cfg(unix)]
use std::os::fd::AsFd as AsSocket;
#[cfg(windows)]
use std::os::windows::io::AsSocket;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use crate::Config;
use crate::session::stock;

/// How long a connection may be silent before the kernel asks whether the peer is alive, and how long between asking.
/// Finds dead peers that no one writes to, within a minute and a half or so.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(45);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);

/// Sets up a connection for a session: `TCP_NODELAY` and TCP keepalive, and where the system has them, bounds on what
/// the socket holds unsent and on how long sent bytes may stay unacknowledged. The latter is [`Config::write_stall`],
/// which by itself only sees what the socket does not take.
///
/// `connect`, `Listener` and `over_tcp` of the faces do it. It is for a connection that comes to a session inside something
/// else: looked at by a sniffer, or below a protocol of your own.
///
/// All of it is advice: a system that does not take it still carries the bytes, and a connection that is dead already
/// says so soon enough.
///
/// ```
/// use std::net::{TcpListener, TcpStream};
///
/// use muxado_core::Config;
/// use muxado_core::face::tune;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let tcp = TcpStream::connect(listener.local_addr()?)?;
/// tune(&tcp, &Config::default());
/// assert!(tcp.nodelay()?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn tune(tcp: &impl AsSocket, config: &Config) {
    let socket = SockRef::from(tcp);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_keepalive(&keepalive);
    bound_unsent(tcp, stock::BEGIN);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(config.write_stall());
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = config;
}

/// Bounds what waits unsent in the socket, in bytes, where the system can: a message goes behind this and no more. Socket
/// buffers themselves are left to the system, which knows the link.
///
/// For [`Driver::unsent`](crate::Driver::unsent), after [`tune`].
///
/// ```
/// use std::net::{TcpListener, TcpStream};
///
/// use muxado_core::face::bound_unsent;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let tcp = TcpStream::connect(listener.local_addr()?)?;
/// bound_unsent(&tcp, 64 * 1024);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn bound_unsent(tcp: &impl AsSocket, bytes: u32) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = SockRef::from(tcp).set_tcp_notsent_lowat(bytes);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (tcp, bytes);
}
