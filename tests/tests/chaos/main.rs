//! Everything at once: backends that die, hang, answer garbage and break off, while configurations are reloaded and
//! processes follow each other under mixed traffic. Routes whose backends are well notice nothing, and every request
//! is accounted for.
//!
//! `make test` runs some seconds of it; `make chaos` the whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod backends;
mod traffic;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use palisade_tests::harness::{
    EdgeFiles, EdgeProcess, Route, Scrape, Scraper, TestEdge, Upstream, crs_rules, eventually, scrape,
};

use backends::Troubled;
use traffic::{Seen, Tally, Traffic};

/// How much of it.
struct Plan {
    /// Requests a second, over all routes.
    rate: u32,
    reloads: u32,
    upgrades: u32,
    /// Between two of those.
    pause: Duration,
}

impl Plan {
    fn wanted() -> Self {
        match std::env::var_os("PALISADE_CHAOS").is_some() {
            true => Plan {
                rate: 200,
                reloads: 20,
                upgrades: 3,
                pause: Duration::from_secs(3),
            },
            false => Plan {
                rate: 40,
                reloads: 3,
                upgrades: 1,
                pause: Duration::from_secs(1),
            },
        }
    }
}

/// Five routes whose backends are well, five with one of three that is.
struct World {
    files: EdgeFiles,
    admin: SocketAddr,
    _well: Vec<Upstream>,
    _troubled: Vec<Troubled>,
}

