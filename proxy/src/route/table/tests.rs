use http::{HeaderMap, HeaderName, HeaderValue};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use regex::Regex;

use super::*;
use crate::config::testing::config;
use crate::config::{Conditions, HeaderMatch, PathMatch, Pattern, QueryMatch, RoutePath, ValueMatch};

fn route(name: &str, hosts: &[HostPattern], paths: &[RoutePath]) -> Route {
    let config = config("[[routes]]\nname = \"x\"\nhosts = [\"x.test\"]\necho = true\n");
    let template = Route::clone(&config.routes[0]);
    Route {
        name: name.to_owned(),
        hosts: hosts.to_vec(),
        paths: paths.to_vec(),
        ..template
    }
}

fn exact(host: &str) -> HostPattern {
    HostPattern::Exact(host.to_owned())
}

fn wildcard(suffix: &str) -> HostPattern {
    HostPattern::Wildcard(suffix.to_owned())
}

fn prefix(path: &str) -> RoutePath {
    PathMatch::Prefix(path.to_owned()).into()
}

fn exactly(path: &str) -> RoutePath {
    PathMatch::Exact(path.to_owned()).into()
}

fn matching(pattern: &str) -> RoutePath {
    RoutePath::Regex(Pattern::new(Regex::new(pattern).unwrap()))
}

/// A header of a request, or of a condition: `name`, `name=value`.
fn pair(text: &str) -> (&str, Option<&str>) {
    text.split_once('=')
        .map_or((text, None), |(name, value)| (name, Some(value)))
}

fn value(text: Option<&str>) -> ValueMatch {
    match text {
        None => ValueMatch::Present,
        Some(text) => match text.strip_prefix('~') {
            Some(pattern) => ValueMatch::Regex(Pattern::new(Regex::new(pattern).unwrap())),
            None => ValueMatch::Exact(text.to_owned()),
        },
    }
}

fn conditions(methods: &[&str], headers: &[&str], query: &[&str]) -> Conditions {
    let header = |text: &&str| HeaderMatch {
        name: HeaderName::try_from(pair(text).0).unwrap(),
        value: value(pair(text).1),
    };
    let parameter = |text: &&str| QueryMatch {
        name: pair(text).0.to_owned(),
        value: value(pair(text).1),
    };
    Conditions {
        methods: methods.iter().map(ToString::to_string).collect(),
        headers: headers.iter().map(header).collect(),
        query: query.iter().map(parameter).collect(),
    }
}

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = pair(line);
        let value = HeaderValue::from_str(value.unwrap_or("")).unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), value);
    }
    headers
}

fn find<'t>(table: &RouteTable<&'t str>, host: &str, path: &str) -> Option<&'t str> {
    table.find(&Asked::get(host, path, &HeaderMap::new())).copied()
}

fn table(routes: &[Route]) -> RouteTable<&str> {
    RouteTable::new(routes.iter().map(|route| (route, route.name.as_str())))
}

#[test]
fn the_most_specific_host_and_path_win() {
    let routes = [
        route("any", &[wildcard("example")], &[prefix("/")]),
        route("apps", &[wildcard("apps.example")], &[prefix("/")]),
        route("blog", &[exact("blog.apps.example")], &[prefix("/")]),
        route("api", &[exact("blog.apps.example")], &[prefix("/api")]),
        route("v2", &[exact("blog.apps.example")], &[prefix("/api/v2")]),
        route("ping", &[exact("blog.apps.example")], &[exactly("/api/v2/ping")]),
        route("v6", &[exact("[::1]")], &[prefix("/")]),
        route("deep", &[exact("deep.example")], &[prefix("/only/here")]),
    ];
    let table = table(&routes);
    for (host, path, expected) in [
        ("blog.apps.example", "/", Some("blog")),
        ("BLOG.apps.example.:8443", "/", Some("blog")),
        ("blog.apps.example", "/api", Some("api")),
        ("blog.apps.example", "/api/", Some("api")),
        ("blog.apps.example", "/apix", Some("blog")),
        ("blog.apps.example", "/api/v1", Some("api")),
        ("blog.apps.example", "/api/v2/x/y/z", Some("v2")),
        ("blog.apps.example", "/api/v2/ping", Some("ping")),
        ("blog.apps.example", "/api/v2/ping/", Some("v2")),
        ("blog.apps.example", "/%61pi//x/../v2/", Some("v2")),
        ("wiki.apps.example", "/api", Some("apps")),
        ("a.b.c.apps.example", "/", Some("apps")),
        ("apps.example", "/", Some("any")),
        ("example", "/", None),
        ("notexample", "/", None),
        ("other.test", "/", None),
        ("[0::1]:443", "/x", Some("v6")),
        // The exact host owns its name: no wildcard answers for the paths it lacks.
        ("deep.example", "/only/here/too", Some("deep")),
        ("deep.example", "/only", None),
        ("deep.example", "/", None),
        ("blog.apps.example", "*", None),
        ("blog.apps.example", "", None),
        ("", "/", None),
    ] {
        assert_eq!(find(&table, host, path), expected, "{host} {path}");
    }
    assert_eq!(table.values().count(), routes.len());
}

