//! A place for one request in flight.

use super::http1::Http1;
use super::http2::Http2;
use super::{LoadError, Protocol, Shape, Target};
use palisade_bench_engine::requests::Request;

pub(super) enum Exchange {
    Http1(Box<Http1>, u64),
    Http2(Box<Http2>),
    New(Target, Box<Request>),
}

impl Exchange {
    /// The places of one connection.
    pub(super) async fn open(
        target: &Target,
        shape: Shape,
        request: &Request,
    ) -> Result<Vec<Self>, LoadError> {
        Ok(match shape.protocol {
            Protocol::Http1 => {
                let connection = Http1::connect(target, request).await?;
                vec![Self::Http1(Box::new(connection), 0)]
            }
            Protocol::Http2 => {
                let connection = Http2::connect(target, request).await?;
                (0..shape.streams)
                    .map(|_| Self::Http2(Box::new(connection.clone())))
                    .collect()
            }
            Protocol::NewConnections => vec![Self::New(target.clone(), Box::new(request.clone()))],
        })
    }

    /// One request and its whole answer.
    pub(super) async fn once(&mut self) -> Result<(), LoadError> {
        match self {
            Self::Http1(connection, reconnections) => {
                if !connection.once().await? {
                    *reconnections += 1;
                    connection.reconnect().await?;
                    connection.once().await?;
                }
                Ok(())
            }
            Self::Http2(connection) => connection.once().await,
            Self::New(target, request) => {
                let mut connection = Http1::connect(target, request).await?;
                connection.once().await?;
                connection.close().await
            }
        }
    }

    pub(super) fn take_reconnections(&mut self) -> u64 {
        match self {
            Self::Http1(_, reconnections) => std::mem::take(reconnections),
            Self::Http2(_) | Self::New(..) => 0,
        }
    }
}
