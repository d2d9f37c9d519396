//! A route's `paths`, `methods`, `headers` and `query`.

use http::HeaderName;
use toml::de::DeValue;

use crate::config::decode::{At, Fault, Node, Table, list, parsed, some};
use crate::config::raw::Conditions;
use crate::config::ready::{HeaderMatch, QueryMatch, RoutePath, ValueMatch};
use crate::config::values::{exclusion, path, pattern};

const HEADER: &str = "the name of a header such as \"x-canary\"";
const PARAMETER: &str = "the name of a query parameter such as \"version\"";
const ROUTE_PATH: &str = "a path, { exact = \"/x\" }, { prefix = \"/x\" } or { regex = \"^/x\" }";

/// `methods`, `headers` and `query`.
pub(super) fn conditions(table: &mut Table<'_>) -> Conditions {
    Conditions {
        methods: table.take("methods", some("methods", method)),
        headers: table
            .take("headers", some("header conditions", header))
            .unwrap_or_default(),
        query: table
            .take("query", list("conditions on parameters", parameter))
            .unwrap_or_default(),
    }
}

/// One of `paths`.
pub(super) fn route_path(node: Node<'_>) -> Option<At<RoutePath>> {
    let at = node.at(());
    let value = match node.value() {
        DeValue::String(_) => path::path_match(node)?.into(),
        DeValue::Table(_) => node.open(any_path)?,
        _ => {
            node.wrong_type(ROUTE_PATH, None);
            return None;
        }
    };
    Some(At {
        value,
        place: at.place,
    })
}

fn any_path(table: &mut Table<'_>) -> Option<RoutePath> {
    let regex = table.take("regex", |node| {
        node.parse(pattern::PATTERN, pattern::parse_pattern)
    });
    let plain = path::exact_or_prefix(table);
    let kinds = ["exact", "prefix", "regex"];
    if kinds.iter().filter(|key| table.has(key)).count() != 1 {
        table.contradiction("prefix", "a path is one of `exact`, `prefix` and `regex`");
    }
    plain.map(RoutePath::Plain).or(regex.map(RoutePath::Regex))
}

fn method(node: Node<'_>) -> Option<At<String>> {
    parsed(exclusion::METHOD, exclusion::parse_method)(node)
}

fn header(node: Node<'_>) -> Option<At<HeaderMatch>> {
    let at = node.at(());
    let value = node.open(|table| {
        let name = table.require("name", HEADER, |node| node.parse(HEADER, header_name));
        let value = value_match(table);
        Some(HeaderMatch {
            name: name?,
            value: value?,
        })
    })?;
    Some(At {
        value,
        place: at.place,
    })
}

fn parameter(node: Node<'_>) -> Option<At<QueryMatch>> {
    let at = node.at(());
    let value = node.open(|table| {
        let name = table.require("name", PARAMETER, |node| {
            node.parse(PARAMETER, |text| match text {
                "" => Err(Fault::new("empty")),
                name => Ok(name.to_owned()),
            })
        });
        let value = value_match(table);
        Some(QueryMatch {
            name: name?,
            value: value?,
        })
    })?;
    Some(At {
        value,
        place: at.place,
    })
}

/// `value`, `regex`, or neither: it is enough that it is there.
fn value_match(table: &mut Table<'_>) -> Option<ValueMatch> {
    let value = table.take("value", |node| node.parse("a string", |text| Ok(text.to_owned())));
    let regex = table.take("regex", |node| {
        node.parse(pattern::PATTERN, pattern::parse_pattern)
    });
    match (table.has("value"), table.has("regex")) {
        (true, true) => {
            table.contradiction("regex", "a condition has a `value` or a `regex`, not both");
            None
        }
        (true, false) => value.map(ValueMatch::Exact),
        (false, true) => regex.map(ValueMatch::Regex),
        (false, false) => Some(ValueMatch::Present),
    }
}

/// The host is what `hosts` are for.
fn header_name(text: &str) -> Result<HeaderName, Fault> {
    match HeaderName::try_from(text) {
        Ok(http::header::HOST) => Err(Fault::new("the host is matched by `hosts`")),
        Ok(name) => Ok(name),
        Err(_) => Err(Fault::new("not the name of a header")),
    }
}
