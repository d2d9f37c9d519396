//! A request's way through the edge. `hooks` holds Pingora's trait and delegates; each other file has one
//! job and knows nothing of the hooks.

mod accept;
mod access;
mod admit;
mod affinity;
mod bans;
mod body;
mod client;
mod compress;
mod connection;
mod context;
mod dress;
mod filter;
mod fit;
mod forward;
mod gate;
mod head;
mod hooks;
mod inspection;
mod kind;
mod log;
mod outlet;
mod pace;
mod parts;
mod path;
mod reading;
mod redirect;
mod respond;
mod response_gate;
mod retry;
mod route;
mod security_headers;
#[cfg(feature = "coraza")]
mod shadow;
mod sound;
mod turned_away;

pub use hooks::Edge;
pub use parts::EdgeParts;
pub use redirect::Redirect;
pub use turned_away::TurnedAway;
