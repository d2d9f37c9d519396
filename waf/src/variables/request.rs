//! The request's head.

use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::transaction::{Facts, Request};

use super::Variable;
use super::arguments::{name_only, named};
use super::view::{Visit, maybe, number, one, pairs};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let request = &facts.request;
    match variable {
        Variable::RequestMethod => one(&request.method, visit),
        Variable::RequestProtocol => one(&request.protocol, visit),
        Variable::RequestLine => one(&request.line, visit),
        Variable::RequestUri => one(&request.uri, visit),
        Variable::RequestUriRaw => one(&request.uri_raw, visit),
        Variable::RequestFilename | Variable::PathInfo => one(&request.filename, visit),
        Variable::RequestBasename => one(request.basename(), visit),
        Variable::QueryString => one(&request.query, visit),
        Variable::RequestHeaders => pairs(request.headers.iter().map(named), visit),
        Variable::RequestHeadersNames => pairs(request.headers.iter().map(name_only), visit),
        Variable::RequestCookies => pairs(request.cookies.iter().map(named), visit),
        Variable::RequestCookiesNames => pairs(request.cookies.iter().map(name_only), visit),
        Variable::ServerName => one(request.server_name(), visit),
        Variable::AuthType => maybe(auth_type(request), visit),
        Variable::RemoteUser => maybe(remote_user(request).as_deref(), visit),
        Variable::FullRequest => one(&full_request(facts), visit),
        Variable::FullRequestLength => number(full_request(facts).len(), visit),
        _ => None,
    }
}

fn auth_type(request: &Request) -> Option<&[u8]> {
    request
        .header("authorization")?
        .split(|&byte| byte == b' ')
        .next()
}

/// The user of HTTP basic authentication, as far as the client tells: nobody has checked the password.
fn remote_user(request: &Request) -> Option<Vec<u8>> {
    let (scheme, credentials) = request.header("authorization")?.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = STANDARD.decode(credentials.trim_ascii()).ok()?;
    decoded.split(|&byte| byte == b':').next().map(<[u8]>::to_vec)
}

/// Request line, headers and body as a client would send them with bare line feeds.
fn full_request(facts: &Facts) -> Vec<u8> {
    let request = &facts.request;
    let mut full = request.line.clone();
    full.push(b'\n');
    for (name, value) in &request.headers {
        full.extend([name, &b": "[..], value, b"\n"].concat());
    }
    full.push(b'\n');
    full.extend_from_slice(&facts.body.bytes);
    full
}
