//! The edge as its users, its operators and its attackers see it: the real library, real sockets.
//!
//! One binary for all scenarios: linking the edge is what costs time. A scenario that only asks uses the shared
//! world; one that changes something has an edge of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod access;
mod activation;
mod attacks;
mod auth;
mod balancing;
mod bans;
mod bodies;
mod bounds;
mod client_certificates;
mod compression;
mod config_errors;
mod connections;
mod cors;
mod cut;
mod drain;
mod error_pages;
mod evil;
mod evil_h2;
mod false_positives;
mod filters;
mod grpc;
mod health;
mod hostile;
mod identity;
mod incident;
mod limits;
mod matches;
mod mirrors;
mod names;
mod observe;
mod ordinary;
mod pools;
mod process;
mod protocols;
mod refused;
mod reload;
mod responses;
mod retries;
mod routing;
mod rules;
mod slow_readers;
mod streaming;
mod tls;
mod trailers;
mod transfers;
mod upgrade;
mod upgrade_counts;
mod upstream;
mod waf_blocks;
mod waf_forms;
mod waf_modes;
mod waf_passes;
mod workers;
