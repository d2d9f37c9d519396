//! No value can make an operator panic, and captures are never longer than the value or a fingerprint.

use super::testing::{Wanted, build, build_with};
use super::{Captures, Operator};
use crate::MemorySource;
use crate::hostile_bytes::HostileBytes;
use std::sync::Arc;

fn every_operator() -> Vec<Arc<Operator>> {
    let mut source = MemorySource::new();
    source.insert("rules/words.data", "select\n../\n<script\n");
    source.insert("rules/networks.data", "10.0.0.0/8\n::1\n");
    Operator::NAMES
        .iter()
        .map(|name| {
            let argument = match *name {
                "eq" | "ge" | "gt" | "le" | "lt" => "%{TX.wanted}",
                "ipMatch" => "10.0.0.0/8,::/1",
                "ipMatchFromFile" => "networks.data",
                "pmFromFile" => "words.data",
                "pm" => "select |00 ff| ../ &#",
                "restpath" => "/{a}/{b}",
                "rx" | "rxGlobal" => r"(?i)([\s\v]*%[^0-9a-f]?)|(\xc0.)|(<[^>]+>)?",
                "validateByteRange" => "32-126",
                "validateNid" => r"us \d+",
                "verifyCC" | "verifyCPF" | "verifySSN" | "verifySVNR" => r"[\d-]*",
                _ => "%{TX.wanted}",
            };
            build_with(name, argument, &source).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}

#[test]
fn no_value_panics() {
    let operators = every_operator();
    let mut bytes = HostileBytes::new(0x5eed_0002);
    for _ in 0..4_000 {
        let input = bytes.next_value();
        for operator in &operators {
            let mut captures = Captures::new();
            let plain = operator.matches(&input, &Wanted("1=1"), None);
            let capturing = operator.matches(&input, &Wanted("1=1"), Some(&mut captures));
            assert_eq!(
                plain,
                capturing,
                "@{} on \"{}\"",
                operator.name(),
                input.escape_ascii()
            );
            assert!(plain || captures.iter().next().is_none(), "@{}", operator.name());
            for (_, value) in captures.iter() {
                assert!(value.len() <= input.len().max(8), "@{}", operator.name());
            }
        }
    }
}

#[test]
fn no_argument_panics() {
    let mut bytes = HostileBytes::new(0x5eed_0004);
    for _ in 0..2_000 {
        let argument = String::from_utf8_lossy(&bytes.next_value()).into_owned();
        for name in Operator::NAMES {
            let _ = build(name, &argument);
        }
    }
}
