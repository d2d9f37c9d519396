//! The one certificate of all proxies, and the client's side of TLS. One cipher suite and one key exchange that
//! every peer has, no resumption: what is compared is the proxies, not what each happens to prefer.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::aws_lc_rs::kx_group::X25519;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{LoadError, Target, io};

/// The name in the certificate and in every request.
pub const HOST: &str = "shop.example";

/// What the client trusts.
#[derive(Clone)]
pub struct Trust {
    http1: TlsConnector,
    http2: TlsConnector,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Trust").finish_non_exhaustive()
    }
}

impl Trust {
    /// This certificate, and no other.
    pub fn only(certificate: &str) -> Result<Self, LoadError> {
        let refused = |error: String| LoadError::Certificate(error);
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|error| refused(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate)
            .map_err(|error| refused(error.to_string()))?;
        let connector = |protocol: &[u8]| {
            let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .map_err(|error| refused(error.to_string()))?;
            let mut config = builder
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.to_vec()];
            config.resumption = Resumption::disabled();
            Ok::<_, LoadError>(TlsConnector::from(Arc::new(config)))
        };
        Ok(Self {
            http1: connector(b"http/1.1")?,
            http2: connector(b"h2")?,
        })
    }
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![X25519],
        ..aws_lc_rs::default_provider()
    }
}

pub(super) async fn connect(target: &Target, http2: bool) -> Result<TlsStream<TcpStream>, LoadError> {
    let stream = TcpStream::connect(target.address)
        .await
        .map_err(io("connecting"))?;
    stream.set_nodelay(true).map_err(io("TCP_NODELAY"))?;
    handshake_as(target, stream, http2).await
}

/// The handshake of HTTP/1.1 on a connection that is there.
pub async fn handshake(target: &Target, stream: TcpStream) -> Result<TlsStream<TcpStream>, LoadError> {
    handshake_as(target, stream, false).await
}

async fn handshake_as(
    target: &Target,
    stream: TcpStream,
    http2: bool,
) -> Result<TlsStream<TcpStream>, LoadError> {
    let name = ServerName::try_from(HOST).map_err(|error| LoadError::Certificate(error.to_string()))?;
    let connector = if http2 {
        &target.trust.http2
    } else {
        &target.trust.http1
    };
    let stream = connector.connect(name, stream).await;
    stream.map_err(io("the TLS handshake"))
}
