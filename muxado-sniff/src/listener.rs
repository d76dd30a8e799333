//! The connections of one protocol.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use async_channel::Receiver;

use crate::sniffed::Sniffed;

/// The connections that one matcher has matched, in the order in which they were recognised.
///
/// At most [`Limits::queue`](crate::Limits::queue) wait here; more are closed, and no other listener notices.
///
/// ```
/// use muxado_sniff::{Limits, Sniffer, prefix};
/// use smol::io::{AsyncReadExt, AsyncWriteExt};
///
/// # smol::block_on(async {
/// let port = smol::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let mut client = smol::net::TcpStream::connect(port.local_addr()?).await?;
/// # client.write_all(b"hello, world").await?;
/// let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
/// let greetings = sniffer.listen(prefix(*b"hello"));
/// smol::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await }).detach();
///
/// let mut connection = greetings.accept().await.expect("the sniffer runs");
/// let mut greeting = [0; 12];
/// connection.read_exact(&mut greeting).await?; // from the first byte on
/// assert_eq!(&greeting, b"hello, world");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// All of its connections are closed, and so are those to come.
pub struct Listener<C> {
    waiting: Waiting<C>,
}

impl<C> Listener<C> {
    /// Those that it leaves behind are counted in `unclaimed`.
    pub(crate) fn new(queue: Receiver<Sniffed<C>>, unclaimed: Arc<AtomicU64>) -> Listener<C> {
        Listener { waiting: Waiting { queue: Box::pin(queue), unclaimed } }
    }

    /// Waits for the next connection; none once the sniffer is gone and all that were waiting are taken.
    ///
    /// ```
    /// # use muxado_sniff::{Limits, Sniffer, http1};
    /// # use smol::io::AsyncReadExt;
    /// use smol::io::AsyncWriteExt;
    ///
    /// # smol::block_on(async {
    /// # let port = smol::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let mut client = smol::net::TcpStream::connect(port.local_addr()?).await?;
    /// # client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    /// # let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
    /// # let web = sniffer.listen(http1());
    /// # let running = smol::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await });
    /// let serving = smol::spawn(async move {
    ///     while let Some(mut connection) = web.accept().await {
    ///         let answer = async move { connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await };
    ///         smol::spawn(answer).detach(); // a slow client holds up no other
    ///     }
    /// });
    /// # client.read_exact(&mut [0; 27]).await?;
    /// # running.cancel().await;
    /// # serving.await; // it ends with the sniffer
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> Option<Sniffed<C>> {
        self.waiting.queue.recv().await.ok()
    }

    /// The connections as a stream, for tonic's `serve_with_incoming` among others. No item is an error, and dropping
    /// the future of the next one loses none.
    ///
    /// ```
    /// # use muxado_sniff::{Limits, Sniffer, http1};
    /// # use smol::io::{AsyncReadExt, AsyncWriteExt};
    /// # use smol::net::{TcpListener, TcpStream};
    /// # smol::block_on(async {
    /// # let port = TcpListener::bind("127.0.0.1:0").await?;
    /// # let mut client = TcpStream::connect(port.local_addr()?).await?;
    /// # client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    /// # let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
    /// # let web = sniffer.listen(http1());
    /// # let running = smol::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await });
    /// use smol::stream::StreamExt;
    ///
    /// let mut connections = web.incoming();
    /// while let Some(connection) = connections.next().await {
    ///     println!("{:?}", connection?);
    /// #   break;
    /// }
    /// # running.cancel().await;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn incoming(self) -> Incoming<C> {
        Incoming { waiting: self.waiting }
    }
}

impl<C> fmt::Debug for Listener<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("waiting", &self.waiting.queue.len()).finish()
    }
}

/// The connections of a [`Listener`] as a stream, which ends with the sniffer. Dropping it is dropping the listener. The waker
/// of the last poll that had to wait is kept.
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<C> {
    waiting: Waiting<C>,
}

impl<C> futures_core::Stream for Incoming<C> {
    type Item = io::Result<Sniffed<C>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.waiting.queue.as_mut().poll_next(cx).map(|next| next.map(Ok))
    }
}

impl<C> fmt::Debug for Incoming<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("waiting", &self.waiting.queue.len()).finish()
    }
}

/// What has come and was not accepted yet.
struct Waiting<C> {
    queue: Pin<Box<Receiver<Sniffed<C>>>>,
    unclaimed: Arc<AtomicU64>,
}

impl<C> Drop for Waiting<C> {
    fn drop(&mut self) {
        // A channel whose receiver is gone keeps what is in it for as long as there is a sender, which the sniffer has. Closed
        // first, so that what is handed on meanwhile is either in there by now or is given back to the sniffer.
        self.queue.close();
        while self.queue.try_recv().is_ok() {
            self.unclaimed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
