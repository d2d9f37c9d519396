//! Certificates as they come about: ordered from a strict CA, validated over real DNS, kept on a real disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod crashes;
mod home;
mod issuance;
mod outages;
mod renewal;
mod secrets;
mod trouble;
