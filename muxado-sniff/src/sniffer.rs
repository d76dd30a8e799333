//! Connections in, listeners out.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_channel::Sender;
use muxado_core::face::{ArrivalLimits, Arrivals};
use muxado_core::rt::Runtime;

use crate::io::{FuturesIo, Io};
use crate::limits::Limits;
use crate::listener::Listener;
use crate::matcher::Matcher;
use crate::sniff::{Routed, sniff};
use crate::sniffed::Sniffed;

/// Tells the connections of one port apart, and gives each protocol a listener of its own.
///
/// Ask for listeners with [`listen`](Sniffer::listen), the most particular first; then [`run`](Sniffer::run) it. A connection
/// goes to the first matcher that fits. That is decided once, by the connection's first bytes: a client that keeps its
/// connection for further requests sends them to the same listener, whatever they are. For examples see
/// [`on`](Sniffer::on) and [`Listener`](crate::Listener).
///
/// # Dropping
/// The listeners report the end. Connections that were still being looked at are closed; those that wait in a listener
/// can still be accepted.
pub struct Sniffer<C, P> {
    io: P,
    limits: Limits,
    matchers: Arc<Vec<Arc<dyn Matcher>>>,
    queues: Vec<Sender<Sniffed<C>>>,
    arrivals: Arrivals<P, Routed<C>>,
    unmatched: AtomicU64,
    /// Shared with the listeners, for those that they leave behind.
    unclaimed: Arc<AtomicU64>,
}

/// What became of connections that no listener has handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SniffStats {
    /// Being looked at now.
    pub sniffing: u64,
    /// Failed while they were looked at.
    pub failed: u64,
    /// Closed to make room for newer ones, at [`Limits::max_sniffing`].
    pub displaced: u64,
    /// Closed because no matcher fitted.
    pub unmatched: u64,
    /// Closed because their listener's queue was full, or because it was dropped before it handed them out.
    pub unclaimed: u64,
}

#[cfg(feature = "tokio")]
impl<C: Send + 'static> Sniffer<C, crate::io::Tokio>
where
    crate::io::Tokio: Io<C>,
{
    /// A sniffer on tokio, for connections with tokio's I/O traits. The program of this crate's page has one.
    #[must_use]
    pub fn tokio(limits: Limits) -> Sniffer<C, crate::io::Tokio> {
        Sniffer::new(crate::io::Tokio, limits)
    }
}

impl<C: Send + 'static, R: Runtime> Sniffer<C, FuturesIo<R>>
where
    FuturesIo<R>: Io<C>,
{
    /// A sniffer on any runtime, for connections with the futures-io traits.
    ///
    /// ```
    /// use muxado_sniff::{Limits, Sniffer, http1};
    /// use smol::net::TcpListener;
    ///
    /// # smol::block_on(async {
    /// let port = TcpListener::bind("127.0.0.1:0").await?;
    /// # let mut client = smol::net::TcpStream::connect(port.local_addr()?).await?;
    /// # smol::io::AsyncWriteExt::write_all(&mut client, b"GET / HTTP/1.1\r\n").await?;
    /// let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
    /// let web = sniffer.listen(http1());
    /// smol::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await }).detach();
    /// let connection = web.accept().await;
    /// # assert!(connection.is_some());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn on(runtime: R, limits: Limits) -> Sniffer<C, FuturesIo<R>> {
        Sniffer::new(FuturesIo(runtime), limits)
    }
}

