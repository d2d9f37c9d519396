//! Where requests go: backends, their addresses and how they are, the choice among them, and the peer that Pingora
//! connects to.

mod balancer;
mod budget;
mod choice;
mod dialer;
mod echo;
mod endpoint;
mod health;
mod keeper;
mod line;
mod mirror;
mod names;
mod race;
mod record;
mod seats;
mod source;
mod sticky;
mod trust;

pub use balancer::{Balancer, NoBackend, Wish};
pub use budget::RetryBudget;
pub use choice::key;
pub use dialer::{Dialer, Kind};
pub use echo::Echo;
pub use endpoint::{Endpoint, Lease, Standing};
pub use health::ProbeError;
pub use keeper::{Keeper, Tended};
pub use mirror::{Copy, Mirror, Slot};
pub use race::Race;
pub use record::Failure;
pub use seats::Hall;
pub use source::Source;
pub use sticky::{StickyKey, StickyKeyError, Token};
pub use trust::{Ca, ClientCertificate, UpstreamError};
