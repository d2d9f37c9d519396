//! What can go wrong with the API, and what to do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::causes::Causes;

/// Why a call failed. Never holds the token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The connection, or TLS, or HTTP. Whether the API acted is not known.
    #[error("the API cannot be reached: {}", Causes(source.as_ref()))]
    Transport {
        /// What the HTTP client says.
        source: Arc<reqwest::Error>,
    },
    /// No whole answer in time. Whether the API acted is not known.
    #[error("the API did not answer in time")]
    Timeout,
    /// More than is ever read.
    #[error("the API's answer is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// Not what the API documents: an error page of something in between, or half an answer.
    #[error("the API's answer (status {status}) makes no sense: {source}")]
    NotJson {
        /// HTTP's.
        status: u16,
        /// The parser's words.
        source: Arc<serde_json::Error>,
    },
    /// The API refused.
    #[error("the API refused (status {status}): {}", Messages(errors))]
    Api {
        /// HTTP's.
        status: u16,
        /// Its reasons; the first is what made it stop.
        errors: Vec<ApiMessage>,
    },
    /// Too many calls. Nothing is sent until then.
    #[error("the API's limit of calls is reached; it can be asked again in {} s", retry_after.as_secs())]
    RateLimited {
        /// For how long nothing is sent.
        retry_after: Duration,
    },
    /// The token cannot be sent.
    #[error("the API token holds characters that no token has")]
    Token,
    /// The token sees no such zone.
    #[error("the token sees no zone {name}")]
    NoZone {
        /// Its name.
        name: String,
    },
    /// Records came and went while they were listed, page by page.
    #[error("the zone's records changed while they were listed")]
    Unstable,
    /// More records than are ever listed.
    #[error("the zone has more than {limit} records")]
    TooMany {
        /// The most that are listed.
        limit: usize,
    },
}

/// One of the API's reasons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiMessage {
    /// Its number.
    #[serde(default)]
    pub code: u64,
    /// Its words.
    #[serde(default)]
    pub message: String,
    /// What is behind it.
    #[serde(default, rename = "error_chain")]
    pub chain: Vec<ApiMessage>,
}

/// The token is wrong, expired, or may not do this.
const AUTH: [u64; 7] = [6003, 6103, 6111, 9103, 9106, 9109, 10000];
/// A record with this very content is there.
const IDENTICAL: [u64; 2] = [81057, 81058];
/// There is no such record.
const NO_RECORD: u64 = 81044;
/// There is no such zone, or it is none of the token's.
const NO_ZONE: [u64; 2] = [7000, 7003];
/// The zone is full.
const FULL: u64 = 81045;

impl ApiError {
    /// What to do about it, where the API's own words do not say.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::NoZone { .. } => Some(
                "add the zone at Cloudflare, or give the token Zone / Zone / Read and Zone / DNS / Edit for it",
            ),
            Self::Token => Some("the token's file or variable has to hold the token and nothing else"),
            Self::Api { errors, .. } => errors.iter().find_map(|error| error.advice()),
            _ => None,
        }
    }

    /// Whether the token is at fault: no other call with it will do better.
    pub fn is_auth(&self) -> bool {
        matches!(
            self,
            Self::Token
                | Self::Api {
                    status: 401 | 403,
                    ..
                }
        ) || self.has(&AUTH)
    }

    /// Whether the same call may well succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Timeout | Self::RateLimited { .. } | Self::Unstable => true,
            Self::NotJson { status, .. } => !(400..500).contains(status),
            Self::Api { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// Whether the record that was asked for is gone already.
    pub fn is_absent(&self) -> bool {
        self.has(&[NO_RECORD])
    }

    /// Whether a record with this very content is there already.
    pub fn is_identical(&self) -> bool {
        self.has(&IDENTICAL)
    }

    /// Whether the zone can hold no more records.
    pub fn is_full(&self) -> bool {
        self.has(&[FULL])
    }

    /// Whether the zone is not where it was.
    pub fn is_zone_gone(&self) -> bool {
        self.has(&NO_ZONE)
    }

    fn has(&self, codes: &[u64]) -> bool {
        let Self::Api { errors, .. } = self else {
            return false;
        };
        errors.iter().any(|error| error.has(codes))
    }
}

impl ApiMessage {
    fn has(&self, codes: &[u64]) -> bool {
        codes.contains(&self.code) || self.chain.iter().any(|cause| cause.has(codes))
    }

    /// The causes know more than what they caused.
    fn advice(&self) -> Option<&'static str> {
        let behind = self.chain.iter().find_map(Self::advice);
        behind.or(match self.code {
            code if AUTH.contains(&code) => Some(
                "the token is wrong, expired or may not do this: it needs Zone / Zone / Read and Zone / DNS / Edit for this zone",
            ),
            code if NO_ZONE.contains(&code) => {
                Some("the zone's identifier is not known (any more): the zone is looked up anew")
            }
            9003 => Some("a private address cannot be proxied: set `proxied = false`, or point to a public one"),
            9021 => Some("a TTL is 60 to 86400 seconds, or \"auto\""),
            81053 | 81054 => Some(
                "an A, AAAA or CNAME record has this name already: delete it at Cloudflare, or take the host out of the route",
            ),
            81057 | 81058 => Some(
                "the same record is there already and not ours: delete it at Cloudflare, or add the ownership record",
            ),
            NO_RECORD => Some("somebody else deleted the record meanwhile: the next round sees what is there"),
            FULL => Some(
                "the zone holds as many records as its plan allows: every host takes two, the record and its ownership",
            ),
            _ => None,
        })
    }
}

impl fmt::Display for ApiMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message.trim_end_matches('.'), self.code)?;
        self.chain.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

struct Messages<'e>(&'e [ApiMessage]);

impl fmt::Display for Messages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("without a reason");
        }
        for (nth, message) in self.0.iter().enumerate() {
            let separator = if nth == 0 { "" } else { "; " };
            write!(f, "{separator}{message}")?;
        }
        Ok(())
    }
}
