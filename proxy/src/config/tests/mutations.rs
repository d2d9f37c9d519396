//! Whatever stands in a file, it is read or refused with places inside the file: nothing panics.

use std::path::Path;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::config::load;
use crate::config::testing::MemoryFiles;

const SEEDS: [&str; 3] = [
    include_str!("../../../../config/palisade.toml"),
    include_str!("../../../../config/conf.d/blog.toml"),
    include_str!("faults.txt"),
];
const ODD: &[&str] = &[
    "",
    "\"",
    "'''",
    "[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\\",
    "#",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{85}",
    "é",
    "%",
    "%f",
    "/..",
    "*",
    "[::",
    "-",
    "1e400",
    "nan",
    "0x",
    "-0",
    "99999999999999999999",
    "1979-05-27",
    "true",
    "[[[[",
    "a.b.c",
    "https://",
    ":0",
    "xn--",
    "\u{202e}",
    "KiB",
    "0.5B",
];

#[test]
fn no_text_makes_it_panic() {
    let mut random = StdRng::seed_from_u64(21);
    for _ in 0..400 {
        let mut text = SEEDS.choose(&mut random).unwrap().replace("\n#", "\n");
        for _ in 0..random.random_range(1..8) {
            mutate(&mut text, &mut random);
        }
        let files = MemoryFiles::default()
            .with("p.toml", &text)
            .with("conf.d/a.toml", &text);
        if let Err(errors) = load(Path::new("p.toml"), &files) {
            assert!(!errors.diagnostics().is_empty());
            for found in errors.diagnostics() {
                let line = text.split('\n').nth(found.place.line - 1);
                let length = line.map_or(0, |line| line.chars().count());
                assert!(found.place.column <= length + 1, "{found}");
            }
            assert_eq!(
                errors.to_string().split(['\n', '\r']).count(),
                errors.diagnostics().len() + 1
            );
        }
    }
}

/// Cuts something out, doubles it, or puts something odd or something of another place there.
fn mutate(text: &mut String, random: &mut StdRng) {
    let (from, to) = span(text, random);
    let other = span(text, random);
    let put = match random.random_range(0..4) {
        0 => String::new(),
        1 => text[from..to].repeat(2),
        2 => (*ODD.choose(random).unwrap()).to_owned(),
        _ => text[other.0..other.1].to_owned(),
    };
    text.replace_range(from..to, &put);
}

fn span(text: &str, random: &mut StdRng) -> (usize, usize) {
    let boundary = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let from = boundary(random.random_range(0..=text.len()));
    (
        from,
        boundary((from + random.random_range(0..40)).min(text.len())).max(from),
    )
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let text = format!("server = {}{}", open.repeat(10_000), close.repeat(10_000));
        let files = MemoryFiles::default().with("p.toml", &text);
        assert!(load(Path::new("p.toml"), &files).is_err());
    }
    let keys = vec!["a"; 10_000].join(".");
    let files = MemoryFiles::default().with("p.toml", &format!("{keys} = 1\n[{keys}.b]\n"));
    assert!(load(Path::new("p.toml"), &files).is_err());
}
