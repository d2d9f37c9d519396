//! How the edge's own answers look on a route, to a client: what access policies, CORS and the route's security headers say
//! on all answers, and the operator's own pages.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};

use super::context::RequestContext;
use super::{filter, security_headers};
use crate::config::ErrorPages;
use crate::snapshot::LiveRoute;

/// How an answer looks besides what it says.
#[derive(Debug, Clone, Default)]
pub(super) struct Dress {
    route: Option<Arc<LiveRoute>>,
    /// What access policies tell the client.
    told: Vec<(HeaderName, HeaderValue)>,
    /// The operator's pages.
    pub(super) pages: Arc<ErrorPages>,
    /// The request's id, as in the logs.
    pub(super) request_id: String,
}

impl Dress {
    /// As the request so far has it.
    pub(super) fn of(context: &RequestContext) -> Self {
        let told = context.granted.iter().flat_map(|granted| &granted.answer);
        Self {
            route: context.route.clone(),
            told: told.cloned().collect(),
            pages: Arc::clone(&context.snapshot.config.errors),
            request_id: context.id.clone(),
        }
    }

    /// Puts on an answer to `asked` what belongs on all of them.
    pub(super) fn complete(&self, asked: &RequestHeader, answer: &mut ResponseHeader) -> Result<()> {
        if let Some(route) = self.route.as_deref() {
            for (name, value) in filter::cors_lines(asked, route) {
                answer.append_header(name, value)?;
            }
        }
        self.complete_bare(answer)
    }

    /// The same on a redirect or the answer to a preflight, which say of CORS what there is to say.
    pub(super) fn complete_bare(&self, answer: &mut ResponseHeader) -> Result<()> {
        for (name, value) in &self.told {
            answer.append_header(name.clone(), value.clone())?;
        }
        match self.route.as_deref() {
            Some(route) => security_headers::apply(&route.route.security_headers, answer),
            None => Ok(()),
        }
    }
}
