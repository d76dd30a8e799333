//! Certificates that live as long as a test, and rustls settings made of them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The name that the servers' certificates are for.
pub const HOST: &str = "localhost";

/// An authority that both sides trust.
#[allow(missing_debug_implementations, reason = "rcgen's types have none")]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[allow(missing_debug_implementations, reason = "it is a secret")]
#[non_exhaustive]
pub struct Identity {
    /// The certificate.
    pub cert: CertificateDer<'static>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// The certificate as PEM.
    pub cert_pem: String,
    /// Its key as PEM.
    pub key_pem: String,
}

impl Authority {
    /// A new one, that nobody else trusts.
    #[must_use]
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate of its own"))
    }

    /// The authority's certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for [`HOST`] and `127.0.0.1`, good for both sides.
    #[must_use]
    pub fn issue(&self) -> Identity {
        let names = vec![HOST.to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.0).expect("a certificate");
        Identity {
            cert_pem: cert.pem(),
            key_pem: key.serialize_pem(),
            cert: cert.into(),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("the authority's certificate");
        Arc::new(roots)
    }

    /// A server that asks for no certificate.
    #[must_use]
    pub fn server(&self) -> ServerConfig {
        let Identity { cert, key, .. } = self.issue();
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert], key).expect("a usable key")
    }

    /// A server that demands a certificate of this authority.
    #[must_use]
    pub fn demanding_server(&self) -> ServerConfig {
        let verifier = WebPkiClientVerifier::builder(self.roots()).build().expect("a verifier");
        let Identity { cert, key, .. } = self.issue();
        ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![cert], key)
            .expect("a usable key")
    }

    /// A client that has no certificate.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        ClientConfig::builder().with_root_certificates(self.roots()).with_no_client_auth()
    }

    /// A client that trusts this authority and shows a certificate of another.
    #[must_use]
    pub fn client_known_to(&self, issuer: &Authority) -> ClientConfig {
        let Identity { cert, key, .. } = issuer.issue();
        ClientConfig::builder()
            .with_root_certificates(self.roots())
            .with_client_auth_cert(vec![cert], key)
            .expect("a usable key")
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}
