//! What HTTP on a connection is held to.

use std::sync::Arc;
use std::time::Duration;

use super::Gauge;
use super::http1::HeadLimits;
use super::http2::FrameLimits;
use crate::config::{Listen, Trailers};

/// What HTTP on a connection is held to, and who is told where it was not.
#[derive(Debug)]
pub(super) struct HttpLimits {
    /// Sizes of an HTTP/1 head.
    pub(super) head: HeadLimits,
    /// Fields behind a body.
    pub(super) trailers: Trailers,
    /// From the first byte of a head to its end.
    pub(super) head_timeout: Duration,
    /// From one request to the next.
    pub(super) keepalive_timeout: Duration,
    /// For a write of which the client takes nothing.
    pub(super) write_timeout: Duration,
    /// Frames of HTTP/2.
    pub(super) frames: FrameLimits,
    /// Requests on one connection.
    pub(super) max_requests: Option<u32>,
    /// Told of what was refused.
    pub(super) gauge: Arc<dyn Gauge>,
}

impl HttpLimits {
    /// As the configuration says.
    pub(super) fn new(listen: &Listen, gauge: Arc<dyn Gauge>) -> Self {
        Self {
            head: HeadLimits {
                bytes: listen.max_request_head,
                fields: listen.max_request_headers,
                target: listen.max_request_target,
            },
            trailers: listen.trailers,
            head_timeout: listen.request_head_timeout,
            keepalive_timeout: listen.keepalive_timeout,
            write_timeout: listen.response_write_timeout,
            frames: FrameLimits {
                window: listen.http2.window,
                resets: listen.http2.max_resets,
                control: listen.http2.max_control_frames,
            },
            max_requests: listen.max_requests_per_connection,
            gauge,
        }
    }
}
