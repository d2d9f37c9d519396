//! Bans over HTTP: `GET /bans` lists them, `DELETE /bans/ADDRESS` lifts one.

use std::net::IpAddr;
use std::time::SystemTime;

use http::{HeaderName, Method, StatusCode, header};
use pingora_http::RequestHeader;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::limit::Bans;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is banned.
pub(super) fn list(bans: &Bans) -> Value {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let all = bans.list(now);
    let told = all.iter().map(|(client, ban)| {
        json!({
            "client": client.to_string(),
            "since": shown(ban.since),
            "until": shown(ban.until),
            "incident": ban.incident,
        })
    });
    json!({ "bans": told.collect::<Vec<_>>() })
}

/// The last part of the path, if the request is to lift a ban.
pub(super) fn to_lift(head: &RequestHeader) -> Option<&str> {
    head.uri
        .path()
        .strip_prefix("/bans/")
        .filter(|_| head.method == Method::DELETE)
}

/// Whether a browser sent it, on its own account or that of a page that it shows.
pub(super) fn of_browser(head: &RequestHeader) -> bool {
    head.headers.contains_key(header::ORIGIN) || head.headers.contains_key(SEC_FETCH_SITE)
}

/// Lifts a ban. Not for a page that somebody's browser happens to show.
pub(super) fn lift(bans: &Bans, head: &RequestHeader, address: &str) -> (StatusCode, String) {
    if of_browser(head) {
        return (StatusCode::FORBIDDEN, "not for browsers\n".to_owned());
    }
    match address.parse::<IpAddr>() {
        Ok(address) if bans.lift(address) => (StatusCode::OK, "lifted\n".to_owned()),
        Ok(_) => (StatusCode::NOT_FOUND, "this address is not banned\n".to_owned()),
        Err(_) => (StatusCode::BAD_REQUEST, "not an address\n".to_owned()),
    }
}

fn shown(time: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(time).ok()?).ok()?;
    time.format(&Rfc3339).ok()
}
