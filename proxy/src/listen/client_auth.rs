//! Handshakes that ask for a client's certificate: where the host that a ClientHello names wants one, and nowhere else.
//!
//! rustls settles whether to ask before it knows the name, so the ClientHello is read first, the configuration chosen, and
//! what was read put back (docs/decisions/0030-client-certificates-by-name.md).

use std::sync::Arc;

use pingora_core::listeners::tls::Acceptor;
use pingora_core::protocols::l4::stream::Stream as L4Stream;
use rustls::server::{Acceptor as HelloReader, NoServerSessionStorage, ResolvesServerCert};
use tokio::io::AsyncReadExt;

use super::tls::{self, ServerTls};
use crate::certs::ClientTrust;
use crate::config::TlsVersion;

/// A ClientHello is a few kilobytes; rustls takes no longer one either.
const LONGEST_HELLO: usize = 64 * 1024;

/// Says which hosts want certificates now.
pub trait ClientTrustSource: Send + Sync {
    /// Whether any does.
    fn any(&self) -> bool;
    /// Whose certificates a host takes, if it wants one.
    fn of(&self, server_name: &str) -> Option<Arc<ClientTrust>>;
}

/// What is needed to ask.
#[derive(Clone)]
pub struct ClientAuth {
    /// The oldest version that is spoken.
    pub minimum: TlsVersion,
    /// The certificates of the edge itself.
    pub resolver: Arc<dyn ResolvesServerCert>,
    /// Who wants to ask.
    pub source: Arc<dyn ClientTrustSource>,
}

impl ClientAuth {
    /// Whose certificates the connection is to show, if any: by its ClientHello, which stays to be read.
    pub(super) async fn wanted(&self, stream: &mut L4Stream) -> Option<Arc<ClientTrust>> {
        if !self.source.any() {
            return None;
        }
        self.source.of(&server_name(stream).await?)
    }

    /// An acceptor that asks. Without resumption: who resumes a session shows no certificate anew, and one that was revoked
    /// meanwhile would pass.
    pub(super) fn acceptor(&self, trust: &ClientTrust) -> Result<ServerTls, rustls::Error> {
        let mut config = tls::builder(self.minimum)?
            .with_client_cert_verifier(trust.verifier())
            .with_cert_resolver(Arc::clone(&self.resolver));
        config.alpn_protocols = tls::alpn();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(Acceptor::from_server_config(Arc::new(config))))
    }
}

/// The name in the ClientHello. What is none is left to the handshake, which says so to the client.
async fn server_name(stream: &mut L4Stream) -> Option<String> {
    let (mut hello, mut reader) = (Vec::new(), HelloReader::default());
    let mut buffer = [0; 4096];
    let name = loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        let read = buffer.get(..count).unwrap_or_default();
        hello.extend_from_slice(read);
        if count == 0 || hello.len() > LONGEST_HELLO {
            break None;
        }
        let mut rest = read;
        while !rest.is_empty() && reader.read_tls(&mut rest).is_ok_and(|count| count > 0) {}
        match reader.accept() {
            Ok(Some(accepted)) => break accepted.client_hello().server_name().map(str::to_owned),
            Ok(None) => {}
            Err(_) => break None,
        }
    };
    stream.rewind(&hello);
    name
}
