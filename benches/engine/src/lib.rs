//! The engine alone: requests of several kinds, one request's way through the engine, the installed rule set without
//! the edge around it. Two programs: `instructions` counts them, `worst` times what a hostile client can cost.

pub mod attacks;
pub mod baseline;
pub mod counting;
pub mod crs;
pub mod hostile;
pub mod inspect;
pub mod requests;
