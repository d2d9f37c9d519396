//! What single values look like: text in, a value that cannot be wrong out, or why not.

pub(super) mod access;
pub(super) mod address;
pub(super) mod backend;
pub(super) mod balance;
pub(super) mod exclusion;
pub(super) mod header;
pub(super) mod host;
pub(super) mod log;
pub(super) mod password;
pub(super) mod path;
pub(super) mod pattern;
pub(super) mod service;
pub(super) mod units;
pub(super) mod url;
