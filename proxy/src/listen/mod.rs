//! From the socket to a stream that HTTP is spoken on: bind, accept, TLS under a deadline.
//!
//! The listeners are our own instead of Pingora's: a total deadline for the handshake, a cap on
//! connections and a certificate set that swaps under load need the accept loop in our hands
//! (docs/decisions/0001-own-listeners.md).

mod accept;
mod answer;
mod bind;
mod client_auth;
mod connection;
mod request_line;
mod tls;

pub use accept::{Acceptor, Gauge, serve, stop_requested};
pub use bind::{BindError, bind};
pub use client_auth::{ClientAuth, ClientTrustSource};
pub use connection::Transport;
pub use request_line::RequestLines;
pub use tls::{ServerTls, server_config};
