//! Who a client has to be: passwords, and the word of another service.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;

use super::PathMatch;

/// Basic authentication (RFC 7617) of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// What browsers show.
    pub realm: String,
    /// The users and their passwords' hashes.
    pub users: BTreeMap<String, PasswordHash>,
    /// The files that users came from, to be watched.
    pub files: Vec<PathBuf>,
    /// The upstream is told the user in it; taken from what clients send.
    pub user_header: Option<HeaderName>,
    /// Whether the upstream sees the password.
    pub pass_authorization: bool,
    /// How long a password that was right needs no computing.
    pub remember: Duration,
    /// Passwords that one client may try in a minute, those aside that are remembered.
    pub attempts: NonZeroU32,
    /// Open to everybody.
    pub except: Vec<PathMatch>,
}

/// A password's hash in a form that is known and not too costly; shown to nobody.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PasswordHash(String);

/// Another service that says whether a request may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardAuth {
    /// What is asked.
    pub url: String,
    /// PEM of the only CA to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// For the whole answer.
    pub timeout: Duration,
    /// Headers of its answer that the upstream gets; taken from what clients send.
    pub request_headers: Vec<HeaderName>,
    /// Headers of its answer that the client gets beside the upstream's.
    pub answer_headers: Vec<HeaderName>,
    /// Open to everybody.
    pub except: Vec<PathMatch>,
}

impl PasswordHash {
    /// A hash that was found to be one.
    pub(in crate::config) fn new(text: String) -> Self {
        Self(text)
    }

    /// The hash, for a verifier.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}
