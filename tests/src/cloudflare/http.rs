//! The API on a socket: counts, faults, journal.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::error::{Answer, ApiError};
use super::fault::FaultKind;
use super::journal::Call;
use super::zones::Asked;
use super::{Shared, auth};

/// More than any batch has.
const BODY_LIMIT: usize = 1 << 20;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Listens until the tasks are aborted.
pub(super) async fn start(state: &Shared, tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = Arc::clone(state);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            let state = Arc::clone(&state);
            connections.spawn(async move {
                let service = service_fn(|request| respond(Arc::clone(&state), request));
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    });
    address
}

/// An error closes the connection without an answer.
async fn respond(state: Shared, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let body = body.map(|body| body.to_bytes());
    let fault = state
        .lock()
        .unwrap()
        .faults
        .take(head.method.as_str(), head.uri.path());
    let text = body.as_deref().unwrap_or_default();
    let mut call = call(&head, text, fault.is_some());
    let note = |call: Call| state.lock().unwrap().journal.push(call);
    match &fault {
        Some(FaultKind::ResetBefore) => {
            note(call);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Some(FaultKind::Hang) => {
            note(call);
            return std::future::pending().await;
        }
        Some(FaultKind::Slow(delay)) => tokio::time::sleep(*delay).await,
        _ => {}
    }
    let (status, headers, json) = match (&fault, &body) {
        (Some(FaultKind::Status(status)), _) => broken(*status),
        (_, Err(_)) => told(Err(ApiError::body_too_large())),
        (_, Ok(body)) => answer(&state, &head, body),
    };
    call.status = match fault {
        Some(FaultKind::ResetAfter | FaultKind::HangAfter) => 0,
        _ => status.as_u16(),
    };
    note(call);
    if fault == Some(FaultKind::HangAfter) {
        return std::future::pending().await;
    }
    let spoilt = spoil(fault, json.to_string().into_bytes())?;
    Ok(response(status, headers, spoilt))
}

type Told = (StatusCode, HeaderMap, Value);

fn answer(state: &Shared, head: &Parts, body: &[u8]) -> Told {
    let token = match auth::token(&head.headers) {
        Ok(token) => token,
        Err(error) => return told(Err(error)),
    };
    let asked = Asked {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body,
    };
    let mut state = state.lock().unwrap();
    let allowance = state.limiter.count(&token, Instant::now());
    let (status, mut headers, json) = match allowance.exceeded {
        true => told(Err(ApiError::throttled())),
        false => told(state.answer(&asked, &token)),
    };
    allowance.write(&mut headers);
    (status, headers, json)
}

fn told(answer: Answer) -> Told {
    match answer {
        Ok(success) => (StatusCode::OK, HeaderMap::new(), success.body()),
        Err(error) => (error.status, HeaderMap::new(), error.body()),
    }
}

fn broken(status: u16) -> Told {
    let status = StatusCode::from_u16(status).unwrap();
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS => ApiError::throttled(),
        _ => ApiError::broken(status),
    };
    let mut told = told(Err(error));
    if status == StatusCode::TOO_MANY_REQUESTS {
        told.1.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    told
}

/// The bytes that are sent, and how many are promised.
struct Sent {
    bytes: Vec<u8>,
    promised: usize,
}

fn spoil(fault: Option<FaultKind>, mut bytes: Vec<u8>) -> io::Result<Sent> {
    let whole = bytes.len();
    match fault {
        Some(FaultKind::ResetAfter) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(FaultKind::Garbage) => bytes = b"<html><title>error code: 1101</title>".to_vec(),
        Some(FaultKind::Truncated) => {
            bytes.truncate(whole / 2);
            return Ok(Sent {
                bytes,
                promised: whole,
            });
        }
        Some(FaultKind::Oversize(blanks)) => {
            let end = bytes.pop();
            bytes.extend(std::iter::repeat_n(b' ', blanks).chain(end));
        }
        _ => {}
    }
    let promised = bytes.len();
    Ok(Sent { bytes, promised })
}

fn response(status: StatusCode, headers: HeaderMap, sent: Sent) -> Response<Body> {
    let cut = sent.promised > sent.bytes.len();
    let bytes = Bytes::from(sent.bytes);
    let body = match cut {
        true => {
            let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
            StreamBody::new(stream::iter([Ok(Frame::data(bytes)), cut])).boxed_unsync()
        }
        false => Full::new(bytes)
            .map_err(|never: Infallible| match never {})
            .boxed_unsync(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(sent.promised));
    response
}

fn call(head: &Parts, body: &[u8], faulted: bool) -> Call {
    Call {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(body).into_owned(),
        status: 0,
        faulted,
    }
}
