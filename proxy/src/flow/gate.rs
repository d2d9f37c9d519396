//! The gate: stands in for the client's session between verdicts.
//!
//! Pingora sends a request's head upstream before its body filter sees a byte, writes an answer's head
//! before its body filter runs, and replays at most 64 KiB. The WAF needs the opposite: nothing upstream
//! before phase 2, nothing downstream before phase 4. So where a body is held, the session that Pingora
//! proxies for is this one. It hands the held request body out, whole and as often as a retry needs; holds
//! the answer back until it was inspected; keeps the deadline for the answer's first byte; and keeps the end of an
//! upgrade request from being taken for the end of its WebSocket.
//! (docs/decisions/0002-body-gate.md)

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use pingora_core::protocols::Digest;
use pingora_core::protocols::http::custom::CustomMessageWrite;
use pingora_core::protocols::http::custom::server::Session as CustomSession;
use pingora_core::protocols::http::{HttpTask, ServerSession};
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_error::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};

use super::body::Held;
use super::compress::Press;
use super::outlet::Outlet;
use super::pace::Pace;
use super::response_gate::ResponseGate;

const TOO_LATE: &str = "no whole answer within request_timeout";

/// Where the real session is found again once the gate is dropped.
#[derive(Default)]
pub(super) struct Home(Mutex<Option<ServerSession>>);

impl Home {
    /// Takes the session back.
    pub(super) fn take(&self) -> Option<ServerSession> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, session: ServerSession) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    }
}

/// What a gate does besides passing things on.
pub(super) struct Duties {
    /// How long the rest of the body may be waited for.
    pub(super) pace: Pace,
    /// The request body that was held for inspection.
    pub(super) request: Option<Held>,
    /// Inspection of the answer.
    pub(super) response: Option<ResponseGate>,
    /// Compression of the answer, after its inspection.
    pub(super) press: Option<Press>,
    /// The request asks for another protocol and has no body of its own.
    pub(super) upgrade: bool,
    /// From the end of the request to the answer's head.
    pub(super) first_byte_timeout: Duration,
    /// From the end of the request to the end of the answer.
    pub(super) request_timeout: Option<Duration>,
}

/// Stands in for a session.
struct Gate {
    /// Always there until the gate is dropped.
    session: Option<ServerSession>,
    home: Arc<Home>,
    pace: Pace,
    held: Option<Held>,
    handed_out: bool,
    response: Option<ResponseGate>,
    press: Option<Press>,
    upgrade: bool,
    first_byte_timeout: Duration,
    request_timeout: Option<Duration>,
    waiting_since: Option<Instant>,
    /// When the request had come in whole: at once where there was nothing to wait for.
    whole_since: Option<Instant>,
    answered: bool,
}

/// Puts a gate in front of `session`; the real one comes home when [`remove`] is called.
pub(super) fn install(session: &mut ServerSession, duties: Duties) -> Arc<Home> {
    let home = Arc::new(Home::default());
    let mut real = std::mem::replace(session, placeholder());
    let whole = real.is_body_done() || real.is_body_empty();
    let gate = Gate {
        session: Some(real),
        home: Arc::clone(&home),
        pace: duties.pace,
        held: duties.request,
        handed_out: false,
        response: duties.response,
        press: duties.press,
        upgrade: duties.upgrade,
        first_byte_timeout: duties.first_byte_timeout,
        request_timeout: duties.request_timeout,
        waiting_since: None,
        whole_since: whole.then(Instant::now),
        answered: false,
    };
    *session = ServerSession::new_custom(Box::new(gate));
    home
}

/// Takes the gate away, if there is one: `session` is the real one again.
pub(super) fn remove(session: &mut ServerSession, home: Option<Arc<Home>>) {
    let Some(home) = home else { return };
    drop(std::mem::replace(session, placeholder()));
    if let Some(real) = home.take() {
        *session = real;
    }
}

/// Pingora's own empty session; never called, as it is replaced in the same breath.
fn placeholder() -> ServerSession {
    ServerSession::new_custom(Box::new(()))
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.home.put(session);
        }
    }
}