impl<C: Send + 'static, P: Io<C>> Sniffer<C, P> {
    fn new(io: P, limits: Limits) -> Sniffer<C, P> {
        // The time is kept here, since a connection that says nothing may belong to somebody all the same.
        let arrivals = Arrivals::new(io.clone(), ArrivalLimits::without_time(limits.max_sniffing));
        Sniffer {
            io,
            limits,
            matchers: Arc::default(),
            queues: Vec::new(),
            arrivals,
            unmatched: AtomicU64::new(0),
            unclaimed: Arc::default(),
        }
    }

    /// The listener for what `matcher` matches and no earlier matcher does. Its queue is [`Limits::queue`] long.
    ///
    /// ```
    /// use muxado_sniff::{Limits, Sniffer, any, tls};
    ///
    /// # use smol::net::TcpStream;
    /// let mut sniffer = Sniffer::<TcpStream, _>::on(muxado_smol::Smol, Limits::new());
    /// let muxado = sniffer.listen(tls().alpn("muxado/2")); // the more particular first
    /// let web = sniffer.listen(tls());
    /// let rest = sniffer.listen(any());
    /// # drop((muxado, web, rest));
    /// ```
    #[must_use]
    pub fn listen(&mut self, matcher: impl Matcher) -> Listener<C> {
        Arc::make_mut(&mut self.matchers).push(Arc::new(matcher));
        let (queue, listener) = async_channel::bounded(self.limits.queue);
        self.queues.push(queue);
        Listener::new(listener, self.unclaimed.clone())
    }

    /// Accepts connections with `accept` and hands them to the listeners, until accepting fails for good, and returns
    /// why. Trouble that concerns one connection, or that passes, does not end it.
    ///
    /// May run several times at once, for several ports.
    ///
    /// ```
    /// # use muxado_sniff::{Limits, Sniffer, http1};
    /// # use smol::io::AsyncWriteExt;
    /// # use smol::net::{TcpListener, TcpStream};
    /// # smol::block_on(async {
    /// # let (v4, v6) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    /// # let addresses = [v4.local_addr()?, v6.local_addr()?];
    /// # let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
    /// # let web = sniffer.listen(http1());
    /// smol::spawn(async move {
    ///     let one = sniffer.run(async || v4.accept().await.map(|(tcp, _peer)| tcp));
    ///     let other = sniffer.run(async || v6.accept().await.map(|(tcp, _peer)| tcp));
    ///     let error = smol::future::or(one, other).await; // both at once, until one port is of no use any more
    ///     eprintln!("a port broke: {error}");
    /// })
    /// .detach();
    /// # for address in addresses {
    /// #     TcpStream::connect(address).await?.write_all(b"GET / HTTP/1.1\r\n").await?;
    /// #     assert!(web.accept().await.is_some());
    /// # }
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// That of `accept`. Dropping the future stops accepting; looking at connections goes on, and they are handed on if
    /// it is run again.
    ///
    /// # Panics
    /// On tokio: outside a runtime, as `tokio::spawn` does.
    pub async fn run<A, F>(&self, mut accept: A) -> io::Error
    where
        A: FnMut() -> F,
        F: Future<Output = io::Result<C>>,
    {
        loop {
            let look = |connection| sniff(connection, self.matchers.clone(), self.limits, self.io.clone());
            match self.arrivals.next(&mut accept, look).await {
                Ok(routed) => self.hand_on(routed),
                Err(error) => return error,
            }
        }
    }

    fn hand_on(&self, Routed { to, connection }: Routed<C>) {
        let Some(to) = to else {
            self.unmatched.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let handed = self.queues.get(to).map(|queue| queue.try_send(connection));
        if !matches!(handed, Some(Ok(()))) {
            self.unclaimed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What became of connections that no listener has handed out.
    ///
    /// ```
    /// # use muxado_sniff::{Limits, Sniffer, http1};
    /// # use smol::io::{AsyncReadExt, AsyncWriteExt};
    /// # use smol::net::{TcpListener, TcpStream};
    /// # smol::block_on(async {
    /// # let port = TcpListener::bind("127.0.0.1:0").await?;
    /// # let mut client = TcpStream::connect(port.local_addr()?).await?;
    /// # client.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await?;
    /// # let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
    /// # let web = sniffer.listen(http1());
    /// use std::sync::Arc;
    ///
    /// let sniffer = Arc::new(sniffer);
    /// let running = sniffer.clone();
    /// # let running = smol::spawn(async move { running.run(async || port.accept().await.map(|(tcp, _)| tcp)).await });
    /// # client.read(&mut [0; 1]).await.ok(); // until it is closed
    /// // While it runs, in a task of its own:
    /// let stats = sniffer.stats();
    /// println!("{} looked at, {} that nobody wanted", stats.sniffing, stats.unmatched);
    /// # drop((web, running.cancel().await));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn stats(&self) -> SniffStats {
        let arrivals = self.arrivals.stats();
        SniffStats {
            sniffing: arrivals.pending,
            failed: arrivals.failed,
            displaced: arrivals.displaced,
            unmatched: self.unmatched.load(Ordering::Relaxed),
            unclaimed: self.unclaimed.load(Ordering::Relaxed),
        }
    }
}

impl<C, P> fmt::Debug for Sniffer<C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sniffer")
            .field("limits", &self.limits)
            .field("matchers", &self.matchers.len())
            .finish_non_exhaustive()
    }
}
