//! Raw TCP connections, to compare with: only for clients that have a session, a few for each, and no longer than it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::serve::serve;
use super::session::PATIENCE;
use crate::channel::Channel;
use crate::log;
use crate::protocol::{self, Kind, Token};

/// Connections that have not shown a token yet. More are turned away.
const MAX_STRANGERS: usize = 64;

/// Connections at once for one session. A test needs three; those of the test before may not have ended quite.
const MAX_EACH: usize = 8;

#[derive(Debug)]
pub(super) struct Raw {
    listener: TcpListener,
    guests: Mutex<HashMap<Token, Guest>>,
}

/// A session that may have raw connections.
#[derive(Clone, Debug)]
struct Guest {
    places: Arc<Semaphore>,
    gone: CancellationToken,
}

/// Lets a client make raw connections. Dropped, they end.
#[derive(Debug)]
pub(super) struct Invitation {
    raw: Arc<Raw>,
    token: Token,
}

impl Raw {
    pub(super) async fn bind(address: &str) -> anyhow::Result<Raw> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen for raw TCP on {address}"))?;
        Ok(Raw { listener, guests: Mutex::default() })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(super) fn invite(self: &Arc<Raw>) -> anyhow::Result<Invitation> {
        let mut token = Token::default();
        getrandom::fill(&mut token).map_err(|error| anyhow!("no random numbers: {error}"))?;
        let guest = Guest { places: Arc::new(Semaphore::new(MAX_EACH)), gone: CancellationToken::new() };
        self.guests().insert(token, guest);
        Ok(Invitation { raw: self.clone(), token })
    }

    /// Serves connections until `stop`. Those that there are end with their sessions.
    pub(super) async fn run(self: Arc<Raw>, stop: CancellationToken) {
        let strangers = Arc::new(Semaphore::new(MAX_STRANGERS));
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = tasks.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((tcp, peer)) => {
                        let Ok(stranger) = strangers.clone().try_acquire_owned() else { continue };
                        tasks.spawn(self.clone().attend(tcp, peer, stranger, stop.clone()));
                    }
                    // Out of files, most likely, which passes.
                    Err(error) => {
                        log(format_args!("cannot accept raw TCP: {error}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn attend(
        self: Arc<Raw>,
        mut tcp: TcpStream,
        peer: SocketAddr,
        stranger: OwnedSemaphorePermit,
        stop: CancellationToken,
    ) {
        let introduced = tokio::select! {
            introduced = timeout(PATIENCE, self.introduce(&mut tcp)) => introduced.ok().flatten(),
            () = stop.cancelled() => None,
        };
        let Some((guest, kind)) = introduced else {
            return log(format_args!("{peer}: turned away from raw TCP"));
        };
        drop(stranger);
        let Ok(_place) = guest.places.try_acquire() else {
            return log(format_args!("{peer}: turned away from raw TCP, where it has been often enough"));
        };
        let serving = async { serve(kind, Channel::tcp(tcp)?).await };
        tokio::select! {
            () = guest.gone.cancelled() => {}
            served = serving => if let Err(error) = served { log(format_args!("{peer}: raw TCP: {error}")) },
        }
    }

    /// Whose connection it is, and what it is for; none for a stranger's.
    async fn introduce(&self, tcp: &mut TcpStream) -> Option<(Guest, Kind)> {
        let mut token = Token::default();
        tcp.read_exact(&mut token).await.ok()?;
        let kind = Kind::of(tcp.read_u32().await.ok()?)?;
        Some((self.guests().get(&token)?.clone(), kind))
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<Token, Guest>> {
        // Nothing under the lock leaves it half done.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Invitation {
    pub(super) fn terms(&self) -> io::Result<protocol::Raw> {
        Ok(protocol::Raw { port: self.raw.local_addr()?.port(), token: self.token })
    }
}

impl Drop for Invitation {
    fn drop(&mut self) {
        if let Some(guest) = self.raw.guests().remove(&self.token) {
            guest.gone.cancel();
        }
    }
}
