//! Copies of requests for another backend. Nobody waits for them, nobody reads their answers, and what is too much is left
//! out.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config;

/// A copy that takes longer is given up: its place is needed.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Answers are read that far, so that their connections can be used again.
const ANSWER: usize = 256 << 10;
/// Of the connection, not of the request; the length is the body's own.
const DROPPED: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// None if the TLS library has no roots: then every copy fails.
static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only();
    client.build().ok()
});

/// The backend that gets copies of a route's requests.
#[derive(Debug)]
pub struct Mirror {
    base: String,
    remove: Vec<HeaderName>,
    slots: Arc<Semaphore>,
}

/// A request to copy, without its body.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
}

/// A place among the copies on their way; given back when dropped.
pub struct Slot(#[allow(dead_code, reason = "held for its Drop")] OwnedSemaphorePermit);

impl Mirror {
    /// A mirror as it is configured.
    pub fn new(mirror: &config::Mirror) -> Self {
        Self {
            base: mirror.backend.to_string(),
            remove: mirror.remove.clone(),
            slots: Arc::new(Semaphore::new(mirror.max_in_flight)),
        }
    }

    /// A place for one more copy, if there is one.
    pub fn slot(&self) -> Option<Slot> {
        Arc::clone(&self.slots).try_acquire_owned().ok().map(Slot)
    }

    /// The copy on its way to this backend: whether it was answered.
    pub fn send(&self, copy: Copy, body: Bytes) -> impl Future<Output = bool> + Send + use<> {
        let url = format!("{}{}", self.base, copy.target);
        let mut headers = copy.headers;
        for name in DROPPED.iter().chain(&self.remove) {
            headers.remove(name);
        }
        let request = CLIENT.as_ref().map(|client| {
            let request = client.request(copy.method, url).headers(headers);
            if body.is_empty() {
                request
            } else {
                request.body(body)
            }
        });
        async move {
            let Some(request) = request else { return false };
            let Ok(mut answer) = request.send().await else {
                return false;
            };
            let mut read = 0;
            while let Ok(Some(chunk)) = answer.chunk().await {
                read += chunk.len();
                if read > ANSWER {
                    break;
                }
            }
            true
        }
    }
}
