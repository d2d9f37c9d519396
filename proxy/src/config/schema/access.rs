//! `[access]`, and a route's `access` and `rate_limits`.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{auth, client_certificate, readable};
use crate::config::decode::{Node, Table, integer, list, parsed, some};
use crate::config::raw::{Access, AddressLists, RateLimit, RouteAccess};
use crate::config::ready::{AddressSet, Country};
use crate::config::values::units::duration;
use crate::config::values::{access as values, address, exclusion, path};

const BUCKETS: RangeInclusive<usize> = 1024..=16_777_216;
const PER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
const REQUESTS: &str = "how many requests";
const TIME: &str = "in how much time, such as \"1m\"";

/// `[access]`.
pub(super) fn access(table: &mut Table<'_>) -> Access {
    Access {
        country_database: table.take("country_database", readable),
        rate_limit_buckets: table.take("rate_limit_buckets", integer(BUCKETS)),
        names_database: table.has("country_database"),
        place: table.place(),
    }
}

/// All of a route that says who may use it.
pub(super) fn route_access(table: &mut Table<'_>) -> RouteAccess {
    RouteAccess {
        addresses: table.section("access", address_lists),
        client_certificate: table.take("client_certificate", client_certificate::client_certificate),
        rate_limits: table.sections("rate_limits", rate_limit),
        basic_auth: table.take("basic_auth", auth::basic_auth),
        forward_auth: table.take("forward_auth", auth::forward_auth),
    }
}

fn address_lists(table: &mut Table<'_>) -> AddressLists {
    AddressLists {
        allow: table.take("allow", some("networks", network)),
        allow_files: table.take("allow_files", some("files", file)),
        deny: table.take("deny", list("networks", network)),
        deny_files: table.take("deny_files", list("files", file)),
        allow_countries: table.take("allow_countries", some("countries", country)),
        deny_countries: table.take("deny_countries", list("countries", country)),
    }
}

fn rate_limit(table: &mut Table<'_>) -> Option<RateLimit> {
    let name = table.take("name", |node| node.parse(values::LABEL, values::parse_label));
    let requests = table.require("requests", REQUESTS, count);
    let per = table.require("per", TIME, duration(PER));
    let burst = table.take("burst", count);
    let by = table.take(
        "by",
        list("words", parsed(values::KEY_PART, values::parse_key_part)),
    );
    let paths = table.take("paths", some("paths", path::path_match));
    let methods = table.take("methods", some("methods", method));
    let except = table.take("except", list("networks", network));
    Some(RateLimit {
        name,
        requests: requests?,
        per: per?,
        burst,
        by,
        paths,
        methods,
        except,
        place: table.place(),
    })
}

fn count(node: Node<'_>) -> Option<NonZeroU32> {
    NonZeroU32::new(integer(1..=1_000_000)(node)?)
}

/// An address or a network.
pub(super) fn network(node: Node<'_>) -> Option<IpNet> {
    node.parse(address::NETWORK, address::parse_network)
}

fn file(node: Node<'_>) -> Option<(PathBuf, AddressSet)> {
    node.file(address::parse_list)
}

fn country(node: Node<'_>) -> Option<Country> {
    node.parse(values::COUNTRY, values::parse_country)
}

fn method(node: Node<'_>) -> Option<String> {
    node.parse(exclusion::METHOD, exclusion::parse_method)
}
