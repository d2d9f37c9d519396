//! `http://10.0.0.5:8080`: where a route's requests go.

use super::host::parse_upstream;
use crate::config::decode::Fault;
use crate::config::errors::nearest;
use crate::config::ready::{Backend, Scheme};

/// What [`parse_backend`] reads.
pub(in crate::config) const BACKEND: &str = "a URL such as \"http://10.0.0.5:8080\"";

/// A scheme, a host and an optional port, and nothing else: requests keep their path.
pub(in crate::config) fn parse_backend(text: &str) -> Result<Backend, Fault> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Fault::new("no scheme").suggesting(format!("http://{text}")));
    };
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        "h2c" => Scheme::H2c,
        other => {
            let likely = nearest(other, ["https", "http", "h2c"]).unwrap_or("http");
            let fault = Fault::new("a backend speaks http, https or h2c");
            return Err(fault.suggesting(format!("{likely}://{rest}")));
        }
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if let Some(end) = authority.find(['/', '?', '#']) {
        let kept = &authority[..end];
        let fault = Fault::new("requests keep their path: a backend has none");
        return Err(fault.suggesting(format!("{scheme}://{kept}")));
    }
    if authority.contains('@') {
        return Err(Fault::new("a backend has no user name"));
    }
    let (host, port) = split_port(authority, kind.default_port())?;
    Ok(Backend {
        scheme: kind,
        host: parse_upstream(host)?,
        port,
    })
}

fn split_port(authority: &str, default: u16) -> Result<(&str, u16), Fault> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => return Ok((authority, default)),
    };
    if host.contains(':') && !host.starts_with('[') {
        return Err(Fault::new("an IPv6 address stands in brackets"));
    }
    match port.parse() {
        Ok(port) if port > 0 => Ok((host, port)),
        _ => Err(Fault::new("a port is a number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends() {
        for (text, expected) in [
            ("http://10.0.0.5:8080", Ok((false, "10.0.0.5", 8080))),
            ("https://nas.example", Ok((true, "nas.example", 443))),
            ("HTTP://NAS.example/", Ok((false, "nas.example", 80))),
            ("http://[::1]:9000", Ok((false, "::1", 9000))),
            ("http://[::1]", Ok((false, "::1", 80))),
            ("http://my_app:3000", Ok((false, "my_app", 3000))),
            ("10.0.0.5:8080", Err("no scheme")),
            ("ftp://a", Err("a backend speaks http, https or h2c")),
            (
                "http://a/base",
                Err("requests keep their path: a backend has none"),
            ),
            ("http://a?x", Err("requests keep their path: a backend has none")),
            ("http://me:secret@a", Err("a backend has no user name")),
            ("http://a:0", Err("a port is a number from 1 to 65535")),
            ("http://a:70000", Err("a port is a number from 1 to 65535")),
            ("http://::1:80", Err("an IPv6 address stands in brackets")),
            ("http://", Err("empty")),
            ("http://a b", Err("not a hostname")),
        ] {
            let expected = expected.map(|(tls, host, port)| Backend {
                scheme: if tls { Scheme::Https } else { Scheme::Http },
                host: host.to_owned(),
                port,
            });
            assert_eq!(
                parse_backend(text).map_err(|fault| fault.reason),
                expected.map_err(str::to_owned),
                "{text}"
            );
        }
    }
}
