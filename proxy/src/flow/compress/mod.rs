//! Compression of answers, behind their inspection: the WAF reads plain text, the client gets less of it.
//!
//! What a backend has coded itself, what is small, no text, a part (Range), a stream of events, or not to be transformed
//! passes as it is.

mod accept;
mod encoder;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use pingora_core::protocols::http::HttpTask;
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};

use super::head;
use crate::config::{Coding, Compression, Route};
use encoder::Encoder;

/// Digests of the body as it is: an answer that has one is left alone (RFC 9530).
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];
/// Streams whose messages have to arrive at once, and what is framed and coded in its own way.
const STREAMS: [&str; 2] = ["text/event-stream", "application/grpc"];

/// The compression of one answer.
pub(super) struct Press {
    route: Arc<Route>,
    /// What the client takes; none of ours if none.
    coding: Option<Coding>,
    /// An answer to HEAD has the head of the one to GET, as far as it is known.
    bodiless: bool,
    state: State,
}

enum State {
    /// The head has not come yet.
    Head,
    /// What comes is compressed.
    Working(Encoder),
    /// What comes passes.
    Off,
}

impl Press {
    /// The compression of the answer to `asked`; none where the route has none or the client's own words forbid it.
    pub(super) fn new(route: &Arc<Route>, asked: &RequestHeader) -> Option<Self> {
        let compression = route.filters.compression.as_ref()?;
        // An older client knows no chunks: a body without a length would end with the connection.
        let fits = asked.version >= Version::HTTP_11 && !no_transform(&asked.headers);
        fits.then(|| Self {
            route: Arc::clone(route),
            coding: accept::preferred(&asked.headers, &compression.codings),
            bodiless: asked.method == Method::HEAD,
            state: State::Head,
        })
    }

    /// What goes to the client in place of `tasks`. All that was said so far goes with it: a backend that pauses keeps
    /// nothing from the client.
    pub(super) fn pass(&mut self, tasks: Vec<HttpTask>) -> Result<Vec<HttpTask>> {
        if matches!(self.state, State::Off) {
            return Ok(tasks);
        }
        let mut out = Vec::with_capacity(tasks.len() + 1);
        for task in tasks {
            self.take(task, &mut out)?;
        }
        if let State::Working(encoder) = &mut self.state {
            push(encoder.flush()?, false, &mut out);
        }
        Ok(out)
    }

    fn take(&mut self, task: HttpTask, out: &mut Vec<HttpTask>) -> Result<()> {
        match (&mut self.state, task) {
            (State::Head, HttpTask::Header(mut head, end)) => {
                if !head.status.is_informational() {
                    self.begin(&mut head, end)?;
                } else if head.status == StatusCode::SWITCHING_PROTOCOLS {
                    self.state = State::Off;
                }
                out.push(HttpTask::Header(head, end));
            }
            (State::Working(encoder), HttpTask::Body(body, end)) => {
                push(encoder.write(body.as_deref().unwrap_or_default())?, false, out);
                if end {
                    self.finish(true, out)?;
                }
            }
            (State::Working(_), task @ (HttpTask::Trailer(_) | HttpTask::Done)) => {
                self.finish(false, out)?;
                out.push(task);
            }
            // A broken answer stays broken: its coding has no end.
            (_, task) => out.push(task),
        }
        Ok(())
    }

    fn finish(&mut self, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        if let State::Working(encoder) = std::mem::replace(&mut self.state, State::Off) {
            push(encoder.finish()?, end, out);
        }
        Ok(())
    }

    fn begin(&mut self, head: &mut ResponseHeader, end: bool) -> Result<()> {
        self.state = State::Off;
        let Some(compression) = &self.route.filters.compression else {
            return Ok(());
        };
        if !is_worth_it(head, compression) {
            return Ok(());
        }
        // Whatever the client takes: caches have to keep apart what clients are sent.
        if !varies(&head.headers) {
            head.append_header(header::VARY, "Accept-Encoding")?;
        }
        let Some(coding) = self.coding.filter(|_| !end && !self.bodiless) else {
            return Ok(());
        };
        self.state = State::Working(Encoder::new(coding)?);
        announce(head, coding)
    }
}

fn announce(head: &mut ResponseHeader, coding: Coding) -> Result<()> {
    head.insert_header(header::CONTENT_ENCODING, accept::name(coding))?;
    head.remove_header(&header::CONTENT_LENGTH);
    // Ranges would be of the plain body.
    head.remove_header(&header::ACCEPT_RANGES);
    if let Some(etag) = head
        .headers
        .get(header::ETAG)
        .filter(|etag| !etag.as_bytes().starts_with(b"W/"))
    {
        let weak = HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat());
        match weak {
            Ok(weak) => head.insert_header(header::ETAG, weak)?,
            Err(_) => drop(head.remove_header(&header::ETAG)),
        }
    }
    // HTTP/2 takes it away again.
    head.set_version(Version::HTTP_11);
    head.insert_header(header::TRANSFER_ENCODING, "chunked")
}

fn is_worth_it(head: &ResponseHeader, compression: &Compression) -> bool {
    let headers = &head.headers;
    let whole = !matches!(
        head.status,
        StatusCode::NO_CONTENT
            | StatusCode::RESET_CONTENT
            | StatusCode::PARTIAL_CONTENT
            | StatusCode::NOT_MODIFIED
            | StatusCode::RANGE_NOT_SATISFIABLE
    );
    let long = head::content_length(headers).is_none_or(|length| length >= compression.min_size.max(1));
    whole
        && long
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
        && !no_transform(headers)
        && DIGESTS.iter().all(|digest| !headers.contains_key(digest))
        && is_listed(headers, &compression.types)
}

fn is_listed(headers: &HeaderMap, types: &[String]) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let Some(value) = value else { return false };
    let mime = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let listed = |known: &String| match known.strip_suffix('*') {
        Some(kind) => mime.starts_with(kind),
        None => mime == *known,
    };
    !STREAMS.iter().any(|stream| mime.starts_with(stream)) && types.iter().any(listed)
}

/// RFC 9111 sections 5.2.1.6 and 5.2.2.6.
fn no_transform(headers: &HeaderMap) -> bool {
    has_token(headers, header::CACHE_CONTROL, "no-transform")
}

fn varies(headers: &HeaderMap) -> bool {
    has_token(headers, header::VARY, "accept-encoding") || has_token(headers, header::VARY, "*")
}

fn has_token(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let lines = headers.get_all(name).into_iter();
    let mut tokens = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

/// An empty piece would be the end of a chunked body.
fn push(bytes: Bytes, end: bool, out: &mut Vec<HttpTask>) {
    if !bytes.is_empty() {
        out.push(HttpTask::Body(Some(bytes), end));
    } else if end {
        out.push(HttpTask::Body(None, true));
    }
}

#[cfg(test)]
mod tests;
