//! The index is a short cut: every way to evaluate rules comes to the same verdicts, matches and captures, over
//! thousands of requests out of chance. The chance is the same in every run.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "shared with the fuzz targets"
)]
mod support;

use std::path::Path;

use palisade_waf::{MemorySource, RuleSet};

use support::dice::Dice;
use support::patterns::{pattern, texts_of};
use support::requests::Requests;
use support::targets::{Exchange, OPERATORS, agree, load, own_rules, release};

/// What the patterns of our own rules match.
fn own_texts() -> Vec<Vec<u8>> {
    let mut dice = Dice::new(11);
    let patterns = OPERATORS
        .iter()
        .filter_map(|operator| operator.strip_prefix("@rx "));
    patterns
        .flat_map(|pattern| texts_of(pattern, 5, &mut dice))
        .collect()
}

#[test]
fn our_own_rules_are_evaluated_alike_in_every_way() {
    let rules = own_rules();
    let mut requests = Requests::new(0x5eed, own_texts());
    let (mut matches, mut rounds) = (0, 0);
    for _ in 0..800 {
        matches += agree(&rules, &requests.next_one());
        rounds += 1;
    }
    // Rules that nothing matches would agree about nothing.
    assert!(matches > 50 * rounds, "{matches} matches in {rounds} requests");
}

/// Headers of one name: each a value.
fn headers(values: Vec<Vec<u8>>) -> Exchange {
    Exchange {
        method: b"GET".to_vec(),
        uri: b"/".to_vec(),
        headers: values.into_iter().map(|value| (b"X".to_vec(), value)).collect(),
        ..Exchange::default()
    }
}

fn one_rule(pattern: &str, more: &str) -> RuleSet {
    let pattern = pattern.replace('"', "\\\"");
    let text = format!(
        "SecRuleEngine On\nSecRule REQUEST_HEADERS:X \"@rx {pattern}\" \
         \"id:1,phase:1,pass,log,capture,t:none{more},msg:'%{{TX.0}}|%{{TX.1}}'\"\n"
    );
    let built = RuleSet::builder()
        .text("t.conf", text)
        .build(&MemorySource::new());
    built.unwrap_or_else(|errors| panic!("{pattern}: {errors}"))
}

#[test]
fn what_a_pattern_needs_is_in_all_that_it_matches() {
    let mut requests = Requests::new(0xabcd, Vec::new());
    let mut matches = 0;
    for _ in 0..3000 {
        let pattern = pattern(&mut requests.dice);
        let mut values = texts_of(&pattern, 8, &mut requests.dice);
        for place in 0..values.len() {
            let mut changed = [b" ".as_slice(), &values[place], b" "].concat();
            requests.change(&mut changed);
            values.push(changed);
        }
        let more = requests
            .dice
            .one_of(&["", "", ",t:lowercase", ",t:urlDecodeUni,t:lowercase,multiMatch"]);
        matches += agree(&one_rule(&pattern, more), &headers(values));
    }
    assert!(matches > 3000 * 4, "{matches} matches");
}

/// The patterns of the release's rules: what stands between `"@rx ` and the quote that ends it.
fn release_patterns(release: &Path) -> Vec<String> {
    let folder = [release.join("rules/@owasp_crs"), release.join("rules")];
    let folder = folder.iter().find(|folder| folder.is_dir()).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "conf"));
    files.sort();
    let text: String = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let mut patterns: Vec<_> = text
        .split("\"@rx ")
        .skip(1)
        .filter_map(|rest| {
            let end = rest
                .match_indices('"')
                .find(|(end, _)| !rest[..*end].ends_with('\\'))?
                .0;
            Some(rest[..end].replace("\\\"", "\""))
        })
        .collect();
    patterns.dedup();
    patterns
}

fn the_release_agrees(paranoia: u8, rounds: usize) {
    let Some(release) = release() else {
        return eprintln!("the CRS at level {paranoia}: skipped, PALISADE_CRS_FROM names no release");
    };
    let mut dice = Dice::new(u64::from(paranoia));
    let patterns = release_patterns(&release);
    let texts = patterns
        .iter()
        .flat_map(|pattern| texts_of(pattern, 3, &mut dice))
        .collect();
    let rules = load(&release, paranoia);
    let mut requests = Requests::new(u64::from(paranoia) * 77, texts);
    let mut matches = 0;
    for _ in 0..rounds {
        matches += agree(&rules, &requests.next_one());
    }
    assert!(matches > 3 * rounds, "{matches} matches in {rounds} requests");
}

#[test]
fn the_crs_is_evaluated_alike_in_every_way_at_its_first_level() {
    the_release_agrees(1, 1500);
}

#[test]
fn the_crs_is_evaluated_alike_in_every_way_at_its_last_level() {
    the_release_agrees(4, 1000);
}
