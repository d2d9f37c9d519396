//! From the socket to a stream that HTTP is spoken on: bind, accept, the PROXY protocol, TLS under a deadline, and a look
//! at what comes before Pingora reads it.
//!
//! The listeners are our own instead of Pingora's: total deadlines, caps on connections and a certificate set that
//! swaps under load need the accept loop in our hands (docs/decisions/0001-own-listeners.md).

mod accept;
mod bind;
mod client_auth;
mod connection;
mod delegate;
mod door;
mod farewell;
mod http1;
mod http2;
mod limits;
mod proxy_protocol;
mod queue;
mod spread;
mod stall;
mod tls;

pub use accept::{Acceptor, ConnectionEnds, Gauge, serve, stop_requested};
pub use bind::{BindError, bind};
pub use client_auth::{ClientAuth, ClientTrustSource};
pub use connection::Transport;
pub use door::Door;
pub use spread::{Load, Spread};
pub use tls::{ServerTls, server_config};
