//! QUIC by quinn, with its encryption and over UDP: what it costs to have streams from the transport.

use std::io;
use std::sync::Arc;

use quinn::{
    ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig, TransportConfig, VarInt,
};

use super::{Accept, ByteStream, Open, Peer, Setting, tls};

#[derive(Debug)]
pub(crate) struct Quinn;

/// Either end. The endpoints live as long as their connections.
#[derive(Clone, Debug)]
pub(crate) struct End(Connection, #[expect(dead_code, reason = "held to keep it")] Endpoint);

type Stream = tokio::io::Join<RecvStream, SendStream>;

impl Peer for Quinn {
    type Runtime = muxado_tokio::Tokio;
    type Open = End;
    type Accept = End;
    type Stream = ByteStream<Stream>;

    async fn pair(setting: Setting) -> io::Result<(End, End)> {
        if !setting.delay.is_zero() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the delayed line is TCP"));
        }
        let (cert, key) = tls::certificate()?;
        let mut transport = TransportConfig::default();
        let streams = VarInt::try_from(setting.streams.max(100) as u64).map_err(io::Error::other)?;
        transport.max_concurrent_bidi_streams(streams);
        let transport = Arc::new(transport);
        let mut server = ServerConfig::with_single_cert(vec![cert.clone()], key).map_err(io::Error::other)?;
        server.transport_config(transport.clone());
        let server = Endpoint::server(server, ([127, 0, 0, 1], 0).into())?;
        let mut roots = quinn::rustls::RootCertStore::empty();
        roots.add(cert).map_err(io::Error::other)?;
        let mut config = ClientConfig::with_root_certificates(Arc::new(roots)).map_err(io::Error::other)?;
        config.transport_config(transport);
        let client = Endpoint::client(([127, 0, 0, 1], 0).into())?;
        let connecting =
            client.connect_with(config, server.local_addr()?, "localhost").map_err(io::Error::other)?;
        let accepting = async {
            let incoming = server.accept().await.ok_or(io::ErrorKind::UnexpectedEof)?;
            incoming.await.map_err(io::Error::from)
        };
        let (near, far) = tokio::try_join!(async { connecting.await.map_err(io::Error::from) }, accepting)?;
        Ok((End(near, client), End(far, server)))
    }
}

impl Open for End {
    type Stream = ByteStream<Stream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        let (send, recv) = self.0.open_bi().await?;
        Ok(ByteStream(tokio::io::join(recv, send)))
    }
}

impl Accept for End {
    type Stream = ByteStream<Stream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (send, recv) = self.0.accept_bi().await?;
        Ok(ByteStream(tokio::io::join(recv, send)))
    }
}
