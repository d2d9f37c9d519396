//! The table of rooms: who may import whom. Imports point down only; this test holds the table against the
//! `crate::` and `super::` paths of the code.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A room and the rooms it may import. From top to bottom, as a request sees them.
type Table = &'static [(&'static str, &'static [&'static str])];

/// `proxy/src`. `flow` and the services never import each other: they meet in `snapshot` and `certs`.
const PROXY: Table = &[
    (
        "cli",
        &["app", "config", "config_files", "incident", "profile", "rules"],
    ),
    // The composition root: it alone sees every room.
    (
        "app",
        &[
            "admin",
            "certs",
            "config",
            "config_files",
            "flow",
            "limit",
            "listen",
            "profile",
            "route",
            "rules",
            "snapshot",
            "telemetry",
            "upstream",
            "watch",
        ],
    ),
    ("admin", &["snapshot", "telemetry"]),
    (
        "flow",
        &[
            "config",
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
    (
        "snapshot",
        &["certs", "config", "limit", "profile", "route", "upstream"],
    ),
    ("upstream", &["config"]),
    ("certs", &["config"]),
    ("profile", &["config", "rules"]),
    ("telemetry", &["config"]),
    ("config_files", &["config"]),
    ("watch", &[]),
    ("rules", &[]),
    ("route", &["config"]),
    ("limit", &["config"]),
    ("incident", &[]),
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
            "limits",
            "macros",
            "operators",
            "persistent",
            "plan",
            "rule",
            "text",
            "transformations",
            "variables",
        ],
    ),
    ("audit", &["rule", "text", "transaction", "variables"]),
    (
        "actions",
        &["macros", "persistent", "rule", "transaction", "variables"],
    ),
    ("variables", &["body", "macros", "plan", "rule", "transaction"]),
    ("persistent", &["plan", "transaction", "variables"]),
    (
        "plan",
        &["limits", "operators", "persistent", "rule", "seclang", "source"],
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
        &["hostile_bytes", "macros", "nearest", "source", "variables"],
    ),
    ("transformations", &["hostile_bytes"]),
    ("macros", &["variables"]),
    ("body", &["limits"]),
    ("source", &[]),
    ("limits", &[]),
    ("nearest", &[]),
    ("text", &[]),
    // Input for tests.
    ("hostile_bytes", &[]),
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
    let offences = offences_in("proxy/src", |file, code| {
        if !PURE.contains(&file.room.as_str()) || file.is_test() {
            return Vec::new();
        }
        let found = impure.find_iter(code);
        found
            .map(|m| {
                (
                    m.start(),
                    format!("`{}` in the pure room {}", m.as_str(), file.room),
                )
            })
            .collect()
    });
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn only_flow_knows_the_proxy_trait() {
    let offences = offences_in("proxy/src", |file, code| {
        let found = code.match_indices("ProxyHttp").filter(|_| file.room != "flow");
        found
            .map(|(at, _)| (at, format!("`ProxyHttp` in {}", file.room)))
            .collect()
    });
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// Fails with a line for each import that the table does not allow.
fn hold(sources: &str, table: Table) {
    let allowed: BTreeMap<&str, &[&str]> = table.iter().copied().collect();
    let reexports = reexports(&root().join(sources).join("lib.rs"));
    let offences = offences_in(sources, |file, code| {
        let Some(permitted) = allowed.get(file.room.as_str()) else {
            return vec![(
                0,
                format!("room {} is not in the table of tests/tests/rooms.rs", file.room),
            )];
        };
        imports(code, file.depth)
            .into_iter()
            .map(|(at, name)| (at, reexports.get(&name).cloned().unwrap_or(name)))
            // What is no room is an item of the crate's root, or a module of the file's own.
            .filter(|(_, name)| allowed.contains_key(name.as_str()) && *name != file.room)
            .filter(|(_, name)| !permitted.contains(&name.as_str()) && !file.is_test())
            .map(|(at, name)| {
                (
                    at,
                    format!("room {} may not import {name}; it may: {permitted:?}", file.room),
                )
            })
            .collect()
    });
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// A source file below a crate's root.
struct SourceFile {
    path: PathBuf,
    room: String,
    /// Modules between the crate's root and the inside of this file.
    depth: usize,
}

impl SourceFile {
    fn is_test(&self) -> bool {
        self.path
            .components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
    }
}

/// `file:line: what` for all that `find` finds in the code of the files below `sources`; comments and the
/// tests at the end of a file are not shown to it.
fn offences_in(sources: &str, find: impl Fn(&SourceFile, &str) -> Vec<(usize, String)>) -> Vec<String> {
    let mut offences = Vec::new();
    for file in source_files(&root().join(sources)) {
        let text = fs::read_to_string(&file.path).unwrap();
        let code = code_of(&text);
        let name = file
            .path
            .strip_prefix(root())
            .unwrap_or(&file.path)
            .display()
            .to_string();
        for (at, what) in find(&file, &code) {
            let line = code[..at].matches('\n').count() + 1;
            offences.push(format!("{name}:{line}: {what}"));
        }
    }
    offences
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn source_files(sources: &Path) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders = vec![sources.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(source_file(sources, path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// `None` for the crate's root itself.
fn source_file(sources: &Path, path: PathBuf) -> Option<SourceFile> {
    let modules: Vec<String> = path
        .strip_prefix(sources)
        .ok()?
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .filter(|part| part != "mod")
        .collect();
    let room = modules.first()?.clone();
    let is_root = modules.len() == 1 && (room == "lib" || room == "main");
    (!is_root).then_some(SourceFile {
        path,
        room,
        depth: modules.len(),
    })
}

/// The text with comments blanked out, up to the tests at its end; lines keep their numbers.
fn code_of(text: &str) -> String {
    let body = text
        .find("\n#[cfg(test)]\nmod tests")
        .map_or(text, |end| &text[..end]);
    let comment = Regex::new(r"(?m)(?:^|\s)//.*$").unwrap();
    comment
        .replace_all(body, |found: &regex::Captures<'_>| {
            found[0].replace(|c| c != '\n', " ")
        })
        .into_owned()
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
fn reexports(lib: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(lib).unwrap();
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
    assert_eq!(
        code_of("a // crate::flow\n/// crate::x\nb\n#[cfg(test)]\nmod tests {}")
            .trim_end()
            .lines()
            .count(),
        3
    );
}
