//! rustls as the edge speaks it.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use pingora_core::listeners::TlsAccept;
use pingora_core::listeners::tls::Acceptor;
use pingora_core::protocols::tls::TlsRef;
use rustls::crypto::aws_lc_rs;
use rustls::server::ResolvesServerCert;
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};

use crate::certs::{ClientTrust, Peer};
use crate::config::TlsVersion;

/// What a TLS listener needs: an acceptor over a fixed configuration whose certificates swap underneath.
pub type ServerTls = Arc<Acceptor>;

/// Keeps what a handshake told, with the connection's other facts.
pub(super) struct Told(pub(super) Option<Arc<ClientTrust>>);

#[async_trait]
impl TlsAccept for Told {
    async fn handshake_complete_callback(&self, tls: &TlsRef) -> Option<Arc<dyn Any + Send + Sync>> {
        let chain = tls.peer_cert_chain_der().unwrap_or_default();
        Some(Arc::new(Peer::new(tls.server_name(), chain, self.0.clone())))
    }
}

/// TLS 1.2 and 1.3 by aws-lc-rs, X25519MLKEM768 first, h2 and HTTP/1, session tickets that rotate.
pub fn server_config(
    minimum: TlsVersion,
    resolver: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = builder(minimum)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = alpn();
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

/// What all configurations have in common.
pub(super) fn builder(
    minimum: TlsVersion,
) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    let versions: &[&rustls::SupportedProtocolVersion] = match minimum {
        TlsVersion::V1_2 => &[&TLS13, &TLS12],
        TlsVersion::V1_3 => &[&TLS13],
    };
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
}

/// http/1.1 stays offered for clients that open WebSockets: RFC 8441 is not spoken here. Who offers nothing but http/1.0
/// (`curl --http1.0`) is served as well.
pub(super) fn alpn() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec(), b"http/1.0".to_vec()]
}
