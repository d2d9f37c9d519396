//! Copies of requests for a mirror. The copy is taken from what goes to the backend, and sent off by a task of its own
//! once the request's body is whole: the request itself waits for nothing.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header;
use pingora_http::RequestHeader;

use crate::limit::Share;
use crate::snapshot::{LiveRoute, Snapshot};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{MirrorLabels, MirrorResult};
use crate::upstream::{Copy, Slot};

/// The copying of one request.
#[derive(Default)]
pub(in crate::flow) enum Tap {
    /// Nothing was decided yet.
    #[default]
    Idle,
    /// A copy is being taken.
    Open(Box<Open>),
    /// No copy, or it is on its way.
    Done,
}

pub(in crate::flow) struct Open {
    copy: Copy,
    body: BytesMut,
    share: Share,
    slot: Slot,
}

impl Tap {
    /// The head of a request on its way to a backend; of a retry too.
    pub(super) fn begin(
        &mut self,
        request: &RequestHeader,
        route: &LiveRoute,
        snapshot: &Snapshot,
        metrics: &Metrics,
    ) {
        let (Some(mirror), Some(settings)) = (&route.mirror, &route.route.filters.mirror) else {
            return;
        };
        match self {
            // A retry sends the body again.
            Self::Open(open) => {
                open.body.clear();
                open.share.release();
                return;
            }
            Self::Done => return,
            Self::Idle => *self = Self::Done,
        }
        let chosen = rand::random_range(0..100) < settings.percent;
        if !chosen || request.headers.contains_key(header::UPGRADE) {
            return;
        }
        let Some(slot) = mirror.slot() else {
            count(metrics, route, MirrorResult::skipped);
            return;
        };
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        *self = Self::Open(Box::new(Open {
            copy: Copy {
                method: request.method.clone(),
                target: target.to_owned(),
                headers: request.headers.clone(),
            },
            body: BytesMut::new(),
            share: snapshot.body_budget.share(),
            slot,
        }));
    }

    /// A piece of the body; at its end the copy goes off.
    pub(super) fn take(
        &mut self,
        piece: Option<&Bytes>,
        end: bool,
        route: &Arc<LiveRoute>,
        metrics: &Arc<Metrics>,
    ) {
        let Self::Open(open) = self else { return };
        let limit = route
            .route
            .filters
            .mirror
            .as_ref()
            .map_or(0, |settings| settings.max_body);
        let piece = piece.map_or(&[][..], |piece| piece);
        if open.body.len() + piece.len() > limit || !open.share.grow(piece.len()) {
            *self = Self::Done;
            count(metrics, route, MirrorResult::skipped);
            return;
        }
        open.body.extend_from_slice(piece);
        if end && let Self::Open(open) = std::mem::replace(self, Self::Done) {
            send(*open, route, metrics);
        }
    }
}

fn send(open: Open, route: &Arc<LiveRoute>, metrics: &Arc<Metrics>) {
    let Some(mirror) = &route.mirror else { return };
    let Open {
        copy,
        body,
        share,
        slot,
    } = open;
    let answered = mirror.send(copy, body.freeze());
    let (route, metrics) = (Arc::clone(route), Arc::clone(metrics));
    tokio::spawn(async move {
        let result = match answered.await {
            true => MirrorResult::sent,
            false => MirrorResult::failed,
        };
        count(&metrics, &route, result);
        drop((share, slot));
    });
}

fn count(metrics: &Metrics, route: &LiveRoute, result: MirrorResult) {
    let route = Arc::clone(&route.label);
    metrics
        .mirrored
        .get_or_create(&MirrorLabels { route, result })
        .inc();
}
