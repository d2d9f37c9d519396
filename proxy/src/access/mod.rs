//! Who may use a route, and how often: policies that are asked about a request, in the order of this list. The flow asks
//! and answers the client; what it is told here are facts.

mod asked;
mod basic;
pub mod client_certificate;
mod country;
mod error;
pub mod forward_auth;
mod limiter;
pub mod password;
mod places;
mod policies;

pub use asked::Asked;
pub use basic::{Basic, Login};
pub use country::Countries;
pub use error::AccessError;
pub use limiter::{Charged, Limiter, seconds};
pub use places::{Refused, may_come};
pub use policies::{Policies, Shared};
