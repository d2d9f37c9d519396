//! The routing table: host and path to route.
#![allow(clippy::print_stderr, reason = "a benchmark is a program of the terminal")]

use std::fmt::Write;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use http::{HeaderMap, HeaderValue};
use palisade::config::{ConfigErrors, Route};
use palisade::route::{Asked, RouteTable};
use palisade_benches::configuration;

/// What a client asks for, and whether a route has it.
const LOOKUPS: [(&str, &str, &str, bool); 3] = [
    ("exact", "app7.example.com", "/api/v1/orders/48213", true),
    ("wildcard", "blog.tenant7.example.net", "/2026/11/lamps", true),
    ("miss", "www.unknown.example.org", "/index.html", false),
];

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    match measure(&mut criterion) {
        Ok(()) => {
            criterion.final_summary();
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("error: {errors}");
            ExitCode::FAILURE
        }
    }
}

/// Routes that share host and path and differ in what else they want: the last of them is the one.
const CONDITIONS: &str = r#"
[[routes]]
name = "orders"
hosts = ["api.example.com"]
echo = true
methods = ["POST"]
[[routes]]
name = "canary"
hosts = ["api.example.com"]
echo = true
headers = [{ name = "x-canary", value = "1" }, { name = "x-env", regex = "^(dev|test)$" }]
[[routes]]
name = "version"
hosts = ["api.example.com"]
echo = true
query = [{ name = "version", value = "2" }, { name = "lang", regex = "^(de|fr)" }]
"#;

fn measure(criterion: &mut Criterion) -> Result<(), ConfigErrors> {
    measure_conditions(criterion)?;
    let tables = [(10, table(10)?), (1_000, table(1_000)?)];
    for (name, host, path, known) in LOOKUPS {
        let mut group = criterion.benchmark_group(format!("route_{name}"));
        for (routes, table) in &tables {
            let headers = HeaderMap::new();
            let asked = Asked::get(host, path, &headers);
            assert_eq!(table.find(&asked).is_some(), known, "{host} {path}");
            group.bench_function(BenchmarkId::from_parameter(routes), |bencher| {
                bencher.iter(|| table.find(black_box(&asked)));
            });
        }
        group.finish();
    }
    Ok(())
}

fn measure_conditions(criterion: &mut Criterion) -> Result<(), ConfigErrors> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("accept", "*/*"), ("x-env", "prod"), ("user-agent", "curl/8.5.0")] {
        headers.append(name, HeaderValue::from_static(value));
    }
    let table = table_of(CONDITIONS)?;
    let asked = Asked {
        query: Some("page=7&version=2&lang=de-AT"),
        ..Asked::get("api.example.com", "/v1/orders", &headers)
    };
    let found = table.find(&asked).map(|route| route.name.as_str());
    assert_eq!(found, Some("version"));
    criterion.bench_function("route_conditions", |bencher| {
        bencher.iter(|| table.find(black_box(&asked)));
    });
    Ok(())
}

/// So many routes, half with a host of their own and two paths, half with a wildcard.
fn table(routes: usize) -> Result<RouteTable<Arc<Route>>, ConfigErrors> {
    let mut text = String::new();
    for route in 0..routes {
        let pair = route / 2 + 3;
        let conditions = if route % 2 == 0 {
            format!("hosts = [\"app{pair}.example.com\"]\npaths = [\"/\", \"/api\"]")
        } else {
            format!("hosts = [\"*.tenant{pair}.example.net\"]")
        };
        let _ = writeln!(
            text,
            "[[routes]]\nname = \"route{route}\"\necho = true\n{conditions}"
        );
    }
    table_of(&text)
}

fn table_of(text: &str) -> Result<RouteTable<Arc<Route>>, ConfigErrors> {
    let config = configuration::from_text(text)?;
    Ok(RouteTable::new(
        config
            .routes
            .iter()
            .map(|route| (route.as_ref(), Arc::clone(route))),
    ))
}
