//! Where requests go: backends, their health, the choice among them, and the peer that Pingora connects to.

mod balancer;
mod echo;
mod mirror;
mod peer;
mod resolve;

pub use balancer::{Balancer, Endpoint};
pub use echo::Echo;
pub use mirror::{Copy, Mirror, Slot};
pub use peer::{Ca, UpstreamError, peer};
pub use resolve::{Candidates, Resolver};
