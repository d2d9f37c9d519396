//! Palisade: an edge reverse proxy with an embedded WAF.

pub mod cli;
pub mod config;
pub mod config_files;
pub mod route;
pub mod rules;
