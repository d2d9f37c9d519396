//! What policies are told of a request.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, Method, header};

use crate::config::PathMatch;

/// A request, as far as access goes by it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The client, as everything else knows it.
    pub client: IpAddr,
    /// The host asked for, lower case.
    pub host: &'r str,
    /// The method.
    pub method: &'r Method,
    /// The path in the form that routes are compared in.
    pub path: &'r str,
    /// The path as applications may read it besides, the one that decodes most first; empty if that is the path itself.
    pub others: &'r [String],
    /// Some of them read `..` in it, so that it may be for anything.
    pub climbs: bool,
    /// The headers.
    pub headers: &'r HeaderMap,
}

impl<'r> Asked<'r> {
    /// Whether the request may be for one of these paths: for policies that are not to be got around by spelling.
    pub fn may_be_for(&self, paths: &[PathMatch]) -> bool {
        let holds = |path: &str| paths.iter().any(|wanted| wanted.holds(path));
        self.climbs || holds(self.path) || self.others.iter().any(|path| holds(path))
    }

    /// Whether the request is for one of these paths however it is read: for exemptions.
    pub fn is_for(&self, paths: &[PathMatch]) -> bool {
        let holds = |path: &str| paths.iter().any(|wanted| wanted.holds(path));
        !self.climbs && holds(self.path) && self.others.iter().all(|path| holds(path))
    }

    /// The value of a cookie (RFC 6265 section 4.2.1); the first of several.
    pub fn cookie(&self, name: &str) -> Option<&'r [u8]> {
        let lines = self.headers.get_all(header::COOKIE).iter();
        let mut pairs = lines.flat_map(|line| HeaderValue::as_bytes(line).split(|byte| *byte == b';'));
        pairs.find_map(|pair| {
            pair.trim_ascii_start()
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")
        })
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A request with these headers.
    pub(in crate::access) fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    /// GET of `/` at app.test.
    pub(in crate::access) fn asked<'r>(client: &str, headers: &'r HeaderMap) -> Asked<'r> {
        Asked {
            client: client.parse().unwrap(),
            host: "app.test",
            method: &Method::GET,
            path: "/",
            others: &[],
            climbs: false,
            headers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{asked, headers};
    use super::*;

    #[test]
    fn cookies_as_browsers_send_them() {
        let headers = headers(&[("cookie", "a=1; session=abc=; sessionx=2"), ("cookie", "late=3")]);
        let asked = asked("192.0.2.1", &headers);
        for (name, expected) in [
            ("a", Some("1")),
            ("session", Some("abc=")),
            ("late", Some("3")),
            ("b", None),
        ] {
            assert_eq!(asked.cookie(name), expected.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn neither_a_policy_nor_an_exemption_is_got_at_by_spelling() {
        let headers = HeaderMap::new();
        let open = [PathMatch::Prefix("/public".to_owned())];
        for (path, others, climbs, may_be, is) in [
            ("/public/a", &[][..], false, true, true),
            ("/private", &[], false, false, false),
            ("/public%2Fa", &["/public/a"], false, true, false),
            ("/public/..%2Fprivate", &["/private"], true, true, false),
            ("/private/..%2Fpublic", &["/public"], true, true, false),
            (
                "/public/..;/admin;a%2f..%2fpublic",
                &["/public"],
                true,
                true,
                false,
            ),
        ] {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            let asked = Asked {
                path,
                others: &others,
                climbs,
                ..asked("192.0.2.1", &headers)
            };
            assert_eq!(
                (asked.may_be_for(&open), asked.is_for(&open)),
                (may_be, is),
                "{path}"
            );
        }
    }
}
