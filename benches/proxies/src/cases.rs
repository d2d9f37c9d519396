//! The loads.

use crate::load::{Protocol, Shape};
use palisade_bench_engine::requests::{self, Request};

/// Requests in flight: enough that no proxy waits for the client.
const IN_FLIGHT: usize = 32;

/// One load, the same for all proxies.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// In tables and ratios.
    pub name: &'static str,
    /// What is sent.
    pub request: fn() -> Request,
    /// How many at once.
    pub shape: Shape,
    /// Requests a second; none for as many as there can be.
    pub rate: Option<u32>,
}

/// The case of most ratios.
pub const GET: &str = "get-h1";
/// Requests that all differ: nothing of one is known from another but the browser's headers.
pub const DISTINCT: &str = "get-h1-distinct";
/// The first over HTTP/2.
pub const GET_H2: &str = "get-h2";
/// The same with a connection for each.
pub const NEW_TLS: &str = "get-new-tls";
/// Answers of 1 MiB.
pub const DOWNLOAD: &str = "download-h1";
/// The case of latencies.
pub const STEADY: &str = "get-h1-1000rps";

/// In the order of the tables.
pub const CASES: [Case; 7] = [
    Case {
        name: GET,
        request: requests::get,
        shape: kept(Protocol::Http1, IN_FLIGHT, 1),
        rate: None,
    },
    Case {
        name: DISTINCT,
        request: requests::get_distinct,
        shape: kept(Protocol::Http1, IN_FLIGHT, 1),
        rate: None,
    },
    Case {
        name: GET_H2,
        request: requests::get,
        shape: kept(Protocol::Http2, 4, IN_FLIGHT / 4),
        rate: None,
    },
    Case {
        name: NEW_TLS,
        request: requests::get,
        shape: kept(Protocol::NewConnections, IN_FLIGHT, 1),
        rate: None,
    },
    Case {
        name: DOWNLOAD,
        request: requests::download,
        shape: kept(Protocol::Http1, 8, 1),
        rate: None,
    },
    Case {
        name: "form-h1",
        request: requests::form_post,
        shape: kept(Protocol::Http1, IN_FLIGHT, 1),
        rate: None,
    },
    Case {
        name: STEADY,
        request: requests::get,
        shape: kept(Protocol::Http1, IN_FLIGHT, 1),
        rate: Some(1_000),
    },
];

impl Case {
    /// The case of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CASES.into_iter().find(|case| case.name == name)
    }
}

const fn kept(protocol: Protocol, connections: usize, streams: usize) -> Shape {
    Shape {
        protocol,
        connections,
        streams,
    }
}
