//! A transport overheard: every frame that passes is reported, and no byte is changed or held up.

use std::fmt;
use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use muxado_frame::{DecodeError, Decoder};

use crate::proto::{FrameDirection, FrameRecord};

/// What was overheard. `Display` is one line.
///
/// ```
/// use muxado_core::tap::{Ear, Overheard};
///
/// let mut lost = None;
/// let mut ear = Ear::new(|overheard| match overheard {
///     Overheard::Frame(frame) => println!("{frame}"),
///     Overheard::Malformed(direction, error) => lost = Some((direction, error)),
///     _ => {}
/// });
/// ear.received(b"GET / HTTP/1.1"); // no peer of ours
/// assert!(lost.is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overheard {
    /// A frame: its header has passed, and of all but DATA and unknown frames the rest too.
    Frame(FrameRecord),
    /// Bytes that are no frame. Nothing more is reported of this direction: it is not known where the next frame would
    /// begin.
    Malformed(FrameDirection, DecodeError),
}

impl fmt::Display for Overheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Overheard::Frame(frame) => frame.fmt(f),
            Overheard::Malformed(direction, error) => {
                write!(f, "{direction:<8}  {error}; nothing more is told")
            }
        }
    }
}

/// Writes each thing that is overheard as a line of its own, after `name` and a colon, to `writer`: a file, standard
/// error, a buffer. What the writer cannot take is lost.
///
/// For [`Tap::new`]. It writes at once, in the task that moves the bytes: a slow writer slows the session.
///
/// ```
/// use muxado_core::tap::{Ear, lines};
///
/// let mut text = Vec::new();
/// Ear::new(lines("client", &mut text)).sent(&[0, 0, 0, 0x12, 0, 0, 0, 3]);
/// assert!(text.starts_with(b"client: sent"));
/// ```
pub fn lines(name: impl fmt::Display, mut writer: impl Write) -> impl FnMut(Overheard) {
    move |overheard| {
        let _lost = writeln!(writer, "{name}: {overheard}");
    }
}

/// A transport that is overheard: give it to a session in place of the transport itself.
///
/// Bytes pass as they are, errors and vectored writes too. It holds no more than the beginning of a header for each
/// direction. If a transport is in two halves, tap each.
///
/// ```
/// use muxado_core::tap::{Tap, lines};
/// use muxado_core::{Config, Session};
/// # use futures_util::AsyncWriteExt;
/// # use muxado_core::rt::Runtime;
/// # let runtime = muxado_testkit::World::new();
/// # let world = runtime.clone();
/// # let (transport, _far) = muxado_testkit::pipe(4096);
///
/// let transport = Tap::new(transport, lines("client", std::io::stderr()));
/// let (session, driver) = Session::client(transport, &Config::default(), runtime.clone());
/// runtime.spawn(async { drop(driver.await) });
/// # world.block_on(async move {
///
/// let mut stream = session.open().await?;
/// stream.write_all(b"hello").await?;
/// // client: sent      DATA    id 3       length 5       flags SYN
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub struct Tap<T, F> {
    io: T,
    ear: Ear<F>,
}

impl<T, F: FnMut(Overheard)> Tap<T, F> {
    /// Overhears `io`, and calls `tell` at once, in the task that moves the bytes.
    #[must_use]
    pub fn new(io: T, tell: F) -> Tap<T, F> {
        Tap { io, ear: Ear::new(tell) }
    }
}

impl<T, F> Tap<T, F> {
    /// Gives the transport back. A frame whose header has passed only in part is not reported; no bytes are lost.
    ///
    /// ```
    /// use muxado_core::tap::{Tap, lines};
    ///
    /// let tap = Tap::new(std::net::TcpListener::bind("127.0.0.1:0")?, lines("a name", std::io::sink()));
    /// println!("{}", tap.get_ref().local_addr()?);
    /// let listener = tap.into_inner();
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        self.io
    }

    /// The transport, to look at.
    #[must_use]
    pub fn get_ref(&self) -> &T {
        &self.io
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Tap<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("io", &self.io).finish_non_exhaustive()
    }
}

