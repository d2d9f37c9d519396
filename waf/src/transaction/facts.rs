//! What is known of one request and its response. Between two phases the engine adds to it; while rules
//! run it does not change, so rules look at it by reference.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::body::{cookies, multipart, urlencoded};

use super::RequestOrigin;

/// A name with a value: an argument, a header, a cookie.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// All that the caller told.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) origin: RequestOrigin,
    pub(crate) web_app_id: Option<String>,
    pub(crate) client: Option<SocketAddr>,
    pub(crate) server: Option<SocketAddr>,
    pub(crate) request: Request,
    pub(crate) body: Body,
    pub(crate) response: Response,
    /// A rule has looked at what no other request has.
    unrepeatable: AtomicBool,
}

impl Facts {
    pub(crate) fn new(origin: RequestOrigin, web_app_id: Option<String>) -> Self {
        Self {
            origin,
            web_app_id,
            client: None,
            server: None,
            request: Request::default(),
            body: Body::default(),
            response: Response::default(),
            unrepeatable: AtomicBool::new(false),
        }
    }

    /// What rules come to may be something else for a request that is the same.
    pub(crate) fn note_unrepeatable(&self) {
        self.unrepeatable.store(true, Ordering::Relaxed);
    }

    pub(super) fn are_unrepeatable(&self) -> bool {
        self.unrepeatable.load(Ordering::Relaxed)
    }
}

/// The head of the request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    /// As it stood in the request line.
    pub(crate) uri_raw: Vec<u8>,
    pub(crate) protocol: Vec<u8>,
    /// `method uri protocol`.
    pub(crate) line: Vec<u8>,
    /// Path and query, without fragment and without scheme and authority.
    pub(crate) uri: Vec<u8>,
    /// The decoded path.
    pub(crate) filename: Vec<u8>,
    /// What stands after the first `?`, undecoded.
    pub(crate) query: Vec<u8>,
    pub(crate) arguments: Vec<Pair>,
    pub(crate) headers: Vec<Pair>,
    pub(crate) cookies: Vec<Pair>,
    /// The query has a `%` that encodes nothing.
    pub(crate) invalid_encoding: bool,
    /// There were more arguments than the limit lets through.
    pub(crate) truncated: bool,
}

impl Request {
    /// Takes the request line apart.
    pub(crate) fn set_line(
        &mut self,
        method: &[u8],
        uri: &[u8],
        protocol: &[u8],
        separator: u8,
        limit: usize,
    ) {
        let (path, query) = split_target(uri);
        let parsed = urlencoded::parse(query.unwrap_or_default(), separator, limit);
        self.method = method.to_vec();
        self.uri_raw = uri.to_vec();
        self.protocol = protocol.to_vec();
        self.line = joined_line(method, uri, protocol);
        self.uri = path.to_vec();
        if let Some(query) = query {
            self.uri.push(b'?');
            self.uri.extend_from_slice(query);
        }
        self.filename = urlencoded::decode_path(path).0;
        self.query = query.unwrap_or_default().to_vec();
        self.arguments = parsed.pairs;
        self.invalid_encoding = parsed.invalid_encoding;
        self.truncated = parsed.truncated;
    }

    /// The path, where it is not as the request line has it.
    pub(crate) fn set_path(&mut self, path: &[u8]) {
        self.filename = urlencoded::decode_path(path).0;
    }

    /// Reads the cookies out of the headers, once all of them are there.
    pub(crate) fn read_cookies(&mut self) {
        let headers = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"cookie"));
        self.cookies = headers.flat_map(|(_, value)| cookies::parse(value)).collect();
    }

    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        first(&self.headers, name)
    }

    /// What follows the last slash of the path.
    pub(crate) fn basename(&self) -> &[u8] {
        let start = self
            .filename
            .iter()
            .rposition(|byte| matches!(byte, b'/' | b'\\'));
        start.map_or(&self.filename[..], |slash| &self.filename[slash + 1..])
    }

    /// The host of the `Host` header without its port; an IPv6 address keeps its brackets.
    pub(crate) fn server_name(&self) -> &[u8] {
        let host = self.header("host").unwrap_or_default();
        let after_address = host.iter().rposition(|&byte| byte == b']').unwrap_or(0);
        let port = host.iter().skip(after_address).position(|&byte| byte == b':');
        port.map_or(host, |colon| &host[..after_address + colon])
    }
}

