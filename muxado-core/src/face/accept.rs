//! Accepting connections for as long as the listener works, whatever is wrong with one of them.

use std::future::Future;
use std::io;
use std::time::Duration;

use crate::rt::Runtime;

/// The shortest and longest pause after an accept failed for want of resources.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Bad connections in a row after which accepting pauses too: whatever is wrong, it must not keep a core busy.
const MAX_IN_A_ROW: u32 = 100;

/// Calls `attempt` until it gives a connection: what the `accept` of every listener does.
///
/// Trouble that concerns one connection, or that passes, is absorbed: an aborted connection is skipped, and when file
/// descriptors or memory run out it pauses and tries again, so that a busy server does not stop.
///
/// ```
/// use std::future::ready;
/// use std::io;
///
/// # let world = muxado_testkit::World::new();
/// # let runtime = world.clone();
/// # world.block_on(async move {
/// let aborted = io::Error::from(io::ErrorKind::ConnectionAborted);
/// let mut outcomes = [Err(aborted), Ok("a connection")].into_iter();
/// let attempt = || ready(outcomes.next().expect("one of the two"));
/// assert_eq!(muxado_core::face::accept(&runtime, attempt).await?, "a connection");
/// # io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Only what makes the listener itself useless.
///
/// # Cancel safety
/// That of `attempt`: dropping the future drops the attempt that is under way, and nothing else.
pub async fn accept<R, F, T>(runtime: &R, mut attempt: impl FnMut() -> F) -> io::Result<T>
where
    R: Runtime,
    F: Future<Output = io::Result<T>>,
{
    let mut pause = PAUSE_MIN;
    let mut in_a_row = 0;
    loop {
        let error = match attempt().await {
            Ok(accepted) => return Ok(accepted),
            Err(error) => error,
        };
        in_a_row += 1;
        match Trouble::of(&error) {
            Trouble::OneConnection if in_a_row < MAX_IN_A_ROW => {}
            Trouble::OneConnection | Trouble::Resources => {
                runtime.sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Trouble::Listener => return Err(error),
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
            // The latter is said by epoll of a user who watches as many sockets as may be.
            OutOfMemory | StorageFull => Trouble::Resources,
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
            #[cfg(unix)]
            (io::Error::from_raw_os_error(28), Trouble::Resources),
            #[cfg(target_os = "macos")]
            (io::Error::from_raw_os_error(55), Trouble::Resources),
            #[cfg(windows)]
            (io::Error::from_raw_os_error(10024), Trouble::Resources),
            #[cfg(windows)]
            (io::Error::from_raw_os_error(10055), Trouble::Resources),
            // WSAECONNRESET: whoever had asked for it is gone.
            #[cfg(windows)]
            (io::Error::from_raw_os_error(10054), Trouble::OneConnection),
        ] {
            assert_eq!(Trouble::of(&error), trouble, "{error}");
        }
    }
}
