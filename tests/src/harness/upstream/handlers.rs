//! What upstreams answer.

use std::future::Future;
use std::hash::Hasher;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use serde_json::json;
use tokio::sync::{Mutex, mpsc, watch};

use super::{Body, Journal};

/// Bodies up to this are in the echo's answer; of longer ones only length and checksum.
const ECHOED_BODY: usize = 64 * 1024;

/// Answers with what it received.
pub(super) async fn echo(name: String, request: Request<Incoming>, journal: Journal) -> Response<Body> {
    let version = format!("{:?}", request.version());
    let (parts, body) = request.into_parts();
    journal.request(&parts);
    let (bytes, sum, start) = swallow(body, &journal).await;
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let answer = json!({
        "upstream": name,
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "version": version,
        "headers": headers,
        "body": String::from_utf8_lossy(&start),
        "body_bytes": bytes,
        "body_sum": sum,
    });
    let response = Response::builder().header("content-type", "application/json");
    response.body(full(answer.to_string())).unwrap()
}

/// Reads a body to its end: its length, its checksum, its beginning.
async fn swallow(mut body: Incoming, journal: &Journal) -> (u64, u64, Vec<u8>) {
    let (mut bytes, mut sum, mut start) = (0, Sum::default(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len() as u64;
        sum.0.write(&data);
        if start.len() < ECHOED_BODY {
            start.extend_from_slice(&data);
        }
        journal.body(data.len());
    }
    start.truncate(ECHOED_BODY);
    (bytes, sum.0.finish(), start)
}

#[derive(Default)]
struct Sum(std::hash::DefaultHasher);

/// What the echo calls `body_sum`.
pub fn checksum(body: &[u8]) -> u64 {
    let mut sum = Sum::default();
    sum.0.write(body);
    sum.0.finish()
}

/// A body in one piece.
pub fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A handler that always answers the same.
pub fn answering(
    status: u16,
    content_type: &str,
    body: impl Into<Bytes>,
) -> impl Fn(Request<Incoming>, Journal) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>>
+ Send
+ Sync
+ 'static {
    let (content_type, body) = (content_type.to_owned(), body.into());
    move |request, journal| {
        let (content_type, body) = (content_type.clone(), body.clone());
        Box::pin(async move {
            let (parts, incoming) = request.into_parts();
            journal.request(&parts);
            swallow(incoming, &journal).await;
            Response::builder()
                .status(status)
                .header("content-type", content_type)
                .body(full(body))
                .unwrap()
        })
    }
}

/// Opens once.
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(super) fn new() -> Self {
        Gate(Arc::new(watch::Sender::new(false)))
    }

    /// Lets all through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn passed(&self) {
        self.0.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

/// Notes the request at once, answers when the gate opens.
pub(super) async fn held(gate: Gate, request: Request<Incoming>, journal: Journal) -> Response<Body> {
    let (parts, body) = request.into_parts();
    journal.request(&parts);
    swallow(body, &journal).await;
    gate.passed().await;
    Response::new(full("held and let go\n"))
}

/// The test's side of a stream of server-sent events; dropping it ends the stream.
pub struct Events(mpsc::UnboundedSender<Bytes>);

#[derive(Clone)]
pub(super) struct EventSource(Arc<Mutex<Option<mpsc::UnboundedReceiver<Bytes>>>>);

impl Events {
    pub(super) fn channel() -> (Self, EventSource) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Events(sender), EventSource(Arc::new(Mutex::new(Some(receiver)))))
    }

    /// Sends one event.
    pub fn send(&self, data: &str) {
        self.0.send(Bytes::from(format!("data: {data}\n\n"))).unwrap();
    }

    /// Sends one event if somebody is there.
    pub fn try_send(&self, data: &str) {
        self.0.send(Bytes::from(format!("data: {data}\n\n"))).ok();
    }

    /// Whether the connection that took the stream has ended.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Sends these bytes.
    pub fn send_bytes(&self, bytes: impl Into<Bytes>) {
        self.0.send(bytes.into()).unwrap();
    }
}

impl EventSource {
    /// Takes the content type from the request's `x-answer-type`.
    pub(super) async fn answer(self, request: Request<Incoming>, journal: Journal) -> Response<Body> {
        let (parts, _) = request.into_parts();
        journal.request(&parts);
        let content_type = parts.headers.get("x-answer-type").cloned();
        let Some(receiver) = self.0.lock().await.take() else {
            return Response::builder()
                .status(409)
                .body(full("one reader only\n"))
                .unwrap();
        };
        let frames = stream::unfold(receiver, |mut receiver| async move {
            let bytes = receiver.recv().await?;
            Some((Ok(Frame::data(bytes)), receiver))
        });
        let content_type = content_type.unwrap_or(http::HeaderValue::from_static("text/event-stream"));
        Response::builder()
            .header("content-type", content_type)
            .body(StreamBody::new(frames).boxed_unsync())
            .unwrap()
    }
}
