//! The table of rooms: who may import whom. Imports point down only; this test holds the table against the
//! `crate::` and `super::` paths of the code.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;

use palisade_tests::sources::{SourceFile, repository, source_files};
use regex::Regex;

/// A room and the rooms it may import. From top to bottom, as a request sees them.
type Table = &'static [(&'static str, &'static [&'static str])];

/// `proxy/src`. `flow` and the services never import each other: they meet in `snapshot` and `certs`.
const PROXY: Table = &[
    (
        "cli",
        &[
            "access",
            "admin",
            "app",
            "config",
            "config_files",
            "ddns",
            "dns",
            "doctor",
            "incident",
            "profile",
            "rules",
        ],
    ),
    (
        "doctor",
        &[
            "acme",
            "causes",
            "cloudflare",
            "config",
            "ddns",
            "nameserver",
            "secret",
        ],
    ),
    // The composition root: it alone sees every room.
    (
        "app",
        &[
            "acme",
            "admin",
            "certs",
            "cloudflare",
            "config",
            "config_files",
            "ddns",
            "dns",
            "flow",
            "handover",
            "limit",
            "listen",
            "profile",
            "route",
            "rules",
            "secret",
            "service",
            "snapshot",
            "telemetry",
            "upstream",
            "watch",
        ],
    ),
    ("handover", &[]),
    ("admin", &["limit", "snapshot", "telemetry"]),
    (
        "flow",
        &[
            "access",
            "certs",
            "config",
            "engine",
            "incident",
            "limit",
            "profile",
            "route",
            "snapshot",
            "telemetry",
            "upstream",
        ],
    ),
    ("listen", &["certs", "config", "limit", "telemetry"]),
    ("ddns", &["causes", "config", "nameserver", "secret"]),
    (
        "snapshot",
        &[
            "access", "certs", "config", "limit", "profile", "route", "upstream",
        ],
    ),
    ("access", &["config", "limit"]),
    ("upstream", &["config", "secret"]),
    ("acme", &["causes", "certs", "config", "nameserver", "secret"]),
    ("certs", &["config"]),
    ("profile", &["config", "engine", "rules"]),
    ("engine", &[]),
    ("telemetry", &["config"]),
    ("config_files", &["config"]),
    ("watch", &[]),
    ("dns", &["cloudflare", "config", "secret"]),
    ("cloudflare", &["causes", "config", "secret"]),
    ("nameserver", &[]),
    ("secret", &["config"]),
    ("service", &[]),
    ("rules", &["causes"]),
    ("causes", &[]),
    ("route", &["config"]),
    ("limit", &["config"]),
    ("incident", &["config"]),
    ("config", &[]),
];

/// `waf/src`. Text becomes rules, rules become a plan, a transaction runs the plan; `variables` and `actions`
/// are the parts of a transaction that have a file for each name of SecLang.
const WAF: Table = &[
    (
        "transaction",
        &[
            "actions",
            "audit",
            "body",
            "hash",
            "limits",
            "macros",
            "operators",
            "persistent",
            "plan",
            "prefilter",
            "rule",
            "text",
            "transformations",
            "variables",
        ],
    ),
    ("audit", &["rule", "text", "transaction", "variables"]),
    (
        "actions",
        &["macros", "persistent", "rule", "text", "transaction", "variables"],
    ),
    ("variables", &["body", "macros", "plan", "rule", "transaction"]),
    ("persistent", &["plan", "transaction", "variables"]),
    (
        "plan",
        &[
            "limits",
            "operators",
            "persistent",
            "prefilter",
            "rule",
            "seclang",
            "source",
            "transformations",
            "variables",
        ],
    ),
    (
        "seclang",
        &[
            "limits",
            "macros",
            "nearest",
            "operators",
            "rule",
            "source",
            "transformations",
            "variables",
        ],
    ),
    ("rule", &["macros", "operators", "transformations", "variables"]),
    (
        "operators",
        &[
            "hostile_bytes",
            "libinjection",
            "macros",
            "nearest",
            "prefilter",
            "source",
            "variables",
        ],
    ),
    ("transformations", &["prefilter"]),
    ("libinjection", &["prefilter"]),
    ("prefilter", &[]),
    ("macros", &["variables"]),
    ("body", &["limits"]),
    ("source", &[]),
    ("limits", &[]),
    ("hash", &[]),
    ("nearest", &[]),
    ("text", &[]),
];

/// Rooms that are deaf to the world: what they need to know of it arrives as an argument.
const PURE: &[&str] = &["config", "route", "limit", "incident"];