impl Gate {
    #[allow(clippy::expect_used, reason = "only Drop takes the session out")]
    fn real(&self) -> &ServerSession {
        self.session
            .as_ref()
            .expect("the session stays until the gate is dropped")
    }

    #[allow(clippy::expect_used, reason = "only Drop takes the session out")]
    fn real_mut(&mut self) -> &mut ServerSession {
        self.session
            .as_mut()
            .expect("the session stays until the gate is dropped")
    }

    /// The held body, the first time.
    fn hand_out(&mut self) -> Option<Bytes> {
        let held = self
            .held
            .as_ref()
            .filter(|held| !self.handed_out && !held.bytes.is_empty())?;
        self.handed_out = true;
        Some(held.bytes.clone())
    }

    fn has_more(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| !self.handed_out && !held.bytes.is_empty())
    }

    /// Whether the end of this request's empty body is not to be told yet. Pingora takes it for the end of the new
    /// protocol where an upstream's 101 overtakes it (cloudflare/pingora#946); a refusal ends the request, and
    /// after a 101 the real session knows.
    fn awaits_switch(&self) -> bool {
        self.upgrade && !self.answered
    }

    /// The next part of the body from the client.
    async fn read_on(&mut self) -> Result<Option<Bytes>> {
        let Some(session) = self.session.as_mut() else {
            return Ok(None);
        };
        if session.was_upgraded() {
            return session.read_body_or_idle(false).await;
        }
        self.pace.read(session).await
    }

    /// Waits for the client to leave, but not longer than the upstream may take for its first byte and its whole answer.
    async fn idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        self.whole_since.get_or_insert_with(Instant::now);
        let first = (!self.answered).then(|| {
            let since = *self.waiting_since.get_or_insert_with(Instant::now);
            let left = self.first_byte_timeout.saturating_sub(since.elapsed());
            (left, "no answer within first_byte_timeout")
        });
        let whole = self.time_left().map(|left| (left, TOO_LATE));
        let next = first.into_iter().chain(whole).min_by_key(|(left, _)| *left);
        let Some((left, late)) = next else {
            return self.real_mut().read_body_or_idle(no_body_expected).await;
        };
        match tokio::time::timeout(left, self.real_mut().read_body_or_idle(no_body_expected)).await {
            Ok(read) => read,
            Err(_) => Error::e_explain(ErrorType::HTTPStatus(504), late),
        }
    }

    /// What is left of the time for the whole answer. A switched protocol takes as long as it takes.
    fn time_left(&self) -> Option<Duration> {
        let (timeout, since) = (self.request_timeout?, self.whole_since?);
        Some(timeout.saturating_sub(since.elapsed()))
    }

    async fn send(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        let Some(session) = self.session.as_mut() else {
            return Ok(true);
        };
        let mut outlet = Outlet {
            session,
            press: self.press.as_mut(),
        };
        match self.response.as_mut() {
            Some(gate) => gate.pass(&mut outlet, tasks).await,
            None => outlet.send(tasks).await,
        }
    }
}

