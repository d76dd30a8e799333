//! Who may connect, and how the two ends know each other: TLS by files of certificates, and a secret that both have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use muxado_tokio::tls::rustls::pki_types::pem::PemObject;
use muxado_tokio::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use muxado_tokio::tls::rustls::server::WebPkiClientVerifier;
use muxado_tokio::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::login::MAX_SECRET;

/// A certificate with those that vouch for it, and its key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// What the server shows and demands. Nothing of it is a tunnel for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Its own certificate: clients connect over TLS.
    pub(crate) identity: Option<Identity>,
    /// Clients need a certificate of this authority.
    pub(crate) client_ca: Option<PathBuf>,
    /// Clients need to know what is in this file.
    pub(crate) secret: Option<PathBuf>,
}

/// What the client shows and demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The server has a certificate of this authority: connect over TLS.
    pub(crate) ca: Option<PathBuf>,
    /// The name in the server's certificate, if it is not that of its address.
    pub(crate) name: Option<String>,
    /// The client's own certificate.
    pub(crate) identity: Option<Identity>,
    /// What the server wants to hear is in this file.
    pub(crate) secret: Option<PathBuf>,
}

impl Guard {
    /// Whether everybody may connect.
    pub(crate) fn is_open(&self) -> bool {
        self.client_ca.is_none() && self.secret.is_none()
    }

    pub(crate) fn tls(&self) -> anyhow::Result<Option<ServerConfig>> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let config = match &self.client_ca {
            Some(ca) => {
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots(ca)?)).build()?;
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
            None => ServerConfig::builder().with_no_client_auth(),
        };
        let (certs, key) = identity.read()?;
        Ok(Some(config.with_single_cert(certs, key).context("the certificate and the key do not fit")?))
    }

    /// Empty if there is none.
    pub(crate) fn secret(&self) -> anyhow::Result<Vec<u8>> {
        Ok(self.secret.as_deref().map(secret).transpose()?.unwrap_or_default())
    }
}

impl Pass {
    pub(crate) fn tls(&self) -> anyhow::Result<Option<ClientConfig>> {
        let Some(ca) = &self.ca else { return Ok(None) };
        let config = ClientConfig::builder().with_root_certificates(roots(ca)?);
        Ok(Some(match &self.identity {
            Some(identity) => {
                let (certs, key) = identity.read()?;
                config.with_client_auth_cert(certs, key).context("the certificate and the key do not fit")?
            }
            None => config.with_no_client_auth(),
        }))
    }

    /// Empty if there is none.
    pub(crate) fn secret(&self) -> anyhow::Result<Vec<u8>> {
        Ok(self.secret.as_deref().map(secret).transpose()?.unwrap_or_default())
    }

    /// The name to look for in the certificate of the server at `address`, which is HOST:PORT.
    pub(crate) fn name<'p>(&'p self, address: &'p str) -> &'p str {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        self.name.as_deref().unwrap_or_else(|| host.trim_matches(['[', ']']))
    }
}

impl Identity {
    fn read(&self) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let key = PrivateKeyDer::from_pem_file(&self.key);
        Ok((certificates(&self.cert)?, key.with_context(|| format!("no key in {}", self.key.display()))?))
    }
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certs = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certs: Vec<_> = certs.with_context(|| format!("no certificate in {}", file.display()))?;
    ensure!(!certs.is_empty(), "no certificate in {}", file.display());
    Ok(certs)
}

fn roots(file: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for cert in certificates(file)? {
        roots.add(cert).with_context(|| format!("not an authority's certificate in {}", file.display()))?;
    }
    Ok(roots)
}

/// What is in the file, without the end of its last line.
fn secret(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut secret = std::fs::read(file).with_context(|| format!("no secret in {}", file.display()))?;
    while secret.last().is_some_and(u8::is_ascii_whitespace) {
        secret.pop();
    }
    ensure!(!secret.is_empty(), "no secret in {}", file.display());
    // No server reads more of what is said to it.
    ensure!(secret.len() <= MAX_SECRET, "more than {MAX_SECRET} bytes are in {}", file.display());
    Ok(secret)
}
