//! One check. It connects as requests do: the same TLS, the same CA, the same client certificate, the same protocol.

use pingora_core::connectors::http::Connector;
use pingora_core::protocols::http::client::HttpSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorType, OrErr};
use pingora_http::RequestHeader;
use tokio::net::TcpStream;

use super::grpc;
use crate::config::{GrpcProbe, HealthCheck, HttpProbe, Probe};
use crate::upstream::dialer::{Dialer, Kind};
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
    /// Its service is not well: a `ServingStatus` of grpc.health.v1.
    #[error("{}", told(*.0))]
    NotServing(u64),
    /// The call failed, with this code of gRPC.
    #[error("the call failed with code {0}{hint}", hint = hint(*.0))]
    Call(u32),
}

fn told(status: u64) -> String {
    match status {
        2 => "NOT_SERVING".to_owned(),
        3 => "it does not know the service (SERVICE_UNKNOWN)".to_owned(),
        status => format!("ServingStatus {status}"),
    }
}

fn hint(code: u32) -> &'static str {
    match code {
        5 => " (NOT_FOUND: it does not know the service)",
        12 => " (UNIMPLEMENTED: it does not speak grpc.health.v1)",
        _ => "",
    }
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
            let peer = dialer.probing_peer(endpoint.backend(), address, Kind::Ordinary);
            ask(
                http,
                &host(http.host.as_ref(), dialer, endpoint),
                &peer,
                connector,
            )
            .await
        }
        Probe::Grpc(grpc) => {
            let peer = dialer.probing_peer(endpoint.backend(), address, Kind::Grpc);
            call(
                grpc,
                &host(grpc.host.as_ref(), dialer, endpoint),
                &peer,
                connector,
            )
            .await
        }
    }
}

fn host(asked: Option<&String>, dialer: &Dialer, endpoint: &Endpoint) -> String {
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
    let configured = asked.cloned().or_else(|| dialer.upstream().host.clone());
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

/// A call of grpc.health.v1.
async fn call(
    grpc: &GrpcProbe,
    host: &str,
    peer: &HttpPeer,
    connector: &Connector,
) -> Result<(), ProbeError> {
    let broken = |error: Box<Error>| ProbeError::Answer(error.etype().as_str().to_owned());
    let connected = connector.get_http_session(peer).await;
    let (session, _) = connected.map_err(|error| ProbeError::Connect(error.etype().as_str().to_owned()))?;
    let HttpSession::H2(mut session) = session else {
        return Err(ProbeError::Connect("it does not speak HTTP/2".to_owned()));
    };
    let request = request_grpc(host, peer.is_tls()).map_err(broken)?;
    session
        .write_request_header(Box::new(request), false)
        .map_err(broken)?;
    session
        .write_request_body(grpc::request(&grpc.service), true)
        .await
        .map_err(broken)?;
    session.read_response_header().await.map_err(broken)?;
    let head = session
        .response_header()
        .ok_or_else(|| ProbeError::Answer("no head".to_owned()))?;
    if head.status != 200 {
        return Err(ProbeError::Status(head.status.as_u16()));
    }
    if let Some(called) = grpc::call(&head.headers) {
        called?;
    }
    let mut body = Vec::new();
    while let Some(chunk) = session.read_response_body().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            return Err(ProbeError::Answer("too long".to_owned()));
        }
    }
    let trailers = session.read_trailers().await.map_err(broken)?;
    if let Some(called) = trailers.as_ref().and_then(grpc::call) {
        called?;
    }
    session.shutdown();
    grpc::judge(&body)
}

fn request_grpc(host: &str, tls: bool) -> Result<RequestHeader, Box<Error>> {
    let mut request = RequestHeader::build("POST", grpc::METHOD.as_bytes(), Some(4))?;
    request.insert_header("User-Agent", USER_AGENT)?;
    request.insert_header("Content-Type", "application/grpc")?;
    request.insert_header("TE", "trailers")?;
    in_h2(&mut request, host, grpc::METHOD, tls)?;
    Ok(request)
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
    in_h2(&mut request, host, &http.path, tls)?;
    Ok(request)
}

fn in_h2(request: &mut RequestHeader, host: &str, path: &str, tls: bool) -> Result<(), Box<Error>> {
    let target = http::Uri::builder()
        .scheme(if tls { "https" } else { "http" })
        .authority(host)
        .path_and_query(path);
    request.set_uri(
        target
            .build()
            .or_err(ErrorType::InvalidHTTPHeader, "the target of a check")?,
    );
    request.set_version(http::Version::HTTP_2);
    Ok(())
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
