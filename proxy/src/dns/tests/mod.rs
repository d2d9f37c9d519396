//! The planner: stories as tables, and what holds for every zone.

mod desired;
mod properties;
mod stories;
