//! TLS for those who run on any transport, with one certificate for all connections of the process.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::either::Either;

use super::Transport;

type Settings = (Arc<ClientConfig>, Arc<ServerConfig>);

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// The client's end, once the handshake is done.
pub(super) async fn connect(tcp: TcpStream) -> io::Result<Transport> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let stream = TlsConnector::from(settings()?.0).connect(name, tcp).await?;
    Ok(Either::Right(stream.into()))
}

/// The server's end, once the handshake is done.
pub(super) async fn accept(tcp: TcpStream) -> io::Result<Transport> {
    let stream = TlsAcceptor::from(settings()?.1).accept(tcp).await?;
    Ok(Either::Right(stream.into()))
}

/// A client's and a server's that trust each other.
pub(super) fn settings() -> io::Result<Settings> {
    if let Some(settings) = SETTINGS.get() {
        return Ok(settings.clone());
    }
    let (cert, key) = certificate()?;
    let mut roots = RootCertStore::empty();
    roots.add(cert.clone()).map_err(io::Error::other)?;
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert], key);
    let made = (Arc::new(client), Arc::new(server.map_err(io::Error::other)?));
    Ok(SETTINGS.get_or_init(|| made).clone())
}

pub(super) fn certificate() -> io::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).map_err(io::Error::other)?;
    Ok((issued.cert.into(), key))
}
