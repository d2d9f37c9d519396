//! Which route a request takes. Pure.

mod host;
mod paths;
mod request;
mod table;

pub use request::Asked;
pub use table::RouteTable;
