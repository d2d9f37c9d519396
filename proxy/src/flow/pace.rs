//! How long a request's body may be waited for: no pause that is too long, no trickle, no more than its limit.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Version;
use pingora_core::protocols::http::ServerSession;
use pingora_error::{Error, ErrorSource, ErrorType, Result};

use crate::config::{Listen, Trailers, Upstream};

/// How a body comes in. Time counts only while it is waited for: an upstream that takes its time costs the client none.
#[derive(Debug)]
pub(super) struct Pace {
    /// Between two reads.
    pause: Duration,
    /// The same once the answer has begun.
    pause_in_answer: Duration,
    /// Bytes per second of waiting.
    rate: usize,
    /// The waiting that is still allowed, and the most that bytes can buy: who begins fast has no hours to trickle in.
    credit: Duration,
    most_credit: Duration,
    /// Bytes at most.
    most: Option<u64>,
    /// Fields behind it.
    trailers: Trailers,
    received: u64,
    waiting_since: Option<Instant>,
}

impl Pace {
    /// For any request.
    pub(super) fn new(listen: &Listen, upstream: &Upstream) -> Self {
        Self {
            pause: listen.request_body_timeout,
            pause_in_answer: listen.request_body_timeout.max(upstream.idle_timeout),
            rate: listen.request_body_rate,
            credit: listen.request_body_grace,
            most_credit: listen.request_body_grace.max(listen.request_body_timeout),
            most: listen.max_request_body,
            trailers: listen.trailers,
            received: 0,
            waiting_since: None,
        }
    }

    /// The body is one side of a conversation, a gRPC call's, and its pauses are an upstream's to judge. Not for one that
    /// is held: no upstream hears of it, and the client has nobody to wait for.
    pub(super) fn converse(&mut self, idle_timeout: Duration) {
        self.pause = idle_timeout;
        self.rate = 0;
    }

    /// The answer has begun: what the client still sends it sends in its own time.
    pub(super) fn relax(&mut self) {
        self.pause = self.pause_in_answer;
        self.rate = 0;
    }

    /// The next part of the session's body; none behind its last one.
    pub(super) async fn read(&mut self, session: &mut ServerSession) -> Result<Option<Bytes>> {
        let part = self.next(session.read_request_body()).await?;
        if part.is_none() {
            self.end(session)?;
        }
        Ok(part)
    }

    /// The next part of the body, by `read`. What was waited counts even where the wait is broken off and taken up again.
    async fn next<F>(&mut self, read: F) -> Result<Option<Bytes>>
    where
        F: Future<Output = Result<Option<Bytes>>>,
    {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let left = self.left(since.elapsed());
        let Ok(part) = tokio::time::timeout(left, read).await else {
            let mut error =
                Error::explain(ErrorType::ReadTimedout, "the request body did not arrive in time");
            error.esource = ErrorSource::Downstream;
            return Err(error);
        };
        let part = part?;
        self.waiting_since = None;
        self.came(part.as_ref().map_or(0, Bytes::len), since.elapsed());
        if self.most.is_some_and(|most| self.received > most) {
            return Error::e_explain(
                ErrorType::HTTPStatus(413),
                "the request body is over max_request_body",
            );
        }
        Ok(part)
    }

    /// Looks at what is behind the end of a body of HTTP/2. Where there are trailers they are what is left of its stream,
    /// which nobody reads; those of HTTP/1 the listener has seen.
    fn end(&self, session: &mut ServerSession) -> Result<()> {
        let is_http2 = session.req_header().version == Version::HTTP_2;
        if self.trailers == Trailers::Drop || !is_http2 || session.is_body_done() {
            return Ok(());
        }
        session.set_keepalive(None);
        Error::e_explain(
            ErrorType::HTTPStatus(400),
            "trailers, which [listen].trailers refuses",
        )
    }

    /// How much longer the next part may take, after so much.
    fn left(&self, waiting: Duration) -> Duration {
        let pause = self.pause.saturating_sub(waiting);
        if self.rate == 0 {
            return pause;
        }
        pause.min(self.credit.saturating_sub(waiting))
    }

    /// So many bytes, after so much waiting.
    fn came(&mut self, bytes: usize, waited: Duration) {
        self.received += bytes as u64;
        if self.rate > 0 {
            let earned = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
            let left = self.credit.saturating_sub(waited);
            // What a slow network has used up it may earn again.
            self.credit = left.saturating_add(earned).min(self.most_credit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: usize, most: Option<u64>) -> Pace {
        Pace {
            pause: Duration::from_secs(30),
            pause_in_answer: Duration::from_secs(300),
            rate,
            credit: Duration::from_secs(10),
            most_credit: Duration::from_secs(30),
            most,
            trailers: Trailers::Drop,
            received: 0,
            waiting_since: None,
        }
    }

    #[test]
    fn bytes_buy_time() {
        let mut pace = pace(100, None);
        let seconds = Duration::from_secs;
        assert_eq!(pace.left(seconds(0)), seconds(10));
        assert_eq!(pace.left(seconds(4)), seconds(6));
        pace.came(500, seconds(4));
        assert_eq!(pace.left(seconds(0)), seconds(11));
        pace.came(0, seconds(11));
        assert_eq!(pace.left(seconds(0)), seconds(0));
        // A fast beginning buys no more than a pause.
        pace.came(1_000_000_000, seconds(1));
        assert_eq!(pace.left(seconds(0)), seconds(30));
        pace.came(1, seconds(29));
        assert_eq!(pace.left(seconds(0)), Duration::from_millis(1010));
        pace.rate = 0;
        assert_eq!(pace.left(seconds(1)), seconds(29));
    }

    #[test]
    fn a_conversation_may_pause() {
        let mut pace = pace(100, None);
        pace.converse(Duration::from_secs(300));
        assert_eq!(pace.left(Duration::from_secs(100)), Duration::from_secs(200));
    }

    #[tokio::test]
    async fn a_body_ends_at_its_limit() {
        let mut pace = pace(0, Some(8));
        let part = || async { Ok(Some(Bytes::from_static(b"12345"))) };
        assert!(pace.next(part()).await.unwrap().is_some());
        let error = pace.next(part()).await.unwrap_err();
        assert_eq!(*error.etype(), ErrorType::HTTPStatus(413));
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_is_told_so() {
        let mut pace = pace(100, None);
        let error = pace.next(std::future::pending()).await.unwrap_err();
        assert_eq!(*error.etype(), ErrorType::ReadTimedout);
        assert_eq!(error.esource, ErrorSource::Downstream);
    }
}
