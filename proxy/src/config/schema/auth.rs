//! A route's `basic_auth` and `forward_auth`.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::HeaderName;

use super::readable;
use crate::config::decode::{Fault, Node, Table, boolean, integer, list, some};
use crate::config::raw::{BasicAuth, ForwardAuth};
use crate::config::ready::PasswordHash;
use crate::config::values::units::duration;
use crate::config::values::{access as values, password, path, service};

const REMEMBER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 60 * 60);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
const REALM: &str = "printable ASCII without `\"` and `\\`";

/// `basic_auth`.
pub(super) fn basic_auth(node: Node<'_>) -> Option<BasicAuth> {
    node.open(|table| {
        Some(BasicAuth {
            realm: table.take("realm", |node| node.parse(REALM, parse_realm)),
            users: table.take("users", some("users", user)),
            file: table.take("file", |node| node.file(password::parse_users)),
            user_header: table.take("user_header", optional_header),
            pass_authorization: table.take("pass_authorization", boolean),
            remember: table.take("remember", duration(REMEMBER)),
            attempts: table.take("attempts", |node| NonZeroU32::new(integer(1..=1_000_000)(node)?)),
            except: except(table),
            place: table.place(),
        })
    })
}

/// `forward_auth`.
pub(super) fn forward_auth(node: Node<'_>) -> Option<ForwardAuth> {
    node.open(|table| {
        let url = table.require("url", service::URL, |node| {
            node.parse(service::URL, service::parse_whole_url)
        });
        let ca = table.take("ca", readable);
        let timeout = table.take("timeout", duration(TIMEOUT));
        let request_headers = table.take("request_headers", list("names", header));
        let answer_headers = table.take("answer_headers", list("names", header));
        let except = except(table);
        Some(ForwardAuth {
            url: url?,
            ca,
            timeout,
            request_headers,
            answer_headers,
            except,
        })
    })
}

fn except(table: &mut Table<'_>) -> Option<Vec<crate::config::ready::PathMatch>> {
    table.take("except", list("paths", path::path_match))
}

fn user(node: Node<'_>) -> Option<(String, PasswordHash)> {
    node.hidden(password::USER, password::parse_user)
}

fn header(node: Node<'_>) -> Option<HeaderName> {
    node.parse(values::HEADER, values::parse_header)
}

/// `""` for none.
fn optional_header(node: Node<'_>) -> Option<Option<HeaderName>> {
    node.parse(values::HEADER, |text| match text {
        "" => Ok(None),
        name => values::parse_header(name).map(Some),
    })
}

fn parse_realm(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte);
    if text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(Fault::new("not a realm"))
    }
}
