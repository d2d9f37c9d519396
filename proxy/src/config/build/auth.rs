//! Authentication: defaults, and options held against one another.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use http::{HeaderName, header};

use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{BasicAuth, ForwardAuth};

/// A person tries a few passwords; a machine would try thousands.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// A route's `basic_auth`.
pub(super) fn basic_auth(raw: raw::BasicAuth, report: &Report) -> BasicAuth {
    let (files, listed) = match raw.file {
        Some((file, users)) => (vec![file], users),
        None => (Vec::new(), Vec::new()),
    };
    let written = raw.users.unwrap_or_default();
    let mut users = BTreeMap::new();
    for (name, hash) in listed.into_iter().chain(written) {
        if users.insert(name.clone(), hash).is_some() {
            let reason = format!("the user `{name}` stands twice in `users`, or in `users` and in `file`");
            report.problem(&raw.place, Problem::Contradiction(reason));
        }
    }
    // An empty file is nobody, for now; without any place for users it is a slip of the pen.
    if users.is_empty() && files.is_empty() && report.is_empty() {
        let reason = "`basic_auth` names no users: it takes `users`, a `file`, or both";
        report.problem(&raw.place, Problem::Contradiction(reason.to_owned()));
    }
    BasicAuth {
        realm: raw.realm.unwrap_or_else(|| "Restricted".to_owned()),
        users,
        files,
        user_header: raw
            .user_header
            .unwrap_or(Some(HeaderName::from_static("x-auth-user"))),
        pass_authorization: raw.pass_authorization.unwrap_or(false),
        remember: raw.remember.unwrap_or(Duration::from_secs(5 * 60)),
        attempts: raw.attempts.unwrap_or(ATTEMPTS),
        except: raw.except.unwrap_or_default(),
    }
}

/// A route's `forward_auth`.
pub(super) fn forward_auth(raw: raw::ForwardAuth) -> ForwardAuth {
    ForwardAuth {
        url: raw.url,
        ca: raw.ca,
        timeout: raw.timeout.unwrap_or(Duration::from_secs(5)),
        request_headers: raw.request_headers.unwrap_or_default(),
        answer_headers: raw.answer_headers.unwrap_or_else(|| vec![header::SET_COOKIE]),
        except: raw.except.unwrap_or_default(),
    }
}
