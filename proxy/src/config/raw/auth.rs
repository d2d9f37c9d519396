//! What the files say about authentication.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;

use crate::config::errors::Place;
use crate::config::ready::PathMatch;
use crate::config::values::password::Users;

/// A route's `basic_auth`.
#[derive(Debug)]
pub(in crate::config) struct BasicAuth {
    pub(in crate::config) realm: Option<String>,
    pub(in crate::config) users: Option<Users>,
    pub(in crate::config) file: Option<(PathBuf, Users)>,
    pub(in crate::config) user_header: Option<Option<HeaderName>>,
    pub(in crate::config) pass_authorization: Option<bool>,
    pub(in crate::config) remember: Option<Duration>,
    pub(in crate::config) attempts: Option<NonZeroU32>,
    pub(in crate::config) except: Option<Vec<PathMatch>>,
    pub(in crate::config) place: Place,
}

/// A route's `forward_auth`.
#[derive(Debug)]
pub(in crate::config) struct ForwardAuth {
    pub(in crate::config) url: String,
    pub(in crate::config) ca: Option<PathBuf>,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) request_headers: Option<Vec<HeaderName>>,
    pub(in crate::config) answer_headers: Option<Vec<HeaderName>>,
    pub(in crate::config) except: Option<Vec<PathMatch>>,
}