/// What a pure room never says outside of its tests.
const IMPURE: &str = r"\bstd::(?:fs|net::(?:Tcp|Udp|ToSocketAddrs)|process|env|thread)\b|\btokio::|\breqwest\b|\bInstant::now\b|\bSystemTime::now\b";

#[test]
fn the_proxys_imports_point_down() {
    hold("proxy/src", PROXY);
}

#[test]
fn the_engines_imports_point_down() {
    hold("waf/src", WAF);
}

#[test]
fn pure_rooms_do_no_io() {
    let impure = Regex::new(IMPURE).unwrap();
    let offences = offences_in("proxy/src", |file, room| {
        if !PURE.contains(&room) {
            return Vec::new();
        }
        let found = impure.find_iter(&file.code);
        found
            .map(|found| {
                (
                    found.start(),
                    format!("`{}` in the pure room {room}", found.as_str()),
                )
            })
            .collect()
    });
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn only_flow_knows_the_proxy_trait() {
    let offences = offences_in("proxy/src", |file, room| {
        let found = file.code.match_indices("ProxyHttp").filter(|_| room != "flow");
        found
            .map(|(at, _)| (at, format!("`ProxyHttp` in {room}")))
            .collect()
    });
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// Fails with a line for each import that the table does not allow.
fn hold(sources: &str, table: Table) {
    let allowed: BTreeMap<&str, &[&str]> = table.iter().copied().collect();
    let reexports = reexports(sources);
    let offences = offences_in(sources, |file, room| {
        let Some(permitted) = allowed.get(room) else {
            return vec![(
                0,
                format!("room {room} is not in the table of tests/tests/rooms.rs"),
            )];
        };
        imports(&file.code, file.modules.len())
            .into_iter()
            .map(|(at, name)| (at, reexports.get(&name).cloned().unwrap_or(name)))
            // What is no room is an item of the crate's root, or a module of the file's own.
            .filter(|(_, name)| allowed.contains_key(name.as_str()) && name != room)
            .filter(|(_, name)| !permitted.contains(&name.as_str()))
            .map(|(at, name)| {
                (
                    at,
                    format!("room {room} may not import {name}; it may: {permitted:?}"),
                )
            })
            .collect()
    });
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// `file:line: what` for all that `find` finds in the files below `sources`.
fn offences_in(sources: &str, find: impl Fn(&SourceFile, &str) -> Vec<(usize, String)>) -> Vec<String> {
    let mut offences = Vec::new();
    for file in source_files(sources).unwrap() {
        match file.modules.as_slice() {
            [] => {}
            [root] if root == "lib" || root == "main" => {}
            [room, ..] => offences.extend(
                find(&file, room)
                    .into_iter()
                    .map(|(at, what)| format!("{}: {what}", file.place(at))),
            ),
        }
    }
    offences
}

/// The names right below the crate's root that the code mentions, with their places: `crate::x`,
/// `crate::{x::.., y::..}`, and `super::x` as often as it takes to get there.
fn imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_members(group).into_iter().map(|name| (at, name))),
            None => found.push((at, identifier(rest))),
        }
    }
    let climb = Regex::new(r"(?:\bsuper::)+").unwrap();
    for steps in climb.find_iter(code) {
        if steps.as_str().matches("super").count() >= depth {
            found.push((steps.start(), identifier(&code[steps.end()..])));
        }
    }
    found
}

/// The first identifiers of the members of `{a::b, c::{d, e}}`, given from after the brace.
fn group_members(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut member) = (0, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut member)),
            _ if depth == 0 => member.push(c),
            _ => {}
        }
    }
    names.push(member);
    names
        .iter()
        .map(|name| identifier(name.trim()))
        .filter(|name| !name.is_empty())
        .collect()
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// What the crate's root lends its name to: `pub use limits::Limits` makes `crate::Limits` an import of
/// `limits`.
fn reexports(sources: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(repository().join(sources).join("lib.rs")).unwrap();
    let statement = Regex::new(r"(?s)pub use (\w+)::(\{[^}]*\}|\w+);").unwrap();
    let mut names = BTreeMap::new();
    for found in statement.captures_iter(&text) {
        for name in found[2]
            .trim_matches(['{', '}'])
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            names.insert(name.to_owned(), found[1].to_owned());
        }
    }
    names
}

#[test]
fn every_way_to_import_is_seen() {
    let code = "use crate::flow;\nuse crate::{acme::Plan, dns::{a, b},\n kube};\nuse super::super::tailnet::X;\nuse super::own;";
    let names: Vec<String> = imports(code, 2).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["flow", "acme", "dns", "kube", "tailnet"]);
}
