//! Which route a request takes. Pure.

mod host;
mod paths;
mod table;

pub use table::RouteTable;
