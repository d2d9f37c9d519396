//! A whole edge at home: its zone at the strict fake, its certificate from a strict CA, its address found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod certificates;
mod commands;
mod crash;
mod desk;
mod doctor;
mod house;
mod outages;
mod records;
mod renewal;
mod standing;
