//! The engine does no I/O: neither its own code nor any crate below it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::Command;

use palisade_tests::sources::{repository, source_files};
use regex::Regex;

/// Every crate that the engine may be built of. Each of them computes; none opens a file or a socket, reads a
/// clock or starts a thread. A new one is looked at before its name is added here.
const PURE_CRATES: &[&str] = &[
    "aho-corasick",
    "base64",
    "bitflags",
    "block-buffer",
    "bytes",
    "cfg-if",
    "const-oid",
    "core_detect",
    "cpufeatures",
    "crypto-common",
    "digest",
    "encoding_rs",
    "hybrid-array",
    "itoa",
    // Below cpufeatures on aarch64 only, to ask the kernel for the processor's features.
    "libc",
    "md-5",
    "memchr",
    "multiversion_no_op",
    "palisade-waf",
    "quick-xml",
    "regex",
    "regex-automata",
    "regex-syntax",
    "scopeguard",
    "serde",
    "serde_core",
    "serde_json",
    "sha1",
    "simdutf8",
    "smallvec",
    "strsim",
    "thiserror",
    "typenum",
    "zmij",
];

/// The ways out of pure code that the standard library has.
const WAYS_OUT: &str = r"\bstd::(?:fs|process|env|os|io::std\w+)\b|\bTcp(?:Stream|Listener)\b|\bUdpSocket\b|\bUnixStream\b|\bToSocketAddrs\b|\bSystemTime\b|\bInstant\b|\bthread::(?:spawn|sleep|scope|Builder)\b|\bFile::open\b";

#[test]
fn the_engine_depends_on_no_io_crate() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Procedural macros run at build time: only what ends up in the binary counts.
    let output = Command::new(cargo)
        .args([
            "tree",
            "-p",
            "palisade-waf",
            "-e",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(crates.contains(&"regex"), "this is no dependency tree:\n{tree}");
    let unknown: Vec<&&str> = crates.iter().filter(|name| !PURE_CRATES.contains(name)).collect();
    assert!(unknown.is_empty(), "not known to be pure: {unknown:?}");
}

#[test]
fn the_engines_own_code_does_no_io() {
    let way_out = Regex::new(WAYS_OUT).unwrap();
    let mut offences = Vec::new();
    for file in source_files("waf/src").unwrap() {
        let found = way_out.find_iter(&file.code);
        offences.extend(found.map(|found| format!("{}: {}", file.place(found.start()), found.as_str())));
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}
