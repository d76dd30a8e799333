//! The connections of one protocol.

use std::fmt;
use std::io;
use std::pin::Pin;
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
/// let mut sniffer = Sniffer::on(muxado_smol::Smol::default(), Limits::new());
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
/// All of its connections are closed, those to come too.
pub struct Listener<C> {
    queue: Receiver<Sniffed<C>>,
}

impl<C> Listener<C> {
    pub(crate) fn new(queue: Receiver<Sniffed<C>>) -> Listener<C> {
        Listener { queue }
    }

    /// Waits for the next connection; none once the sniffer is gone and all that were waiting are taken.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> Option<Sniffed<C>> {
        self.queue.recv().await.ok()
    }

    /// The connections as a stream, for tonic's `serve_with_incoming` among others. None of them is an error, and dropping the
    /// future of the next one loses none.
    pub fn incoming(self) -> Incoming<C> {
        Incoming { queue: Box::pin(self.queue) }
    }
}

impl<C> fmt::Debug for Listener<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("waiting", &self.queue.len()).finish()
    }
}

/// The connections of a [`Listener`] as a stream, which ends with the sniffer. Dropping it is dropping the listener. The waker
/// of the last poll that had to wait is kept.
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<C> {
    queue: Pin<Box<Receiver<Sniffed<C>>>>,
}

impl<C> futures_core::Stream for Incoming<C> {
    type Item = io::Result<Sniffed<C>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.as_mut().poll_next(cx).map(|next| next.map(Ok))
    }
}

impl<C> fmt::Debug for Incoming<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("waiting", &self.queue.len()).finish()
    }
}
