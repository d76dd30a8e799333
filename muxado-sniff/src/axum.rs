//! A listener of the sniffer as one of axum's.

use std::future::pending;
use std::io;

use axum::serve;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::listener::Listener;
use crate::sniffed::Sniffed;

/// For `axum::serve`. When the sniffer is gone it waits for ever, since axum cannot be told: stop serving with
/// `with_graceful_shutdown`.
///
/// It knows no addresses, since its connections may be of any kind. What a handler needs to know about its connection,
/// the connection itself can say:
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::Router;
/// use axum::extract::ConnectInfo;
/// use axum::extract::connect_info::Connected;
/// use axum::routing::get;
/// use axum::serve::IncomingStream;
/// use muxado_sniff::{Limits, Listener, Sniffer, http1};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::{TcpListener, TcpStream};
///
/// #[derive(Clone)]
/// struct Peer(Option<SocketAddr>);
///
/// impl Connected<IncomingStream<'_, Listener<TcpStream>>> for Peer {
///     fn connect_info(stream: IncomingStream<'_, Listener<TcpStream>>) -> Peer {
///         Peer(stream.io().get_ref().peer_addr().ok())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let port = TcpListener::bind("127.0.0.1:0").await?;
/// # let mut client = TcpStream::connect(port.local_addr()?).await?;
/// let mut sniffer = Sniffer::tokio(Limits::new());
/// let web = sniffer.listen(http1());
/// let hello = async |ConnectInfo(Peer(peer)): ConnectInfo<Peer>| format!("hello, {peer:?}");
/// let app = Router::new().route("/", get(hello)).into_make_service_with_connect_info::<Peer>();
/// tokio::spawn(axum::serve(web, app).into_future());
/// # tokio::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await });
/// # client.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
/// # let mut answer = String::new();
/// # client.read_to_string(&mut answer).await?;
/// # assert!(answer.ends_with(&format!("hello, {:?}", Some(client.local_addr()?))), "{answer}");
/// # Ok(())
/// # }
/// ```
impl<C> serve::Listener for Listener<C>
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Io = Sniffed<C>;
    type Addr = ();

    async fn accept(&mut self) -> (Sniffed<C>, ()) {
        match Listener::accept(self).await {
            Some(connection) => (connection, ()),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}
