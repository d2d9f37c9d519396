//! Redirects of a route.

use http::{HeaderValue, header};
use pingora_error::{OrErr, Result};
use pingora_http::{RequestHeader, ResponseHeader};

use super::super::head;
use super::path;
use crate::config::{Redirect, RoutePath, UrlScheme};

/// The answer that sends the client elsewhere.
pub(super) fn redirect(
    redirect: &Redirect,
    paths: &[RoutePath],
    asked: &RequestHeader,
) -> Result<ResponseHeader> {
    let location = location(redirect, paths, asked);
    let location = HeaderValue::try_from(location).or_err(
        pingora_error::ErrorType::HTTPStatus(400),
        "no location can be made of this request",
    )?;
    let mut answer = ResponseHeader::build(redirect.status, Some(2))?;
    answer.insert_header(header::LOCATION, location)?;
    answer.insert_header(header::CONTENT_LENGTH, 0)?;
    Ok(answer)
}

fn location(redirect: &Redirect, paths: &[RoutePath], asked: &RequestHeader) -> String {
    let authority = head::authority(asked).unwrap_or_default();
    let bare = head::without_port(authority);
    let sent_port = authority
        .get(bare.len()..)
        .and_then(|rest| rest.strip_prefix(':'));
    // Only https is served.
    let scheme = redirect.scheme.unwrap_or(UrlScheme::Https);
    let port = match (redirect.port, redirect.scheme) {
        (Some(port), _) => Some(port),
        (None, Some(_)) => None,
        (None, None) => sent_port.and_then(|port| port.parse().ok()),
    };
    let host = match &redirect.host {
        Some(host) => host.clone(),
        None => head::host(asked).unwrap_or_default(),
    };
    let port = port.filter(|port| *port != scheme.port());
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    format!(
        "{}://{host}{port}{}",
        scheme.as_str(),
        target(redirect, paths, asked)
    )
}

/// Path and query, as they were sent where the path stays.
fn target(redirect: &Redirect, paths: &[RoutePath], asked: &RequestHeader) -> String {
    let sent = Some(asked.uri.path())
        .filter(|path| path.starts_with('/'))
        .unwrap_or("/");
    let path = match &redirect.path {
        Some(change) => path::rewritten(change, paths, sent).0,
        None => sent.to_owned(),
    };
    path::with_query(path, asked.uri.query())
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::config::{PathChange, PathMatch};

    #[test]
    fn locations() {
        let to = Redirect {
            scheme: None,
            host: None,
            port: None,
            path: None,
            status: StatusCode::FOUND,
        };
        let host = |host: &str| Some(host.to_owned());
        let cases = [
            (
                Redirect {
                    host: host("b.example"),
                    ..to.clone()
                },
                "a.example",
                "https://b.example/x/y?q",
            ),
            (
                Redirect {
                    host: host("b.example"),
                    ..to.clone()
                },
                "a.example:8443",
                "https://b.example:8443/x/y?q",
            ),
            (
                Redirect {
                    scheme: Some(UrlScheme::Https),
                    host: host("b.example"),
                    ..to.clone()
                },
                "a.example:8443",
                "https://b.example/x/y?q",
            ),
            (
                Redirect {
                    scheme: Some(UrlScheme::Http),
                    port: Some(8080),
                    ..to.clone()
                },
                "A.example",
                "http://a.example:8080/x/y?q",
            ),
            (
                Redirect {
                    port: Some(443),
                    ..to.clone()
                },
                "a.example:8443",
                "https://a.example/x/y?q",
            ),
            (
                Redirect {
                    path: Some(PathChange::Prefix("/z".to_owned())),
                    ..to.clone()
                },
                "[::1]:8443",
                "https://[::1]:8443/z/y?q",
            ),
            (
                Redirect {
                    path: Some(PathChange::Full("/z".to_owned())),
                    ..to.clone()
                },
                "a.example",
                "https://a.example/z?q",
            ),
        ];
        let paths = [PathMatch::Prefix("/x".to_owned()).into()];
        for (redirect, sent, expected) in cases {
            let mut asked = RequestHeader::build("GET", b"/x/y?q", None).unwrap();
            asked.insert_header("host", sent).unwrap();
            assert_eq!(location(&redirect, &paths, &asked), expected);
        }
    }
}
