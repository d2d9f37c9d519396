//! API tokens and what they may.

use std::collections::HashMap;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::error::ApiError;

/// What a token may do in its zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Zone Read and DNS Read.
    Read,
    /// DNS Edit as well.
    Edit,
}

/// What one token may.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    /// 32 hexadecimal digits.
    pub id: String,
    zones: Vec<String>,
    access: Access,
}

impl Grant {
    /// Whether the zone is one that the token may read.
    pub(super) fn reads(&self, zone: &str) -> bool {
        self.zones.iter().any(|known| known == zone)
    }

    /// Whether the token may do this there.
    pub(super) fn allows(&self, zone: &str, access: Access) -> bool {
        self.access >= access && self.reads(zone)
    }
}

/// The tokens that are good.
#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<String, Grant>);

impl Tokens {
    pub(super) fn add(&mut self, token: &str, zones: &[&str], access: Access) {
        let grant = Grant {
            id: format!("{:032x}", self.0.len() + 0x70_6b_65_6e),
            zones: zones.iter().map(|zone| zone.to_string()).collect(),
            access,
        };
        self.0.insert(token.to_owned(), grant);
    }

    pub(super) fn remove(&mut self, token: &str) {
        self.0.remove(token);
    }

    pub(super) fn grant(&self, token: &str) -> Option<Grant> {
        self.0.get(token).cloned()
    }
}

/// The token of a request: it must have the one header, and the header the form that real tokens have.
pub(super) fn token(headers: &HeaderMap) -> Result<String, ApiError> {
    let value = headers.get(AUTHORIZATION).ok_or_else(ApiError::no_credentials)?;
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Bearer "));
    let well_formed = |token: &&str| {
        (1..=128).contains(&token.len())
            && token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let token = token
        .filter(well_formed)
        .ok_or_else(ApiError::malformed_authorization)?;
    Ok(token.to_owned())
}
