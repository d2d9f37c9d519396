//! The engine with the whole OWASP CRS, as the edge compiles it: loading, and phases 1, 2 and 5 of ordinary
//! requests, each in a transaction of its own.
#![allow(clippy::print_stderr, reason = "a benchmark is a program of the terminal")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use palisade::config::WafProfile;
use palisade::profile::Profiles;
use palisade::rules::InstalledRules;
use palisade_benches::inspect::{inspect, objections};
use palisade_benches::policy::{self, Unready};
use palisade_benches::requests::{self, Request};
use palisade_waf::RuleSet;

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(2))
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    match measure(&mut criterion) {
        Ok(()) => {
            criterion.final_summary();
            ExitCode::SUCCESS
        }
        Err(unready) => {
            eprintln!("error: {unready}");
            ExitCode::FAILURE
        }
    }
}

fn measure(criterion: &mut Criterion) -> Result<(), Unready> {
    let rules = policy::installed()?;
    let profiles = Profiles::new();
    profiles.open(rules.clone());
    let pl1 = policy::compile(&profiles, &policy::at_level(1)?)?;
    let pl4 = policy::compile(&profiles, &policy::at_level(4)?)?;
    let pl1 = ("pl1", pl1.rules());
    let pl4 = ("pl4", pl4.rules());
    request(criterion, "get", &requests::get(), &[pl1, pl4])?;
    request(criterion, "form_post_2k", &requests::form_post(), &[pl1])?;
    request(criterion, "json_post_2k", &requests::json_post(), &[pl1])?;
    request(criterion, "multipart_1m", &requests::multipart_post(), &[pl1])?;
    load(criterion, &rules, &policy::at_level(1)?)
}

fn request(
    criterion: &mut Criterion,
    name: &str,
    request: &Request,
    levels: &[(&str, &RuleSet)],
) -> Result<(), Unready> {
    let mut group = criterion.benchmark_group(name);
    if !request.body.is_empty() {
        group.throughput(Throughput::Bytes(request.body.len() as u64));
    }
    group.sample_size(50);
    for (level, rules) in levels {
        settle(rules, &format!("{name}/{level}"), request)?;
        group.bench_function(*level, |bencher| bencher.iter(|| inspect(rules, request)));
    }
    group.finish();
    Ok(())
}

/// Fills pattern caches, and makes sure that the request is let through: a request that is stopped half-way
/// looks fast.
fn settle(rules: &RuleSet, name: &str, request: &Request) -> Result<(), Unready> {
    for _ in 0..3 {
        let rules = objections(rules, request);
        if !rules.is_empty() {
            let request = name.to_owned();
            return Err(Unready::Objections { request, rules });
        }
    }
    Ok(())
}

/// Reading text into rules, compiling patterns, trying the canaries; `verify` is what comes before at a start.
fn load(criterion: &mut Criterion, rules: &InstalledRules, policy: &Arc<WafProfile>) -> Result<(), Unready> {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    group.bench_function("verify", |bencher| bencher.iter(policy::installed));
    group.bench_function("cold", |bencher| {
        bencher.iter_batched(
            || opened(rules),
            |profiles| (policy::compile(&profiles, policy), profiles),
            BatchSize::PerIteration,
        );
    });
    // A reload that changes a threshold: the rule set is another, its operators are those in service.
    let profiles = opened(rules);
    let in_service = policy::compile(&profiles, policy)?;
    let mut changed = WafProfile::clone(policy);
    group.bench_function("warm", |bencher| {
        bencher.iter_batched(
            || {
                profiles.forget_unused();
                changed.outbound_threshold += 1;
                Arc::new(changed.clone())
            },
            |policy| policy::compile(&profiles, &policy),
            BatchSize::PerIteration,
        );
    });
    drop(in_service);
    group.finish();
    Ok(())
}

fn opened(rules: &InstalledRules) -> Profiles {
    let profiles = Profiles::new();
    profiles.open(rules.clone());
    profiles
}
