//! Where requests go: backends, their addresses, the choice among them, and the peer that Pingora connects to.

mod balancer;
mod choice;
mod echo;
mod endpoint;
mod keeper;
mod peer;
mod record;
mod source;
mod sticky;

pub use balancer::{Balancer, NoBackend, Wish};
pub use choice::key;
pub use echo::Echo;
pub use endpoint::{Endpoint, Lease, Standing};
pub use keeper::Keeper;
pub use peer::{Ca, UpstreamError, peer};
pub use record::Failure;
pub use source::Source;
pub use sticky::{StickyKey, StickyKeyError, Token};
