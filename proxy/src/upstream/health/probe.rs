//! One check. It connects as requests do: the same TLS, the same CA, the same client certificate, the same protocol.

use pingora_core::connectors::http::Connector;
use pingora_core::protocols::http::client::HttpSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorType, OrErr};
use pingora_http::RequestHeader;
use tokio::net::TcpStream;

use crate::config::{HealthCheck, HttpProbe, Probe};
use crate::upstream::dialer::Dialer;
use crate::upstream::endpoint::Endpoint;

/// A text further behind in a body is not looked for.
const BODY_LIMIT: usize = 64 * 1024;

const USER_AGENT: &str = concat!("palisade-health/", env!("CARGO_PKG_VERSION"));

/// Why a backend is not well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// What came is no HTTP, or broke off.
    #[error("no valid answer: {0}")]
    Answer(String),
    /// Another status than expected.
    #[error("status {0}")]
    Status(u16),
    /// The body lacks the text.
    #[error("the expected text is not in the body")]
    Body,
}

/// Asks once.
pub(super) async fn probe(
    check: &HealthCheck,
    dialer: &Dialer,
    endpoint: &Endpoint,
    connector: &Connector,
) -> Result<(), ProbeError> {
    let mut address = endpoint.address();
    address.set_port(check.port.unwrap_or_else(|| address.port()));
    match &check.probe {
        Probe::Tcp => {
            let connected = TcpStream::connect(address).await;
            connected
                .map(drop)
                .map_err(|error| ProbeError::Connect(error.kind().to_string()))
        }
        Probe::Http(http) => {
            let peer = dialer.probing_peer(endpoint.backend(), address);
            ask(http, &host(http, dialer, endpoint), &peer, connector).await
        }
    }
}

fn host(http: &HttpProbe, dialer: &Dialer, endpoint: &Endpoint) -> String {
    let backend = endpoint.backend();
    let own = || {
        let bracketed = backend.host.contains(':');
        let host = if bracketed {
            format!("[{}]", backend.host)
        } else {
            backend.host.clone()
        };
        match backend.port == backend.scheme.default_port() {
            true => host,
            false => format!("{host}:{}", backend.port),
        }
    };
    let configured = http.host.clone().or_else(|| dialer.upstream().host.clone());
    configured.unwrap_or_else(own)
}

async fn ask(http: &HttpProbe, host: &str, peer: &HttpPeer, connector: &Connector) -> Result<(), ProbeError> {
    let broken = |error: Box<Error>| ProbeError::Answer(error.etype().as_str().to_owned());
    let connected = connector.get_http_session(peer).await;
    let (mut session, _) =
        connected.map_err(|error| ProbeError::Connect(error.etype().as_str().to_owned()))?;
    let request = match session {
        HttpSession::H2(_) => request_h2(http, host, peer.is_tls()),
        _ => request_h1(http, host),
    };
    let request = request.map_err(broken)?;
    session
        .write_request_header(Box::new(request))
        .await
        .map_err(broken)?;
    session.finish_request_body().await.map_err(broken)?;
    session.read_response_header().await.map_err(broken)?;
    let status = session.response_header().map_or(0, |head| head.status.as_u16());
    if !http
        .statuses
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&status))
    {
        return Err(ProbeError::Status(status));
    }
    let found = match &http.body {
        Some(text) => holds(&mut session, text.as_bytes()).await.map_err(broken)?,
        None => true,
    };
    // The connection is not kept: that a new one can be made is part of being well.
    session.shutdown().await;
    if found { Ok(()) } else { Err(ProbeError::Body) }
}

fn request_h1(http: &HttpProbe, host: &str) -> Result<RequestHeader, Box<Error>> {
    let mut request = request(http)?;
    request.insert_header("Host", host)?;
    request.insert_header("Connection", "close")?;
    Ok(request)
}

/// What is Host in HTTP/1.1 is part of the target (RFC 9113 section 8.3.1).
fn request_h2(http: &HttpProbe, host: &str, tls: bool) -> Result<RequestHeader, Box<Error>> {
    let mut request = request(http)?;
    let target = http::Uri::builder()
        .scheme(if tls { "https" } else { "http" })
        .authority(host)
        .path_and_query(http.path.as_str());
    request.set_uri(
        target
            .build()
            .or_err(ErrorType::InvalidHTTPHeader, "the target of a check")?,
    );
    request.set_version(http::Version::HTTP_2);
    Ok(request)
}

fn request(http: &HttpProbe) -> Result<RequestHeader, Box<Error>> {
    let mut request = RequestHeader::build(http.method.as_str(), http.path.as_bytes(), Some(4))?;
    request.insert_header("User-Agent", USER_AGENT)?;
    request.insert_header("Accept", "*/*")?;
    Ok(request)
}

async fn holds(session: &mut HttpSession, text: &[u8]) -> Result<bool, Box<Error>> {
    let mut body = Vec::new();
    while body.len() < BODY_LIMIT
        && let Some(chunk) = session.read_response_body().await?
    {
        body.extend_from_slice(&chunk);
        if body.windows(text.len()).any(|window| window == text) {
            return Ok(true);
        }
    }
    Ok(false)
}