/// The body of the request and what its processor made of it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// The bytes are to be seen as `REQUEST_BODY`.
    pub(crate) visible: bool,
    /// It was cut at a limit by policy.
    pub(crate) partial: bool,
    /// It is longer than allowed for a body without files.
    pub(crate) over_limit: bool,
    pub(crate) arguments: Vec<Pair>,
    /// Names of JSON members that hold no value of their own.
    pub(crate) container_names: Vec<Vec<u8>>,
    pub(crate) files: Vec<File>,
    /// Part name and header line.
    pub(crate) part_headers: Vec<Pair>,
    pub(crate) part_names: Vec<Vec<u8>>,
    pub(crate) flags: Option<multipart::Flags>,
    pub(crate) xml_texts: Vec<Vec<u8>>,
    pub(crate) xml_attributes: Vec<Vec<u8>>,
    pub(crate) invalid_encoding: bool,
    /// Why `REQBODY_ERROR` is set.
    pub(crate) error: Option<String>,
    /// Why `REQBODY_PROCESSOR_ERROR` is set.
    pub(crate) processor_error: Option<String>,
}

/// An uploaded file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) field: Vec<u8>,
    pub(crate) name: Vec<u8>,
    /// What a `filename*` beside `filename` says. Applications differ in which of the two they take.
    pub(crate) extended: Option<Vec<u8>>,
    pub(crate) content: Bytes,
}

impl File {
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.name.as_slice()).chain(self.extended.as_deref())
    }
}

/// The response as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: Option<u16>,
    pub(crate) protocol: Vec<u8>,
    pub(crate) headers: Vec<Pair>,
    pub(crate) body: Bytes,
    /// JSON values of the body, where `ctl:responseBodyProcessor` asked for them.
    pub(crate) arguments: Vec<Pair>,
    pub(crate) xml_texts: Vec<Vec<u8>>,
    pub(crate) xml_attributes: Vec<Vec<u8>>,
    pub(crate) partial: bool,
}

impl Response {
    /// The media type without its parameters.
    pub(crate) fn content_type(&self) -> Option<&[u8]> {
        let value = first(&self.headers, "content-type")?;
        let end = value.iter().position(|&byte| byte == b';').unwrap_or(value.len());
        Some(value[..end].trim_ascii())
    }
}

fn first<'a>(pairs: &'a [Pair], name: &str) -> Option<&'a [u8]> {
    let found = pairs
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, value)| value.as_slice())
}

fn joined_line(method: &[u8], uri: &[u8], protocol: &[u8]) -> Vec<u8> {
    let parts = [method, uri, protocol];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(&b' ')
}

/// Path and query of a request target. A fragment is no part of either, nor are the scheme and the
/// authority of the absolute form, as in ModSecurity.
fn split_target(uri: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = uri.iter().position(|&byte| byte == b'#').unwrap_or(uri.len());
    let local = without_authority(&uri[..end]);
    match local.iter().position(|&byte| byte == b'?') {
        Some(mark) => (&local[..mark], Some(&local[mark + 1..])),
        None => (local, None),
    }
}

fn without_authority(uri: &[u8]) -> &[u8] {
    let Some(colon) = uri.windows(3).position(|window| window == b"://") else {
        return uri;
    };
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if colon == 0 || !uri[..colon].iter().all(is_scheme) {
        return uri;
    }
    let authority = &uri[colon + 3..];
    match authority.iter().position(|byte| matches!(byte, b'/' | b'?')) {
        Some(start) => &authority[start..],
        None => b"/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request {
        let mut request = Request::default();
        request.set_line(b"GET", uri.as_bytes(), b"HTTP/1.1", b'&', 10);
        request
    }

    #[test]
    fn a_target_is_taken_apart() {
        for (uri, path, query, filename, basename) in [
            ("/a/b.php?x=1", "/a/b.php?x=1", "x=1", "/a/b.php", "b.php"),
            ("/a%20b/%2e%2E/?x#f", "/a%20b/%2e%2E/?x", "x", "/a b/../", ""),
            ("http://host:80/p?q", "/p?q", "q", "/p", "p"),
            ("http://host?q", "?q", "q", "", ""),
            ("http://host", "/", "", "/", ""),
            ("/r?u=http://x/", "/r?u=http://x/", "u=http://x/", "/r", "r"),
            ("*", "*", "", "*", "*"),
            ("", "", "", "", ""),
            ("/?", "/?", "", "/", ""),
        ] {
            let request = request(uri);
            assert_eq!(request.uri, path.as_bytes(), "{uri}");
            assert_eq!(request.query, query.as_bytes(), "{uri}");
            assert_eq!(request.filename, filename.as_bytes(), "{uri}");
            assert_eq!(request.basename(), basename.as_bytes(), "{uri}");
        }
    }

    #[test]
    fn the_server_name_has_no_port() {
        for (host, name) in [
            ("a.b:80", "a.b"),
            ("a.b", "a.b"),
            ("[::1]:8", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            let mut request = Request::default();
            request.headers.push((b"HOST".to_vec(), host.as_bytes().to_vec()));
            assert_eq!(request.server_name(), name.as_bytes());
        }
    }
}