#[test]
fn what_shares_a_path_is_told_apart_by_its_other_conditions() {
    let with = |name, path, conditions| Route {
        conditions,
        ..route(name, &[exact("a.example")], &[path])
    };
    let routes = [
        with("rest", prefix("/"), Conditions::default()),
        with("query2", prefix("/"), conditions(&[], &[], &["v=2", "beta"])),
        with("query", prefix("/"), conditions(&[], &[], &["v=2"])),
        with(
            "header",
            prefix("/"),
            conditions(&[], &["x-env=~^(dev|test)$"], &[]),
        ),
        with(
            "headers",
            prefix("/"),
            conditions(&[], &["x-env=dev", "x-more"], &[]),
        ),
        with("write", prefix("/"), conditions(&["POST", "PUT"], &[], &[])),
        with("narrow", exactly("/x"), conditions(&["PUT"], &["x-env"], &[])),
        with("versions", matching("^/v[0-9]+/"), Conditions::default()),
        with("version1", matching("^/v1/"), Conditions::default()),
        with("v10", exactly("/v10/"), Conditions::default()),
    ];
    let table = table(&routes);
    for (method, path, query, lines, expected) in [
        ("GET", "/", None, &[][..], "rest"),
        ("GET", "/", Some("v=2"), &[], "query"),
        ("GET", "/", Some("v=1&v=2"), &[], "rest"),
        ("GET", "/", Some("%76=%32&beta"), &[], "query2"),
        ("GET", "/", Some("beta=&v=2"), &[], "query2"),
        ("GET", "/", Some("v=2"), &["X-Env=test"], "header"),
        ("GET", "/", None, &["x-env=testing"], "rest"),
        ("GET", "/", None, &["x-env=dev", "x-more="], "headers"),
        // Two lines are one value.
        ("GET", "/", None, &["x-env=dev", "x-env=dev"], "rest"),
        ("POST", "/", Some("v=2"), &["x-env=dev", "x-more="], "write"),
        ("post", "/", None, &[], "rest"),
        ("PUT", "/x", None, &[], "write"),
        ("PUT", "/x", None, &["x-env=a", "x-env=b"], "narrow"),
        ("PUT", "/x/y", None, &["x-env=a"], "write"),
        ("GET", "/v1/x", None, &[], "versions"),
        ("GET", "/v10/", None, &[], "v10"),
        ("GET", "/x/../v10/x", None, &[], "versions"),
    ] {
        let headers = headers(lines);
        let asked = Asked {
            host: "a.example",
            path,
            query,
            method,
            headers: &headers,
            announced: None,
        };
        assert_eq!(
            table.find(&asked).copied(),
            Some(expected),
            "{method} {path} {query:?} {lines:?}"
        );
    }
}

/// What the table's documentation says, word for word and slowly: every route that matches, weighed.
fn oracle<'r>(routes: &'r [Route], asked: &Asked<'_>) -> Option<&'r str> {
    let (host, path) = (asked.host, asked.path);
    let specificity = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(name) if name == host => Some((1, name.len())),
        HostPattern::Wildcard(suffix) if host.ends_with(&format!(".{suffix}")) => Some((0, suffix.len())),
        _ => None,
    };
    let weight = |condition: &RoutePath| match condition {
        RoutePath::Plain(PathMatch::Exact(exact)) if exact == path => Some((2, exact.len())),
        RoutePath::Regex(pattern) if pattern.is_match(path) => Some((1, pattern.as_str().len())),
        RoutePath::Plain(PathMatch::Prefix(prefix)) if prefix == "/" || prefix == path => {
            Some((0, prefix.len()))
        }
        RoutePath::Plain(PathMatch::Prefix(prefix)) if path.starts_with(&format!("{prefix}/")) => {
            Some((0, prefix.len()))
        }
        _ => None,
    };
    let best = routes
        .iter()
        .flat_map(|route| &route.hosts)
        .filter_map(specificity)
        .max()?;
    let mut found = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let owns = route
            .hosts
            .iter()
            .filter_map(specificity)
            .any(|found| found == best);
        if !owns || !oracle_meets(&route.conditions, asked) {
            continue;
        }
        let Conditions {
            methods,
            headers,
            query,
        } = &route.conditions;
        let narrow = (!methods.is_empty(), headers.len(), query.len());
        let order = std::cmp::Reverse(index);
        for weight in route.paths.iter().filter_map(weight) {
            found.push((weight, narrow, order, route.name.as_str()));
        }
    }
    found.into_iter().max().map(|(.., name)| name)
}

