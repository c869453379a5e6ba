//! What the mail server shows of itself before it speaks TLS.

use std::sync::Arc;

use rcgen::CertifiedKey;
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Names under which a program of this machine calls the server.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate that lives as long as the sandbox.
pub struct Identity {
    /// In PEM.
    pub certificate: String,
    pub(super) acceptor: TlsAcceptor,
}

impl Identity {
    /// Makes one that nobody else has.
    ///
    /// # Panics
    /// When the system has no randomness to give.
    pub fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).expect("names and key make a certificate");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("the key is in PKCS #8");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of both versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("the certificate is the key's");
        Self { certificate: cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}
