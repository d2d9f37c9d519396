//! What a route is chosen by.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use crate::config::{Conditions, ValueMatch};

/// A request, as far as a route is chosen by it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The host as the client sent it, in any case, with or without port and trailing dot.
    pub host: &'r str,
    /// The path as it was sent, without the query.
    pub path: &'r str,
    /// The query as it was sent.
    pub query: Option<&'r str>,
    /// The method.
    pub method: &'r str,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// Of a preflight, which has none of them: the names of headers that the request it asks for will have besides, as
    /// Access-Control-Request-Headers lists them. Conditions on these are taken as met, whatever the value.
    pub announced: Option<&'r str>,
}

impl<'r> Asked<'r> {
    /// GET without a query.
    pub fn get(host: &'r str, path: &'r str, headers: &'r HeaderMap) -> Self {
        Self {
            host,
            path,
            query: None,
            method: "GET",
            headers,
            announced: None,
        }
    }

    /// Whether the request meets all of `conditions`.
    pub(super) fn meets(&self, conditions: &Conditions) -> bool {
        let Conditions {
            methods,
            headers,
            query,
        } = conditions;
        (methods.is_empty() || methods.iter().any(|method| method == self.method))
            && headers.iter().all(|header| self.has(&header.name, &header.value))
            && query.iter().all(|query| self.asks(&query.name, &query.value))
    }

    fn has(&self, name: &HeaderName, wanted: &ValueMatch) -> bool {
        let mut lines = self.headers.get_all(name).iter().map(|line| line.as_bytes());
        let Some(first) = lines.next() else {
            return self.announces(name);
        };
        let value = match lines.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let all: Vec<&[u8]> = [first, second].into_iter().chain(lines).collect();
                Cow::Owned(all.join(b", ".as_slice()))
            }
        };
        match wanted {
            ValueMatch::Present => true,
            ValueMatch::Exact(exact) => *value == *exact.as_bytes(),
            ValueMatch::Regex(pattern) => {
                std::str::from_utf8(&value).is_ok_and(|text| pattern.is_match(text))
            }
        }
    }

    fn announces(&self, name: &HeaderName) -> bool {
        let mut names = self.announced.unwrap_or_default().split(',').map(str::trim);
        names.any(|announced| announced.eq_ignore_ascii_case(name.as_str()))
    }

    fn asks(&self, name: &str, wanted: &ValueMatch) -> bool {
        let query = self.query.unwrap_or_default();
        let first = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
        let Some((_, value)) = first else { return false };
        match wanted {
            ValueMatch::Present => true,
            ValueMatch::Exact(exact) => value == exact.as_str(),
            ValueMatch::Regex(pattern) => pattern.is_match(&value),
        }
    }
}
