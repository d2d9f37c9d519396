//! What stands between an edge and its CA: every request passes here, and the test says what becomes of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::Client;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Pebble;
use crate::harness::Leaf;

/// What is done with requests, by their paths: `/dir`, `/nonce-plz`, `/sign-me-up`, `/order-plz`, `/authZ/…`, `/chalZ/…`,
/// `/my-order/…`, `/finalize-order/…`, `/certZ/…`.
#[async_trait]
pub trait Toll: Send + Sync + 'static {
    /// The CA has not heard of it yet: what happens instead, if anything. Not to return is to be silent.
    async fn asked(&self, path: &str) -> Option<Instead>;

    /// The CA has done it, and who asked does not know yet. Not to return is to be silent.
    async fn answered(&self, path: &str);
}

/// What happens instead of a good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// The connection is closed; nothing was done.
    Closed,
    /// This status; nothing was done. A 429 says `retry-after: 1`, as CAs say it.
    Status(u16),
    /// It was done; the answer is a page.
    Garbage,
    /// It was done; the answer ends in its middle.
    Truncated,
    /// It was done; so many blanks follow its text.
    Oversize(usize),
}

/// A CA with a toll before it. It ends when it is dropped.
pub struct Front {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What connections share.
struct Way {
    ca: SocketAddr,
    client: Client,
    toll: Arc<dyn Toll>,
}

impl Front {
    /// Before this CA, trusted by the same root.
    pub async fn before(pebble: &Pebble, toll: Arc<dyn Toll>) -> Self {
        let root = reqwest::Certificate::from_pem(pebble.ca.pem().as_bytes()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([root]);
        let way = Arc::new(Way {
            ca: pebble.acme,
            // The CA makes its URLs from the host that it was asked for, which HTTP/2 would not hand on.
            client: client.http1_only().build().unwrap(),
            toll,
        });
        let tls = acceptor(&pebble.ca.issue(&["127.0.0.1"]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, tls.clone(), Arc::clone(&way)));
            }
        });
        Front {
            address,
            _tasks: tasks,
        }
    }

    /// Instead of the CA's own.
    pub fn directory_url(&self) -> String {
        format!("https://{}/dir", self.address)
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, way: Arc<Way>) {
    if let Ok(stream) = tls.accept(stream).await {
        let service = service_fn(|request| pass(Arc::clone(&way), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connection.await.ok();
    }
}

/// An error closes the connection without an answer.
async fn pass(way: Arc<Way>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    let instead = way.toll.asked(&path).await;
    match instead {
        Some(Instead::Closed) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Instead::Status(status)) => return Ok(refusal(status)),
        _ => {}
    }
    let (head, text) = way.forward(request).await?;
    way.toll.answered(&path).await;
    Ok(match instead {
        None => Response::from_parts(head, full(text)),
        Some(instead) => spoilt(instead, head, text),
    })
}

impl Way {
    async fn forward(&self, request: Request<Incoming>) -> io::Result<(http::response::Parts, Bytes)> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let url = format!("https://{}{}", self.ca, head.uri);
        let asked = self.client.request(head.method, url).headers(head.headers);
        let answer = asked.body(body).send().await.map_err(io::Error::other)?;
        let mut told = Response::new(());
        *told.status_mut() = answer.status();
        *told.headers_mut() = answer.headers().clone();
        told.headers_mut().remove(TRANSFER_ENCODING);
        let text = answer.bytes().await.map_err(io::Error::other)?;
        Ok((told.into_parts().0, text))
    }
}

fn refusal(status: u16) -> Response<Body> {
    let kind = if status == 429 {
        "rateLimited"
    } else {
        "serverInternal"
    };
    let problem = serde_json::json!({
        "type": format!("urn:ietf:params:acme:error:{kind}"),
        "detail": "not today",
        "status": status,
    });
    let mut response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/problem+json");
    if status == 429 {
        response = response.header(RETRY_AFTER, "1");
    }
    response.body(full(problem.to_string())).unwrap()
}

fn spoilt(instead: Instead, mut head: http::response::Parts, text: Bytes) -> Response<Body> {
    let half = text.slice(..text.len() / 2);
    let body = match instead {
        Instead::Truncated => {
            head.headers.insert(CONTENT_LENGTH, (text.len() + 1).into());
            let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
            StreamBody::new(stream::iter([Ok(Frame::data(half)), cut])).boxed_unsync()
        }
        Instead::Oversize(blanks) => {
            head.headers.remove(CONTENT_LENGTH);
            full([text.as_ref(), &vec![b' '; blanks]].concat())
        }
        _ => {
            // A page of whoever stands in front of the CA knows nothing of what it would have said.
            head.headers.clear();
            head.headers
                .insert(CONTENT_TYPE, http::HeaderValue::from_static("text/html"));
            full("<html><title>Welcome, please log in</title>")
        }
    };
    Response::from_parts(head, body)
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn acceptor(leaf: &Leaf) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der.clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
