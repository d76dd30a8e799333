//! TLS, from files as people have them.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use muxado_tokio::tls::rustls::pki_types::pem::PemObject;
use muxado_tokio::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use muxado_tokio::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The server's certificate and its key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Whom a client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    /// The server has a certificate of this authority, in a PEM file.
    pub(crate) ca: PathBuf,
    /// The name in it, if it is not that of the address.
    pub(crate) name: Option<String>,
}

impl Identity {
    pub(crate) fn config(&self) -> anyhow::Result<ServerConfig> {
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("no key in {}", self.key.display()))?;
        let config = ServerConfig::builder().with_no_client_auth();
        config
            .with_single_cert(certificates(&self.cert)?, key)
            .context("the certificate and the key do not fit")
    }
}

impl Trust {
    pub(crate) fn config(&self) -> anyhow::Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for cert in certificates(&self.ca)? {
            roots
                .add(cert)
                .with_context(|| format!("no authority's certificate in {}", self.ca.display()))?;
        }
        Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }

    /// The name to look for in the certificate of the server at `address`, which is HOST:PORT.
    pub(crate) fn name<'t>(&'t self, address: &'t str) -> &'t str {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        self.name.as_deref().unwrap_or_else(|| host.trim_matches(['[', ']']))
    }
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certs = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certs: Vec<_> = certs.with_context(|| format!("no certificate in {}", file.display()))?;
    ensure!(!certs.is_empty(), "no certificate in {}", file.display());
    Ok(certs)
}