#[async_trait]
impl CustomSession for Gate {
    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        match self.hand_out() {
            Some(bytes) => Ok(Some(bytes)),
            None => self.read_on().await,
        }
    }

    async fn read_body_or_idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        if self.awaits_switch() {
            return self.idle(true).await;
        }
        if !no_body_expected {
            if let Some(bytes) = self.hand_out() {
                return Ok(Some(bytes));
            }
            if !self.real_mut().is_body_done() {
                return self.read_on().await;
            }
        }
        self.idle(no_body_expected).await
    }

    fn is_body_done(&mut self) -> bool {
        !self.awaits_switch() && !self.has_more() && self.real_mut().is_body_done()
    }

    fn is_body_empty(&mut self) -> bool {
        if self.awaits_switch() {
            return false;
        }
        match &self.held {
            // A chunked body may turn out empty only once it was read.
            Some(held) => held.bytes.is_empty() && self.real_mut().is_body_done(),
            None => self.real_mut().is_body_empty(),
        }
    }

    fn enable_retry_buffering(&mut self) {
        // A held body is its own retry buffer.
        if self.held.is_none() {
            self.real_mut().enable_retry_buffering();
        }
    }

    fn retry_buffer_truncated(&self) -> bool {
        match &self.held {
            Some(held) => held.completeness == palisade_waf::Completeness::Partial,
            None => self.real().retry_buffer_truncated(),
        }
    }

    fn get_retry_buffer(&self) -> Option<Bytes> {
        match &self.held {
            Some(held) if self.handed_out && !self.retry_buffer_truncated() => Some(held.bytes.clone()),
            Some(_) => None,
            None => self.real().get_retry_buffer(),
        }
    }

    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        if !self.answered && tasks.iter().any(is_final_head) {
            self.answered = true;
            self.pace.relax();
        }
        if self.request_timeout.is_some() && tasks.iter().any(is_switch) {
            self.request_timeout = None;
        }
        let Some(left) = self.time_left() else {
            return self.send(tasks).await;
        };
        match tokio::time::timeout(left, self.send(tasks)).await {
            Ok(sent) => sent,
            Err(_) => Error::e_explain(ErrorType::HTTPStatus(504), TOO_LATE),
        }
    }

    async fn write_response_header(&mut self, resp: Box<ResponseHeader>, _end: bool) -> Result<()> {
        self.real_mut().write_response_header(resp).await
    }

    async fn write_response_header_ref(&mut self, resp: &ResponseHeader, _end: bool) -> Result<()> {
        self.real_mut().write_response_header_ref(resp).await
    }

    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.real_mut().write_response_body(data, end).await
    }

    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.real_mut().write_response_trailers(trailers).await
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.real_mut().drain_request_body().await
    }

    async fn shutdown(&mut self, _code: u32, _ctx: &str) {
        self.real_mut().shutdown().await;
    }

    /// Ends the answer; what becomes of the connection is the real session's business, after [`remove`].
    async fn finish(&mut self) -> Result<()> {
        self.real_mut().finish_body().await
    }

    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }

    fn req_header(&self) -> &RequestHeader {
        self.real().req_header()
    }

    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.real_mut().req_header_mut()
    }

    fn response_written(&self) -> Option<&ResponseHeader> {
        self.real().response_written()
    }

    fn request_summary(&self) -> String {
        self.real().request_summary()
    }

    fn is_upgrade_req(&self) -> bool {
        self.real().is_upgrade_req()
    }

    fn was_upgraded(&self) -> bool {
        self.real().was_upgraded()
    }

    fn body_bytes_sent(&self) -> usize {
        self.real().body_bytes_sent()
    }

    fn body_bytes_read(&self) -> usize {
        self.real().body_bytes_read()
    }

    fn digest(&self) -> Option<&Digest> {
        self.real().digest()
    }

    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.real_mut().digest_mut()
    }

    fn client_addr(&self) -> Option<&SocketAddr> {
        self.real().client_addr()
    }

    fn server_addr(&self) -> Option<&SocketAddr> {
        self.real().server_addr()
    }

    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.real().to_h1_raw()
    }

    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.real_mut().set_read_timeout(timeout);
    }

    fn get_read_timeout(&self) -> Option<Duration> {
        self.real().get_read_timeout()
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.real_mut().set_write_timeout(timeout);
    }

    fn get_write_timeout(&self) -> Option<Duration> {
        self.real().get_write_timeout()
    }

    fn set_total_drain_timeout(&mut self, timeout: Option<Duration>) {
        self.real_mut().set_total_drain_timeout(timeout);
    }

    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.real().get_total_drain_timeout()
    }

    fn take_custom_message_reader(
        &mut self,
    ) -> Option<Box<dyn Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>> {
        None
    }

    fn restore_custom_message_reader(
        &mut self,
        _reader: Box<dyn Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>,
    ) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }

    fn restore_custom_message_writer(&mut self, _writer: Box<dyn CustomMessageWrite>) -> Result<()> {
        Ok(())
    }
}

/// Whether a task carries the head of the final answer (or of a protocol switch).
fn is_final_head(task: &HttpTask) -> bool {
    matches!(task, HttpTask::Header(head, _) if !head.status.is_informational() || head.status == 101)
}

fn is_switch(task: &HttpTask) -> bool {
    matches!(task, HttpTask::Header(head, _) if head.status == 101)
}
