//! HTTP/2 by h2: a request for each stream, whose bodies are the two directions. Owned buffers in and out.

use std::future::poll_fn;
use std::io;

use ::h2::client::{ResponseFuture, SendRequest};
use ::h2::server::SendResponse;
use ::h2::{RecvStream, SendStream};
use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::sync::mpsc;

use super::{Accept, Open, Peer, Piece, Setting, Stream, Transport, transport_pair};

/// Windows of 64 MiB and frames of 64 KiB.
#[derive(Debug)]
pub(crate) struct H2;

/// As it comes.
#[derive(Debug)]
pub(crate) struct H2Default;

/// The client's end.
#[derive(Clone)]
pub(crate) struct Opener(SendRequest<Bytes>);

/// The server's end.
pub(crate) struct Accepter(mpsc::Receiver<(Request<RecvStream>, SendResponse<Bytes>)>);

/// One request. The client has the response's body when its head has come, the server sends its head with its first
/// bytes.
pub(crate) struct Exchange {
    send: Option<SendStream<Bytes>>,
    receive: Option<RecvStream>,
    response: Option<ResponseFuture>,
    respond: Option<SendResponse<Bytes>>,
}

impl Peer for H2 {
    type Runtime = muxado_tokio::Tokio;
    type Open = Opener;
    type Accept = Accepter;
    type Stream = Exchange;

    async fn pair(setting: Setting) -> io::Result<(Opener, Accepter)> {
        const WINDOW: u32 = 64 << 20;
        let (client, server) = transport_pair(setting).await?;
        let mut near = ::h2::client::Builder::new();
        near.initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW * 16)
            .max_frame_size(64 * 1024);
        let mut far = ::h2::server::Builder::new();
        far.initial_window_size(WINDOW).initial_connection_window_size(WINDOW * 16).max_frame_size(64 * 1024);
        connect(near, far, client, server, setting).await
    }
}

impl Peer for H2Default {
    type Runtime = muxado_tokio::Tokio;
    type Open = Opener;
    type Accept = Accepter;
    type Stream = Exchange;

    async fn pair(setting: Setting) -> io::Result<(Opener, Accepter)> {
        let (client, server) = transport_pair(setting).await?;
        connect(::h2::client::Builder::new(), ::h2::server::Builder::new(), client, server, setting).await
    }
}

async fn connect(
    mut near: ::h2::client::Builder,
    mut far: ::h2::server::Builder,
    client: Transport,
    server: Transport,
    setting: Setting,
) -> io::Result<(Opener, Accepter)> {
    let streams = u32::try_from(setting.streams.max(256)).unwrap_or(u32::MAX);
    near.initial_max_send_streams(setting.streams.max(256)).max_concurrent_streams(streams);
    far.max_concurrent_streams(streams);
    let serving = async { far.handshake::<_, Bytes>(server).await.map_err(io::Error::other) };
    let asking = async { near.handshake::<_, Bytes>(client).await.map_err(io::Error::other) };
    let ((send, connection), mut server) = tokio::try_join!(asking, serving)?;
    tokio::spawn(connection);
    let (accepted, accept) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Some(Ok(request)) = server.accept().await {
            if accepted.send(request).await.is_err() {
                break;
            }
        }
    });
    Ok((Opener(send), Accepter(accept)))
}

impl Open for Opener {
    type Stream = Exchange;

    async fn open(&mut self) -> io::Result<Exchange> {
        let mut ready = self.0.clone().ready().await.map_err(io::Error::other)?;
        let request = Request::builder().method(Method::POST).uri("http://peer/");
        let request = request.body(()).map_err(io::Error::other)?;
        let (response, send) = ready.send_request(request, false).map_err(io::Error::other)?;
        Ok(Exchange { send: Some(send), receive: None, response: Some(response), respond: None })
    }
}

impl Accept for Accepter {
    type Stream = Exchange;

    async fn accept(&mut self) -> io::Result<Exchange> {
        let (request, respond) = self.0.recv().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        let receive = Some(request.into_body());
        Ok(Exchange { send: None, receive, response: None, respond: Some(respond) })
    }
}

impl Exchange {
    fn sender(&mut self) -> io::Result<&mut SendStream<Bytes>> {
        if let Some(mut respond) = self.respond.take() {
            self.send = Some(respond.send_response(Response::new(()), false).map_err(io::Error::other)?);
        }
        self.send.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Stream for Exchange {
    async fn write(&mut self, data: &Bytes) -> io::Result<()> {
        let send = self.sender()?;
        let mut data = data.clone();
        while !data.is_empty() {
            send.reserve_capacity(data.len());
            let granted = poll_fn(|cx| send.poll_capacity(cx)).await;
            let granted = granted.ok_or(io::ErrorKind::BrokenPipe)?.map_err(io::Error::other)?;
            let piece = data.split_to(granted.min(data.len()));
            send.send_data(piece, false).map_err(io::Error::other)?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.sender()?.send_data(Bytes::new(), true).map_err(io::Error::other)
    }

    async fn read<'a>(&mut self, _room: &'a mut [u8]) -> io::Result<Piece<'a>> {
        if let Some(response) = self.response.take() {
            self.receive = Some(response.await.map_err(io::Error::other)?.into_body());
        }
        let receive = self.receive.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let Some(piece) = receive.data().await else { return Ok(Piece::Owned(Bytes::new())) };
        let piece = piece.map_err(io::Error::other)?;
        receive.flow_control().release_capacity(piece.len()).map_err(io::Error::other)?;
        Ok(Piece::Owned(piece))
    }
}
