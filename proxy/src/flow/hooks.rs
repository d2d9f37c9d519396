//! Pingora's hooks. Each delegates: what happens is written in the file that its line names.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use pingora_core::modules::http::HttpModules;
use pingora_core::protocols::Digest;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};

use super::admit::admit;
use super::context::RequestContext;
use super::parts::EdgeParts;
use super::{access, connection, filter, forward, gate, log, respond, route, security_headers, sound};

/// The edge as Pingora sees it.
pub struct Edge {
    pub(super) parts: EdgeParts,
    keeps: bool,
}

impl Edge {
    /// An edge of these parts, which keeps connections to backends or ends each with its request.
    pub fn new(parts: EdgeParts, keeps: bool) -> Self {
        Self { parts, keeps }
    }
}

#[async_trait]
impl ProxyHttp for Edge {
    type CTX = RequestContext;

    /// None: Pingora's compression, which would be off, costs each request some allocations.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    fn new_ctx(&self) -> RequestContext {
        RequestContext::new(self.parts.snapshots.load())
    }

    async fn request_filter(&self, session: &mut Session, context: &mut RequestContext) -> Result<bool> {
        connection::prepare(session.as_downstream_mut(), &context.snapshot.config.listen);
        let answered = admit(session.as_downstream_mut(), context, &self.parts).await;
        log::request_matches(&self.parts, session.as_downstream(), context);
        answered
    }

    async fn upstream_peer(
        &self,
        session: &mut Session,
        context: &mut RequestContext,
    ) -> Result<Box<HttpPeer>> {
        let mut peer = route::next_peer(session.as_downstream(), context).await?;
        filter::limit_connect(context, &mut peer)?;
        if !self.keeps {
            peer.options.idle_timeout = Some(Duration::ZERO);
        }
        Ok(peer)
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        request: &mut RequestHeader,
        context: &mut RequestContext,
    ) -> Result<()> {
        forward::request(context, request)?;
        access::to_upstream(context, request)?;
        filter::request(&self.parts, context, request)
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        context: &mut RequestContext,
    ) -> Result<()> {
        filter::request_body(&self.parts, session, context, body.as_ref(), end)
    }

    async fn connected_to_upstream(
        &self,
        session: &mut Session,
        _reused: bool,
        _peer: &HttpPeer,
        _fd: std::os::fd::RawFd,
        _digest: Option<&Digest>,
        context: &mut RequestContext,
    ) -> Result<()> {
        route::connected(context, session.as_downstream());
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        context: &mut RequestContext,
    ) -> Result<()> {
        context
            .first_byte
            .get_or_insert_with(|| context.started.elapsed());
        if response.status.is_informational() && response.status != StatusCode::SWITCHING_PROTOCOLS {
            return sound::interim(context);
        }
        sound::check(context, response)?;
        route::answered(session.as_downstream(), context, response)?;
        access::to_client(context, response)?;
        security_headers::complete(context, response)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        context: &mut RequestContext,
    ) -> Result<()> {
        connection::frame(session.as_downstream_mut(), response);
        filter::response(session.req_header(), context, response)
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _end: bool,
        context: &mut RequestContext,
    ) -> Result<Option<Duration>> {
        filter::response_body(session, context, body.as_ref()).map(|()| None)
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        context: &mut RequestContext,
        error: Box<Error>,
    ) -> Box<Error> {
        log::connect_failure(&self.parts, context);
        route::connect_failed(context, error)
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        context: &mut RequestContext,
        reused: bool,
    ) -> Box<Error> {
        let error = route::proxy_failed(session.as_downstream(), context, error, reused);
        log::retry(&self.parts, context, &error);
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        context: &mut RequestContext,
    ) -> FailToProxy {
        context.failed(error);
        gate::remove(session.as_downstream_mut(), context.home.take());
        let error_code = respond::failure(session.as_downstream_mut(), context, error).await;
        FailToProxy {
            error_code,
            can_reuse_downstream: false,
        }
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, context: &mut RequestContext) {
        gate::remove(session.as_downstream_mut(), context.home.take());
        log::request(&self.parts, session.as_downstream_mut(), context);
    }

    fn suppress_error_log(&self, _session: &Session, _context: &RequestContext, _error: &Error) -> bool {
        // The access log carries the error with the request's other facts.
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _context: &RequestContext,
        _error: &Error,
        _warning: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}