async fn world() -> World {
    let (mut well, mut troubled, mut routes) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..5 {
        let mut route = Route::new(&format!("well-{number}"));
        for _ in 0..3 {
            let upstream = Upstream::serve(backends::answer).await;
            route = route.to(&upstream);
            well.push(upstream);
        }
        routes.push(route);
    }
    for number in 0..5 {
        let upstream = Upstream::serve(backends::answer).await;
        let mut route = Route::new(&format!("ill-{number}"))
            .to(&upstream)
            .line("first_byte_timeout = \"1s\"")
            .line("connect_timeout = \"1s\"");
        well.push(upstream);
        for ill in Troubled::pair(number).await {
            route = route.to(&ill);
            troubled.push(ill);
        }
        routes.push(route);
    }
    let admin = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut builder = TestEdge::builder()
        .server("grace = \"20s\"\ndrain_delay = \"1s\"\nworkers = 2")
        .listen(&format!("admin = \"{admin}\""));
    if let Some(rules) = crs_rules() {
        builder = builder.rules(rules);
    } else {
        routes = routes.into_iter().map(Route::unguarded).collect();
    }
    let files = routes
        .iter()
        .fold(builder, |builder, route| builder.route(route))
        .write();
    World {
        files,
        admin,
        _well: well,
        _troubled: troubled,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_that_are_well_lose_nothing_and_every_request_is_accounted_for() {
    let plan = Plan::wanted();
    let world = world().await;
    let mut process = EdgeProcess::start(&world.files);
    let address = process.https().await;
    let scraper = Scraper::start(world.admin);
    let traffic = Traffic::start(&world.files, address, plan.rate);
    let (mut reloads, mut upgrades) = (0, 0);
    while reloads < plan.reloads || upgrades < plan.upgrades {
        tokio::time::sleep(plan.pause).await;
        if reloads * plan.upgrades <= upgrades * plan.reloads && reloads < plan.reloads {
            reloads += 1;
            reload(&world.files, &process, reloads).await;
        } else {
            upgrades += 1;
            process = upgrade(&world.files, process).await;
        }
    }
    let tally = traffic.stop().await;
    tell(&tally);
    well_routes_lost_nothing(&tally);
    troubled_routes_were_answered(&tally);
    the_access_log_agrees(&world.files, &tally).await;
    the_metrics_agree(world.admin, &tally).await;
    assert!(scraper.stop().await > 0);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

/// A change that means something, and is taken over.
async fn reload(files: &EdgeFiles, process: &EdgeProcess, number: u32) {
    let count = || process.output().matches("configuration reloaded").count();
    let before = count();
    let (from, to) = match number % 2 {
        1 => ("first_byte_timeout = \"1s\"", "first_byte_timeout = \"1100ms\""),
        _ => ("first_byte_timeout = \"1100ms\"", "first_byte_timeout = \"1s\""),
    };
    files.edit(from, to);
    eventually("a reload", || async { (count() > before).then_some(()) }).await;
}

async fn upgrade(files: &EdgeFiles, mut process: EdgeProcess) -> EdgeProcess {
    let successor = EdgeProcess::upgrade(files);
    eventually("the successor to serve", || async {
        successor.output().contains("serving").then_some(())
    })
    .await;
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    let lost = process.output().contains("still in flight after the grace");
    assert!(!lost, "{}", process.output());
    successor
}

fn well_routes_lost_nothing(tally: &Tally) {
    for (route, seen) in tally.iter().filter(|(route, _)| route.starts_with("well")) {
        let others: Vec<_> = seen
            .iter()
            .filter(|(what, _)| **what != Seen::Answer(200))
            .collect();
        assert!(others.is_empty(), "{route}: {others:?}");
    }
}

/// By a backend that is well, or by the edge that says which of three ways a backend failed.
fn troubled_routes_were_answered(tally: &Tally) {
    for (route, seen) in tally.iter().filter(|(route, _)| route.starts_with("ill")) {
        for what in seen.keys() {
            let fine = matches!(
                what,
                Seen::Answer(200 | 502 | 503 | 504) | Seen::Otherwise | Seen::BrokenOff(200)
            );
            assert!(fine, "{route}: {what:?}");
        }
        assert!(
            seen.get(&Seen::Answer(200)).is_some_and(|count| *count > 0),
            "{route}: {seen:?}"
        );
    }
}

/// A line for each request, whichever process served it.
async fn the_access_log_agrees(files: &EdgeFiles, tally: &Tally) {
    let expected = statuses(tally);
    let log = files.access_log();
    let logged = || {
        let mut counts: BTreeMap<(String, u16), usize> = BTreeMap::new();
        for line in log.lines() {
            let route = line["route"].as_str().unwrap_or_default().to_owned();
            let status = u16::try_from(line["status"].as_u64().unwrap()).unwrap();
            *counts.entry((route, status)).or_default() += 1;
        }
        counts
    };
    eventually("the last lines of the access log", || async {
        (logged().values().sum::<usize>() >= expected.values().sum()).then_some(())
    })
    .await;
    assert_eq!(logged(), expected);
}

fn statuses(tally: &Tally) -> BTreeMap<(String, u16), usize> {
    let mut counts = BTreeMap::new();
    for (route, seen) in tally {
        for (what, count) in seen {
            let status = match what {
                Seen::Answer(status) | Seen::BrokenOff(status) => *status,
                Seen::Otherwise => 200,
                Seen::Nothing(_) => continue,
            };
            *counts.entry((route.clone(), status)).or_default() += count;
        }
    }
    counts
}

/// The last process counts what all have served, to the request.
async fn the_metrics_agree(admin: SocketAddr, tally: &Tally) {
    let (by_status, mut by_route) = (statuses(tally), BTreeMap::new());
    for ((route, _), count) in &by_status {
        *by_route.entry(route.clone()).or_default() += count;
    }
    // A request is counted when its answer has gone out.
    let told = eventually("the last requests in the metrics", || async {
        let told = scrape(admin).await;
        let counted: f64 = values(&told, "palisade_requests_total")
            .map(|(_, count)| count)
            .sum();
        (counted >= by_status.values().sum::<usize>() as f64).then_some(told)
    })
    .await;
    let requests = values(&told, "palisade_requests_total");
    let requests = requests.map(|(series, count)| {
        let code = label(series, "code").parse::<u16>().unwrap();
        ((label(series, "route").to_owned(), code), count as usize)
    });
    assert_eq!(requests.collect::<BTreeMap<_, _>>(), by_status);
    let durations = values(&told, "palisade_request_duration_seconds_count");
    let durations = durations.map(|(series, count)| (label(series, "route").to_owned(), count as usize));
    assert_eq!(durations.collect::<BTreeMap<_, _>>(), by_route);
}

fn values<'a>(scrape: &'a Scrape, name: &str) -> impl Iterator<Item = (&'a str, f64)> {
    let prefix = format!("{name}{{");
    let series = scrape
        .iter()
        .filter(move |(series, _)| series.starts_with(&prefix));
    series.map(|(series, value)| (series.as_str(), *value))
}

fn label<'a>(series: &'a str, name: &str) -> &'a str {
    let (_, rest) = series.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap()
}

fn tell(tally: &Tally) {
    for (route, seen) in tally {
        println!("{route}: {seen:?}");
    }
}