fn oracle_meets(conditions: &Conditions, asked: &Asked<'_>) -> bool {
    let is = |wanted: &ValueMatch, value: &str| match wanted {
        ValueMatch::Present => true,
        ValueMatch::Exact(exact) => exact == value,
        ValueMatch::Regex(pattern) => pattern.is_match(value),
    };
    let methods = &conditions.methods;
    let query: Vec<(&str, Option<&str>)> = asked.query.unwrap_or_default().split('&').map(pair).collect();
    (methods.is_empty() || methods.contains(&asked.method.to_owned()))
        && conditions.headers.iter().all(|wanted| {
            let value = asked.headers.get(&wanted.name);
            value.is_some_and(|value| is(&wanted.value, value.to_str().unwrap()))
        })
        && conditions.query.iter().all(|wanted| {
            let first = query.iter().find(|(name, _)| *name == wanted.name);
            first.is_some_and(|(_, value)| is(&wanted.value, value.unwrap_or_default()))
        })
}

const LABELS: &[&str] = &["a", "b", "example"];
const SEGMENTS: &[&str] = &["x", "y", "xy"];
const REGEXES: &[&str] = &["^/x", "y$", "/x/y", "^/xy?/", "."];
const METHODS: &[&str] = &["GET", "POST", "PUT"];
const FIELDS: &[&str] = &["p", "p=1", "p=~[12]", "q", "q=2", "r=~^$"];

/// A random route whose claims nobody else has.
fn random_route(
    random: &mut StdRng,
    taken: &mut std::collections::HashSet<String>,
    index: usize,
) -> Option<Route> {
    let name = words(random, LABELS, 1..4, ".");
    let host = if random.random() {
        exact(&name)
    } else {
        wildcard(&name)
    };
    let text = format!("/{}", words(random, SEGMENTS, 0..4, "/"));
    let path = match random.random_range(0..5) {
        0 | 1 => exactly(&text),
        2 | 3 => prefix(&text),
        _ => matching(REGEXES.choose(random).unwrap()),
    };
    let conditions = if random.random() {
        Conditions::default()
    } else {
        let methods: Vec<&str> = METHODS
            .iter()
            .filter(|_| random.random_ratio(1, 4))
            .copied()
            .collect();
        let (headers, query) = (fields(random), fields(random));
        conditions(&methods, &headers, &query)
    };
    let free = taken.insert(format!("{host:?} {path} {conditions:?}"));
    free.then(|| Route {
        conditions,
        ..route(&index.to_string(), &[host], &[path])
    })
}

/// Conditions on up to three names.
fn fields(random: &mut StdRng) -> Vec<&'static str> {
    let mut chosen: Vec<&str> = Vec::new();
    for field in FIELDS {
        let is_new = chosen.iter().all(|other| pair(other).0 != pair(field).0);
        if is_new && random.random_ratio(1, 5) {
            chosen.push(field);
        }
    }
    chosen
}

/// The same as of a request.
fn sent(random: &mut StdRng) -> Vec<String> {
    let names = ["p", "q", "r"].into_iter().filter(|_| random.random_ratio(2, 3));
    let names: Vec<&str> = names.collect();
    let value = |name: &str| format!("{name}={}", ["", "1", "2"].choose(random).unwrap());
    names.into_iter().map(value).collect()
}

#[test]
fn the_table_agrees_with_the_slow_definition() {
    let mut random = StdRng::seed_from_u64(3);
    let mut conditional = 0;
    for _ in 0..300 {
        let mut taken = std::collections::HashSet::new();
        let routes: Vec<Route> = (0..random.random_range(1..24))
            .filter_map(|index| random_route(&mut random, &mut taken, index))
            .collect();
        let table = table(&routes);
        for _ in 0..100 {
            let host = words(&mut random, LABELS, 1..5, ".");
            let path = format!("/{}", words(&mut random, SEGMENTS, 0..5, "/"));
            let (fields, query) = (sent(&mut random), sent(&mut random).join("&"));
            let lines: Vec<&str> = fields.iter().map(String::as_str).collect();
            let headers = headers(&lines);
            let asked = Asked {
                host: &host,
                path: &path,
                query: Some(&query),
                method: METHODS.choose(&mut random).unwrap(),
                headers: &headers,
                announced: None,
            };
            let expected = oracle(&routes, &asked);
            assert_eq!(table.find(&asked).copied(), expected, "{asked:?} in {routes:#?}");
            let chosen = expected.and_then(|name| routes.iter().find(|route| route.name == name));
            conditional += usize::from(chosen.is_some_and(|route| !route.conditions.is_empty()));
        }
    }
    assert!(conditional > 200, "{conditional}");
}

fn words(random: &mut StdRng, from: &[&str], count: std::ops::Range<usize>, between: &str) -> String {
    let count = random.random_range(count);
    (0..count)
        .filter_map(|_| from.choose(random).copied())
        .collect::<Vec<_>>()
        .join(between)
}

#[test]
fn a_path_full_of_slashes_is_looked_up_quickly() {
    let routes = [route("a", &[exact("a.example")], &[prefix("/"), prefix("/x/y")])];
    let table = table(&routes);
    let path = "/x".repeat(1 << 20);
    let begin = std::time::Instant::now();
    assert_eq!(find(&table, "a.example", &path), Some("a"));
    // Quadratic, this would take minutes.
    assert!(begin.elapsed().as_secs() < 5);
}
