//! What one request carries along from hook to hook.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pingora_error::{Error, ErrorType};

use super::access::Granted;
use super::client::Told;
use super::filter::{Seen, Tap};
use super::gate::Home;
use super::inspection::SharedInspection;
use super::path;
use crate::snapshot::{LiveRoute, Snapshot};
use crate::telemetry::metrics::Refusal;
use crate::upstream::{Kind, Lease, Race, Token};

/// The state of one request; it lives on the snapshot that it began with.
pub struct RequestContext {
    /// The configuration for the whole of this request.
    pub(super) snapshot: Arc<Snapshot>,
    /// The monotonic start.
    pub(super) started: Instant,
    /// The wall clock at the start.
    pub(super) time: SystemTime,
    /// Sent upstream as X-Request-Id, and the incident's id if there is one.
    pub(super) id: String,
    /// The client, as a trusted proxy tells it or the socket.
    pub(super) client: SocketAddr,
    /// What else trusted proxies told.
    pub(super) told: Told,
    /// The host asked for.
    pub(super) host: String,
    /// The path in its one form, where the client wrote another.
    pub(super) path: Option<String>,
    /// The route, once found.
    pub(super) route: Option<Arc<LiveRoute>>,
    /// What the access policies found, where the route has any.
    pub(super) granted: Option<Box<Granted>>,
    /// Why the edge itself refused the request, where it did.
    pub(super) refused: Option<Refusal>,
    /// The WAF's side, where it runs.
    pub(super) inspection: Option<SharedInspection>,
    /// Where the real session waits while a gate stands in for it.
    pub(super) home: Option<Arc<Home>>,
    /// Addresses where it failed.
    pub(super) tried: Vec<SocketAddr>,
    /// The backend in use, which counts this request as in flight.
    pub(super) lease: Option<Lease>,
    /// What the client's cookie for this backend has to be.
    pub(super) hand_out: Option<Token>,
    /// What it asks of a connection.
    pub(super) kind: Kind,
    /// How often it was tried again after an exchange that failed.
    pub(super) retries: u32,
    /// How often it was where nothing was lost.
    pub(super) free_retries: u32,
    /// Whether it is to have a connection of its own, as one that was kept was closed.
    pub(super) fresh: bool,
    /// The second address of the attempt under way.
    pub(super) race: Option<Arc<Race>>,
    /// Before the next attempt.
    pub(super) pause: Option<Duration>,
    /// Interim answers so far.
    pub(super) interim: u8,
    /// Whether an answer was let through to the client.
    pub(super) answering: bool,
    /// The backend in use, for the log.
    pub(super) upstream: Option<Arc<str>>,
    /// When the upstream's answer began.
    pub(super) first_byte: Option<Duration>,
    /// When the way to a backend was free.
    pub(super) admitted: Option<Instant>,
    /// Bytes of the bodies so far.
    pub(super) seen: Seen,
    /// The copy for a mirror.
    pub(super) tap: Tap,
    /// Whether the request has a body.
    pub(super) has_body: bool,
    /// Bytes of the request's body that were held for inspection.
    pub(super) held_bytes: usize,
    /// Why the request failed.
    pub(super) error: Option<String>,
}

impl RequestContext {
    /// The state of a request that begins now.
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self {
            snapshot,
            started: Instant::now(),
            time: SystemTime::now(),
            id: String::new(),
            client: SocketAddr::from(([0, 0, 0, 0], 0)),
            told: Told::default(),
            host: String::new(),
            path: None,
            route: None,
            granted: None,
            refused: None,
            inspection: None,
            home: None,
            tried: Vec::new(),
            lease: None,
            hand_out: None,
            kind: Kind::Ordinary,
            retries: 0,
            free_retries: 0,
            fresh: false,
            race: None,
            pause: None,
            interim: 0,
            answering: false,
            upstream: None,
            first_byte: None,
            admitted: None,
            seen: Seen::default(),
            tap: Tap::default(),
            has_body: false,
            held_bytes: 0,
            error: None,
        }
    }

    /// Remembers why the request failed, for the log. Pingora's own text may quote a malformed answer, cookies
    /// included: only its kind is kept, and what is ours to say.
    pub(super) fn failed(&mut self, error: &Error) {
        let who = error.esource().as_str().trim();
        let ours = match (error.etype(), &error.context) {
            (ErrorType::HTTPStatus(_), Some(text)) => text.as_str(),
            (kind, _) => kind.as_str(),
        };
        self.error = Some(format!("{who}: {ours}"));
    }

    /// The target as everybody behind admission sees it: the path in its one form.
    pub(super) fn target<'t>(&self, sent: &'t [u8]) -> Cow<'t, [u8]> {
        match &self.path {
            Some(path) => Cow::Owned(path::with_path(sent, path)),
            None => Cow::Borrowed(sent),
        }
    }

    /// Microseconds since 1970 at the start of the request.
    pub(super) fn unix_micros(&self) -> u64 {
        unix_micros(self.time)
    }

    /// The id of this request.
    pub(super) fn new_id(&self) -> String {
        request_id(self.time)
    }
}

/// An id that sorts by time and cannot be guessed: 12 hex digits of milliseconds, 12 of randomness.
pub(super) fn request_id(time: SystemTime) -> String {
    let random: u64 = rand::random();
    format!(
        "{:012x}{:012x}",
        unix_micros(time) / 1000,
        random & 0xffff_ffff_ffff
    )
}

fn unix_micros(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
