//! What a route does to its requests and their answers.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::{Backend, HostPattern, Pattern};

/// The filters of a route; most have none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    /// Its requests are sent elsewhere: such a route has no backend.
    pub redirect: Option<Redirect>,
    /// The path that its backends see.
    pub rewrite: Option<PathChange>,
    /// Of requests, after the edge's own.
    pub request_headers: HeaderChanges,
    /// Of answers, before the WAF sees them.
    pub response_headers: HeaderChanges,
    /// Which other sites may read its answers.
    pub cors: Option<Cors>,
    /// Who gets a copy of its requests.
    pub mirror: Option<Mirror>,
    /// Whether answers are compressed.
    pub compression: Option<Compression>,
    /// From the end of a request to the end of its answer.
    pub request_timeout: Option<Duration>,
    /// Bytes of a request's body.
    pub max_request_body: Option<usize>,
    /// Bytes of an answer's body.
    pub max_response_body: Option<usize>,
}

/// Where a client is sent. What is none stays as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Redirect {
    /// `http` or `https`.
    pub scheme: Option<UrlScheme>,
    /// A hostname, or an address with its brackets.
    pub host: Option<String>,
    /// The port; none is the scheme's, where the scheme is named, else the one that was asked for.
    pub port: Option<u16>,
    /// The path.
    pub path: Option<PathChange>,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
}

/// The scheme of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlScheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

/// Another path, made from the normalised one. The query stays.
#[derive(Debug, Clone, PartialEq)]
pub enum PathChange {
    /// This one.
    Full(String),
    /// This in place of the prefix that the route was chosen by, without a trailing slash: empty for `/`. Paths of
    /// such a route are prefixes.
    Prefix(String),
    /// What matches is replaced, each time.
    Regex(Pattern, String),
}

/// Changes of a head. A name stands in one of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeaderChanges {
    /// In place of what is there.
    pub set: Vec<(HeaderName, HeaderText)>,
    /// Beside what is there.
    pub add: Vec<(HeaderName, HeaderText)>,
    /// Gone.
    pub remove: Vec<HeaderName>,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderText {
    /// Always the same.
    Constant(HeaderValue),
    /// Put together for each request.
    Composed(Vec<TextPiece>),
}

/// A piece of a header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPiece {
    /// Itself.
    Text(String),
    /// What is known of the request.
    Variable(Variable),
}

/// What a header's value may hold, as `${client_ip}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `client_ip`.
    ClientIp,
    /// `host`: as asked for, without a port.
    Host,
    /// `request_id`.
    RequestId,
    /// `route`: its name.
    Route,
}

/// Cross-origin resource sharing (the Fetch standard; the Gateway API's HTTPCORSFilter).
#[derive(Debug, Clone, PartialEq)]
pub struct Cors {
    /// Who may read; none for anybody, and then never with credentials.
    pub allow_origins: Option<Vec<Origin>>,
    /// Whether with cookies and the like.
    pub allow_credentials: bool,
    /// With which methods; none for any.
    pub allow_methods: Option<Vec<String>>,
    /// With which headers; none for any.
    pub allow_headers: Option<Vec<String>>,
    /// Which headers of an answer may be read.
    pub expose_headers: Vec<String>,
    /// How long a browser remembers that.
    pub max_age: Duration,
}

/// The origin of a page: `https://*.example.com:8443`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// One host, or those below one.
    pub host: HostPattern,
    /// The port where it is not the scheme's.
    pub port: Option<u16>,
}

/// Copies of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirror {
    /// To whom.
    pub backend: Backend,
    /// Of how many of a hundred requests.
    pub percent: u8,
    /// Requests with a longer body are not copied.
    pub max_body: usize,
    /// Copies on their way at once; more are left out.
    pub max_in_flight: usize,
    /// Headers that copies do not have.
    pub remove: Vec<HeaderName>,
}

/// Which answers are compressed, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Compression {
    /// The best first.
    pub codings: Vec<Coding>,
    /// Shorter bodies are left alone.
    pub min_size: usize,
    /// MIME types, lower case; `text/*` for all of a kind.
    pub types: Vec<String>,
}

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Filters {
    /// Whether requests go on otherwise than they came, or not alone.
    pub fn touch_requests(&self) -> bool {
        self.rewrite.is_some() || self.mirror.is_some() || !self.request_headers.is_empty()
    }
}

impl HeaderChanges {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.remove.is_empty()
    }
}

impl UrlScheme {
    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is meant where a URL names none.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}
