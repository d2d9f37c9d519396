//! How backends are asked whether they are well.

use std::time::Duration;

/// Checks of each address of a route's backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// Another port than that of requests.
    pub port: Option<u16>,
    /// Between two checks.
    pub interval: Duration,
    /// For one check.
    pub timeout: Duration,
    /// Good checks in a row until a backend that is down is up.
    pub up: u32,
    /// Bad checks in a row until a backend that is up is down.
    pub down: u32,
    /// How much earlier or later a check may come, in percent of the interval.
    pub jitter: u8,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Whether a connection is taken.
    Tcp,
    /// Whether a request is answered as it should be.
    Http(HttpProbe),
    /// What a call of grpc.health.v1 says.
    Grpc(GrpcProbe),
}

/// A call of grpc.health.v1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcProbe {
    /// The service that is asked about; "" for the server as a whole.
    pub service: String,
    /// The authority; what requests are sent with, or the backend's own.
    pub host: Option<String>,
}

/// A request, and the answer that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// The method.
    pub method: String,
    /// The path, with a query if need be.
    pub path: String,
    /// The Host; what requests are sent with, or the backend's own.
    pub host: Option<String>,
    /// Statuses that are well, as inclusive ranges.
    pub statuses: Vec<(u16, u16)>,
    /// Text that is in the first 64 KiB of the body.
    pub body: Option<String>,
}
