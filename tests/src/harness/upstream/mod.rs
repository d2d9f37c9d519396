//! Upstreams on port 0 that remember what reached them.

mod handlers;
mod journal;
mod names;
mod raw;
mod websocket;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use handlers::{Events, Gate, answering, checksum, full};
pub use journal::{Journal, Seen};
pub use names::NameServer;
pub use raw::{DeadPort, SilentPort};

use super::{Leaf, TestCa};

/// The body of an upstream's answer.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;
type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
type Handler = Arc<dyn Fn(Request<Incoming>, Journal) -> Answering + Send + Sync>;

/// A server that ends, with its connections, when it is dropped.
pub struct Upstream {
    address: SocketAddr,
    scheme: &'static str,
    journal: Journal,
    task: AbortHandle,
}

impl Upstream {
    /// Answers with what it received, as JSON; `name` is in the answer too.
    pub async fn echo(name: &str) -> Self {
        let name = name.to_owned();
        Self::serve(move |request, journal| handlers::echo(name.clone(), request, journal)).await
    }

    /// The same where nobody listened until now.
    pub async fn echo_at(port: DeadPort) -> Self {
        let name = "back".to_owned();
        let handler = handler(move |request, journal| handlers::echo(name.clone(), request, journal));
        let (listener, journal) = (port.listen(), Journal::default());
        let address = listener.local_addr().unwrap();
        let task = accept(listener, journal.clone(), move |stream, journal| {
            serve_connection(stream, handler.clone(), journal)
        });
        Upstream {
            address,
            scheme: "http",
            journal,
            task,
        }
    }

    /// The same over TLS; speaks HTTP/2 to whoever offers it.
    pub async fn echo_over_tls(name: &str, leaf: &Leaf) -> Self {
        Self::over_tls(name, acceptor(leaf, None)).await
    }

    /// The same, for clients only that show a certificate of `ca`.
    pub async fn echo_for_clients_of(name: &str, leaf: &Leaf, ca: &TestCa) -> Self {
        Self::over_tls(name, acceptor(leaf, Some(ca))).await
    }

    async fn over_tls(name: &str, acceptor: TlsAcceptor) -> Self {
        let name = name.to_owned();
        let handler = handler(move |request, journal| handlers::echo(name.clone(), request, journal));
        let (listener, address, journal) = bind().await;
        let task = accept(listener, journal.clone(), move |stream, journal| {
            let (acceptor, handler) = (acceptor.clone(), handler.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve_connection(stream, handler, journal).await;
                }
            }
        });
        Upstream {
            address,
            scheme: "https",
            journal,
            task,
        }
    }

    /// Answers each request by `answer`.
    pub async fn serve<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>, Journal) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        let handler = handler(answer);
        let (listener, address, journal) = bind().await;
        let task = accept(listener, journal.clone(), move |stream, journal| {
            serve_connection(stream, handler.clone(), journal)
        });
        Upstream {
            address,
            scheme: "http",
            journal,
            task,
        }
    }

    /// Answers nothing until the gate is open.
    pub async fn held() -> (Self, Gate) {
        let gate = Gate::new();
        let own = gate.clone();
        let upstream =
            Self::serve(move |request, journal| handlers::held(own.clone(), request, journal)).await;
        (upstream, gate)
    }

    /// Streams server-sent events that the test sends, one connection at a time.
    pub async fn events() -> (Self, Events) {
        let (events, source) = Events::channel();
        let upstream = Self::serve(move |request, journal| source.clone().answer(request, journal)).await;
        (upstream, events)
    }

    /// A WebSocket that returns every message.
    pub async fn websocket() -> Self {
        let (listener, address, journal) = bind().await;
        let task = accept(listener, journal.clone(), websocket::echo);
        Upstream {
            address,
            scheme: "http",
            journal,
            task,
        }
    }

    /// Reads the head of a request, sends `bytes` as they are, and closes.
    pub async fn broken(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        let (listener, address, journal) = bind().await;
        let task = accept(listener, journal.clone(), move |stream, journal| {
            raw::broken(stream, journal, bytes.clone())
        });
        Upstream {
            address,
            scheme: "http",
            journal,
            task,
        }
    }

    /// As a backend in a configuration.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What reached it.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Requests so far.
    pub fn hits(&self) -> usize {
        self.journal.hits()
    }

    /// Whether the request with this probe arrived.
    pub fn saw(&self, probe: &str) -> bool {
        self.journal.saw(probe)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn handler<F, A>(answer: F) -> Handler
where
    F: Fn(Request<Incoming>, Journal) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    Arc::new(move |request, journal| Box::pin(answer(request, journal)))
}

async fn bind() -> (TcpListener, SocketAddr, Journal) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address, Journal::default())
}

fn accept<F, A>(listener: TcpListener, journal: Journal, serve: F) -> AbortHandle
where
    F: Fn(tokio::net::TcpStream, Journal) -> A + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let task = async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).ok();
            journal.connected();
            connections.spawn(serve(stream, journal.clone()));
        }
    };
    tokio::spawn(task).abort_handle()
}

async fn serve_connection<S>(stream: S, handler: Handler, journal: Journal)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = handler(request, journal.clone());
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    // A peer that goes away in the middle is part of many scenarios.
    builder.serve_connection(TokioIo::new(stream), service).await.ok();
}

fn acceptor(leaf: &Leaf, clients: Option<&TestCa>) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(ca.der()).unwrap();
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
