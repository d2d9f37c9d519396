//! The engine does no I/O: neither its own code nor any crate below it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    "libinjectionrs",
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
        .current_dir(root())
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
    for path in rust_files(&root().join("waf/src")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            if let Some(found) = way_out.find(line) {
                offences.push(format!("{}:{}: {}", path.display(), number + 1, found.as_str()));
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
