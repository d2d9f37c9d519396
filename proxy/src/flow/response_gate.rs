//! Phases 3 and 4: an answer is held until the WAF has seen it.

use bytes::{Bytes, BytesMut};
use palisade_waf::Completeness;
use pingora_core::protocols::http::HttpTask;
use pingora_error::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;

use super::dress::Dress;
use super::inspection::{self, Decision, SharedInspection, lock};
use super::outlet::Outlet;
use super::respond::Answer;
use crate::limit::Share;

/// The inspection of one answer.
pub(super) struct ResponseGate {
    inspection: SharedInspection,
    dress: Dress,
    limit: usize,
    share: Share,
    state: State,
    tasks: Vec<HttpTask>,
    held: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The head has not come yet.
    Head,
    /// The body is being collected; nothing was sent.
    Holding,
    /// Everything passes.
    Open,
    /// The answer was refused; what still comes is thrown away.
    Closed,
}

impl ResponseGate {
    /// A gate that holds up to `limit` bytes of the answer's body.
    pub(super) fn new(inspection: SharedInspection, dress: Dress, limit: usize, share: Share) -> Self {
        Self {
            inspection,
            dress,
            limit,
            share,
            state: State::Head,
            tasks: Vec::new(),
            held: 0,
        }
    }

    /// Passes on what may pass; `true` once the client has its whole answer.
    pub(super) async fn pass(&mut self, outlet: &mut Outlet<'_>, tasks: Vec<HttpTask>) -> Result<bool> {
        if self.state == State::Closed {
            return Ok(true);
        }
        if self.state == State::Open {
            return outlet.send(tasks).await;
        }
        let mut done = false;
        for task in tasks {
            done = self.take(outlet, task).await?;
            if self.state == State::Closed {
                return Ok(true);
            }
        }
        Ok(done)
    }

    async fn take(&mut self, outlet: &mut Outlet<'_>, task: HttpTask) -> Result<bool> {
        match (self.state, &task) {
            (State::Head, HttpTask::Header(head, end)) if is_final(head) => {
                let decision = self.inspect_head(head, *end);
                self.keep(task);
                self.after(outlet, decision).await
            }
            (State::Holding, HttpTask::Body(body, end)) => {
                let (length, end) = (body.as_ref().map_or(0, Bytes::len), *end);
                self.keep(task);
                self.collect(outlet, length, end).await
            }
            (State::Holding, HttpTask::Trailer(_) | HttpTask::Done) => {
                self.keep(task);
                self.finish(outlet, Completeness::Complete).await
            }
            (State::Holding, HttpTask::Failed(_)) => self.give_up(task),
            _ => self.release_with(outlet, task).await,
        }
    }

    /// Phase 3; `Holding` follows where phase 4 wants the body.
    fn inspect_head(&mut self, head: &ResponseHeader, end: bool) -> Decision {
        let mut inspection = lock(&self.inspection);
        let decision = inspection.response_headers(head);
        // A coded body would have to be decoded first; the request asked for none.
        let readable = !head.headers.contains_key(http::header::CONTENT_ENCODING);
        let body = !end && head.status != http::StatusCode::SWITCHING_PROTOCOLS;
        let holds = decision == Decision::Pass && body && readable && inspection.wants_response_body();
        self.state = if holds { State::Holding } else { State::Open };
        decision
    }

    async fn collect(&mut self, outlet: &mut Outlet<'_>, length: usize, end: bool) -> Result<bool> {
        self.held += length;
        // Without memory the answer is inspected as far as it was held: serving goes on.
        let room = self.share.grow(length) && self.held <= self.limit;
        match (end, room) {
            (_, false) => self.finish(outlet, Completeness::Partial).await,
            (true, true) => self.finish(outlet, Completeness::Complete).await,
            (false, true) => Ok(false),
        }
    }

    /// Phase 4.
    async fn finish(&mut self, outlet: &mut Outlet<'_>, completeness: Completeness) -> Result<bool> {
        let body = self.body();
        self.state = State::Open;
        let decision = inspection::response_body(&self.inspection, body, completeness).await;
        self.after(outlet, decision).await
    }

    /// Lets go of what is held, or refuses the answer.
    async fn after(&mut self, outlet: &mut Outlet<'_>, decision: Decision) -> Result<bool> {
        if let Some(answer) = Answer::to(&decision, &self.dress.request_id) {
            self.state = State::Closed;
            self.tasks.clear();
            answer.dressed(self.dress.clone()).send(outlet.session).await?;
            if outlet.session.is_body_done() {
                return Ok(true);
            }
            // The request's body is still coming and nobody reads it any more: the exchange ends here.
            return Error::e_explain(ErrorType::ConnectionClosed, "refused before the request's end")
                .map_err(|error: Box<Error>| error.into_down());
        }
        if self.state == State::Holding {
            return Ok(false);
        }
        self.share.release();
        outlet.send(std::mem::take(&mut self.tasks)).await
    }

    /// The upstream broke off: what was held stays here, as it was never inspected to its end.
    fn give_up(&mut self, task: HttpTask) -> Result<bool> {
        self.tasks.clear();
        self.held = 0;
        self.share.release();
        self.state = State::Head;
        match task {
            HttpTask::Failed(error) => Err(error),
            _ => Ok(false),
        }
    }

    async fn release_with(&mut self, outlet: &mut Outlet<'_>, task: HttpTask) -> Result<bool> {
        let mut tasks = std::mem::take(&mut self.tasks);
        tasks.push(task);
        outlet.send(tasks).await
    }

    fn keep(&mut self, task: HttpTask) {
        self.tasks.push(task);
    }

    /// The held body in one piece, cut at the limit.
    fn body(&self) -> Bytes {
        let mut body = BytesMut::with_capacity(self.held.min(self.limit));
        for task in &self.tasks {
            if let HttpTask::Body(Some(chunk), _) = task {
                let room = self.limit - body.len();
                body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
            }
        }
        body.freeze()
    }
}

/// Interim answers pass; a protocol switch is final for the WAF.
fn is_final(head: &ResponseHeader) -> bool {
    !head.status.is_informational() || head.status == http::StatusCode::SWITCHING_PROTOCOLS
}
