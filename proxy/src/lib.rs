//! Palisade: an edge reverse proxy with an embedded WAF.

pub mod acme;
pub mod admin;
pub mod app;
pub mod certs;
pub mod cli;
pub mod cloudflare;
pub mod config;
pub mod config_files;
pub mod ddns;
pub mod dns;
pub mod doctor;
pub mod engine;
pub mod flow;
pub mod incident;
pub mod limit;
pub mod listen;
pub mod nameserver;
pub mod profile;
pub mod route;
pub mod rules;
pub mod secret;
pub mod service;
pub mod snapshot;
pub mod telemetry;
pub mod upstream;
pub mod watch;
