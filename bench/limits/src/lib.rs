//! What a multiplexer on one connection cannot avoid, and nothing else: at each end a task that owns the connection, a
//! header for each piece, turns, a copy on the way in and one on the way out.
//!
//! It has no windows, no limits for a peer, no half-close, no reset, no errors that say anything, and holds back the whole
//! connection when one stream is not read. What it reaches is what there is to reach with this structure; what a
//! multiplexer that can be used takes beyond that is its own.

#![forbid(unsafe_code)]

mod driver;
mod pool;
mod state;
mod stream;

use std::io;
use std::sync::Arc;

#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::TcpStream;

pub use stream::Stream;

use driver::Driver;
use state::{Shared, State};

/// Bytes that may lie unsent in the socket. More, and a small message waits behind them. Only Linux and its like have it.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

/// One end of a connection. It lives as long as its last handle or stream.
#[derive(Clone, Debug)]
pub struct End {
    shared: Arc<Shared>,
}

impl End {
    /// Spawns the task that owns `tcp`.
    ///
    /// # Errors
    /// Those of setting the socket's options.
    pub fn new(tcp: TcpStream) -> io::Result<End> {
        tcp.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        SockRef::from(&tcp).set_tcp_notsent_lowat(UNSENT)?;
        let shared = Arc::new(Shared::default());
        tokio::spawn(Driver::new(tcp, Arc::downgrade(&shared)));
        Ok(End { shared })
    }

    /// A stream that the other end gets to know with its first bytes.
    pub fn open(&self) -> Stream {
        let id = self.shared.with(State::open);
        Stream::new(self.shared.clone(), id)
    }

    /// The next stream that the other end has opened.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn accept(&self) -> io::Result<Stream> {
        let id = std::future::poll_fn(|cx| self.shared.with(|state| state.poll_accept(cx))).await?;
        Ok(Stream::new(self.shared.clone(), id))
    }
}
