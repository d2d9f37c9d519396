//! Cross-origin resource sharing: preflights are answered here, and answers say who may read them. Where a route has
//! `cors`, what backends say of it is taken away: two answers to one question are none to a browser.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};

use crate::config::{Cors, HostPattern, Origin};

const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// What backends may have said.
const OURS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// What a preflight says of the request that would follow it.
#[derive(Debug, Clone, Copy)]
pub(in crate::flow) struct Preflight<'r> {
    /// Its method.
    pub(in crate::flow) method: &'r str,
    /// The names of headers of its own that it would have.
    pub(in crate::flow) headers: Option<&'r str>,
}

/// The request that would follow this one, if it is a preflight (Fetch, CORS-preflight request).
pub(in crate::flow) fn preflight(asked: &RequestHeader) -> Option<Preflight<'_>> {
    if asked.method != Method::OPTIONS || !asked.headers.contains_key(header::ORIGIN) {
        return None;
    }
    let text = |name| asked.headers.get(name)?.to_str().ok();
    Some(Preflight {
        method: text(header::ACCESS_CONTROL_REQUEST_METHOD)?,
        headers: text(header::ACCESS_CONTROL_REQUEST_HEADERS),
    })
}

/// The answer to a preflight. Who may not read gets one without leave: the browser knows what that means.
pub(super) fn answer_to_preflight(cors: &Cors, asked: &RequestHeader) -> Option<Result<ResponseHeader>> {
    Some(answer(cors, asked, preflight(asked)?.method))
}

fn answer(cors: &Cors, asked: &RequestHeader, method: &str) -> Result<ResponseHeader> {
    let mut answer = ResponseHeader::build(StatusCode::NO_CONTENT, Some(8))?;
    answer.insert_header(header::VARY, PREFLIGHT_VARY)?;
    let Some(origin) = allowed_origin(cors, asked) else {
        return Ok(answer);
    };
    answer.insert_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin)?;
    if cors.allow_credentials {
        answer.insert_header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true")?;
    }
    // `*` is a method's name where credentials are sent: what was asked for is named.
    let methods = cors
        .allow_methods
        .as_ref()
        .map_or_else(|| method.to_owned(), |names| names.join(", "));
    if !methods.is_empty() {
        answer.insert_header(header::ACCESS_CONTROL_ALLOW_METHODS, methods)?;
    }
    let headers = match &cors.allow_headers {
        Some(names) => HeaderValue::try_from(names.join(", ")).ok(),
        None => asked.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
    };
    if let Some(headers) = headers.filter(|headers| !headers.is_empty()) {
        answer.insert_header(header::ACCESS_CONTROL_ALLOW_HEADERS, headers)?;
    }
    answer.insert_header(header::ACCESS_CONTROL_MAX_AGE, cors.max_age.as_secs())?;
    Ok(answer)
}

/// Says on an answer who may read it.
pub(super) fn decorate(cors: &Cors, asked: &RequestHeader, answer: &mut ResponseHeader) -> Result<()> {
    for name in &OURS {
        answer.remove_header(name);
    }
    for (name, value) in lines(cors, asked) {
        answer.append_header(name, value)?;
    }
    Ok(())
}

/// The lines that say it.
pub(super) fn lines(cors: &Cors, asked: &RequestHeader) -> Vec<(HeaderName, HeaderValue)> {
    let mut lines = Vec::new();
    if cors.allow_origins.is_some() {
        lines.push((header::VARY, HeaderValue::from_static("Origin")));
    }
    let Some(origin) = allowed_origin(cors, asked) else {
        return lines;
    };
    lines.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
    if cors.allow_credentials {
        lines.push((
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        ));
    }
    if !cors.expose_headers.is_empty()
        && let Ok(names) = HeaderValue::try_from(cors.expose_headers.join(", "))
    {
        lines.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, names));
    }
    lines
}

/// The origin of the request if it may read, or `*`.
fn allowed_origin(cors: &Cors, asked: &RequestHeader) -> Option<HeaderValue> {
    let origin = asked.headers.get(header::ORIGIN)?;
    match &cors.allow_origins {
        None => Some(HeaderValue::from_static("*")),
        Some(known) => {
            let text = origin.to_str().ok()?;
            known.iter().any(|known| is(known, text)).then(|| origin.clone())
        }
    }
}

/// Whether an origin, as a browser writes it (RFC 6454 section 6.2), is meant.
fn is(known: &Origin, sent: &str) -> bool {
    let Some((scheme, rest)) = sent.split_once("://") else {
        return false;
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let ports = match (known.port, port) {
        (None, None) => true,
        (Some(known), Some(port)) => port.parse() == Ok(known),
        _ => false,
    };
    ports
        && scheme == known.scheme
        && match &known.host {
            HostPattern::Exact(name) => host == name,
            HostPattern::Wildcard(suffix) => {
                let labels = host
                    .strip_suffix(suffix.as_str())
                    .and_then(|rest| rest.strip_suffix('.'));
                labels.is_some_and(|labels| !labels.is_empty())
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::config;

    fn cors(lines: &str) -> Cors {
        let text = format!(
            "[[routes]]\nname = \"a\"\nhosts = [\"a.example\"]\necho = true\n[routes.cors]\n{lines}\n"
        );
        config(&text).routes[0].filters.cors.clone().unwrap()
    }

    fn asked(method: &str, lines: &[(&'static str, &str)]) -> RequestHeader {
        let mut asked = RequestHeader::build(method, b"/", None).unwrap();
        for (name, value) in lines {
            asked.insert_header(*name, *value).unwrap();
        }
        asked
    }

    #[test]
    fn only_named_origins_may_read() {
        let cors = cors(
            "allow_origins = [\"https://app.example\", \"https://*.example.org\", \"http://localhost:3000\"]",
        );
        for (origin, allowed) in [
            ("https://app.example", true),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://app.example.evil.example", false),
            ("https://evilapp.example", false),
            ("https://a.example.org", true),
            ("https://a.b.example.org", true),
            ("https://example.org", false),
            ("https://.example.org", false),
            ("https://evilexample.org", false),
            ("http://localhost:3000", true),
            ("http://localhost", false),
            ("null", false),
            ("", false),
        ] {
            let asked = asked("GET", &[("origin", origin)]);
            assert_eq!(allowed_origin(&cors, &asked).is_some(), allowed, "{origin}");
        }
    }

    #[test]
    fn a_preflight_is_told_what_it_asked_for() {
        let preflight_lines = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-a, x-b"),
        ];
        let asked = asked("OPTIONS", &preflight_lines);
        let cors = cors(
            "allow_origins = [\"https://app.example\"]\nallow_credentials = true\nallow_methods = \"*\"\nallow_headers = [\"*\"]\nmax_age = \"10m\"",
        );
        let answer = answer_to_preflight(&cors, &asked).unwrap().unwrap();
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "x-a, x-b"),
            ("access-control-max-age", "600"),
            ("vary", PREFLIGHT_VARY),
        ] {
            assert_eq!(answer.headers.get(name).unwrap(), value, "{name}");
        }
    }
}