impl<T: AsyncRead + Unpin, F: FnMut(Overheard) + Unpin> AsyncRead for Tap<T, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if let Poll::Ready(Ok(len)) = read {
            self.ear.received(buf.get(..len).unwrap_or(buf));
        }
        read
    }
}

impl<T: AsyncWrite + Unpin, F: FnMut(Overheard) + Unpin> AsyncWrite for Tap<T, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(len)) = written {
            self.ear.sent(buf.get(..len).unwrap_or(buf));
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(len)) = written {
            self.ear.sent_slices(bufs, len);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}

/// Turns the bytes that pass, in both directions, into frames: for taps on traits other than those of futures-io.
///
/// ```
/// use muxado_core::tap::{Ear, Overheard};
///
/// let mut lines = Vec::new();
/// let mut ear = Ear::new(|overheard: Overheard| lines.push(overheard.to_string()));
/// ear.sent(&[0, 0, 0, 0x12]); // bytes may be cut anywhere
/// ear.sent(&[0, 0, 0, 3]);
/// assert_eq!(lines.len(), 1);
/// ```
pub struct Ear<F> {
    received: Hearing,
    sent: Hearing,
    tell: F,
}

impl<F: FnMut(Overheard)> Ear<F> {
    /// One that has heard nothing yet, at the beginning of both directions.
    #[must_use]
    pub fn new(tell: F) -> Ear<F> {
        Ear {
            received: Hearing::new(FrameDirection::Received),
            sent: Hearing::new(FrameDirection::Sent),
            tell,
        }
    }

    /// The peer's next bytes. What they complete is reported before this returns.
    pub fn received(&mut self, bytes: &[u8]) {
        self.received.hear(bytes, &mut self.tell);
    }

    /// Our next bytes. What they complete is reported before this returns.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.sent.hear(bytes, &mut self.tell);
    }

    /// Our next bytes: the first `len` of `bufs`.
    ///
    /// ```
    /// use std::io::IoSlice;
    ///
    /// use muxado_core::tap::{Ear, Overheard};
    ///
    /// let mut frames = 0;
    /// let mut ear = Ear::new(|_: Overheard| frames += 1);
    /// let frame = [0, 0, 0, 0x12, 0, 0, 0, 3];
    /// ear.sent_slices(&[IoSlice::new(&frame), IoSlice::new(&frame)], 12); // the transport took no more
    /// assert_eq!(frames, 1);
    /// ```
    pub fn sent_slices(&mut self, bufs: &[IoSlice<'_>], len: usize) {
        let mut left = len;
        for buf in bufs {
            let heard = buf.len().min(left);
            self.sent(&buf[..heard]);
            left -= heard;
        }
    }
}

impl<F> fmt::Debug for Ear<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").finish_non_exhaustive()
    }
}

/// One direction.
struct Hearing {
    direction: FrameDirection,
    decoder: Decoder,
    /// What comes cannot be understood any more.
    is_lost: bool,
}

impl Hearing {
    fn new(direction: FrameDirection) -> Hearing {
        Hearing { direction, decoder: Decoder::new(), is_lost: false }
    }

    fn hear(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Overheard)) {
        while !bytes.is_empty() && !self.is_lost {
            match self.decoder.decode(bytes) {
                Ok((taken, item)) => {
                    bytes = bytes.get(taken..).unwrap_or(&[]);
                    let frame = item.and_then(|item| FrameRecord::of(self.direction, &item));
                    if let Some(frame) = frame {
                        tell(Overheard::Frame(frame));
                    }
                }
                Err(error) => {
                    self.is_lost = true;
                    tell(Overheard::Malformed(self.direction, error));
                }
            }
        }
    }
}
