//! `config/palisade.toml` shows every option there is, and the defaults it states are the real ones.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::config::{Config, FileSource, load};
use crate::config_files::DiskFiles;

thread_local! {
    /// The keys that were asked for, and those that were there.
    static SEEN: RefCell<(BTreeSet<String>, BTreeSet<String>)> = RefCell::default();
}

/// Told of every table when it has been read.
pub(in crate::config) fn record(table: &str, known: &[&'static str], entries: Option<&DeTable<'_>>) {
    let path = |key: &str| format!("{table}.{key}");
    SEEN.with_borrow_mut(|(asked, there)| {
        asked.extend(known.iter().map(|key| path(key)));
        there.extend(
            entries
                .into_iter()
                .flat_map(DeTable::keys)
                .map(|key| path(key.get_ref())),
        );
    });
}

/// The repository's files, with another text for `palisade.toml`, and every file that it names.
struct Example<'t>(&'t str);

impl FileSource for Example<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == entry() {
            Ok(self.0.to_owned())
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            DiskFiles.read(path)
        } else {
            Ok(String::new())
        }
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        DiskFiles.names(folder)
    }

    fn readable(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn entry() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/palisade.toml")
}

fn example() -> String {
    DiskFiles.read(&entry()).unwrap()
}

fn config(text: &str) -> Config {
    load(&entry(), &Example(text)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The text with those disabled options (`#key = value`) in force that `choose` picks.
fn enabled(text: &str, choose: impl Fn(&str) -> bool) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(option)
            if option.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) && choose(option) =>
        {
            format!("{option}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn the_defaults_it_states_are_the_defaults() {
    let empty = config("include = \"conf.d/*.toml\"\n");
    assert_eq!(config(&example()), empty);
    for derived in [
        "redirect_port = 443",
        "self_signed",
        "audit",
        "rules = \"",
        "detection_paranoia_level = 1",
        "body_memory_per_client = \"64MiB\"",
    ] {
        let text = enabled(&example(), |option| option.starts_with(derived));
        assert_ne!(text, example(), "{derived}");
        assert_eq!(config(&text), empty, "{derived}");
    }
}

#[test]
fn it_shows_every_option() {
    SEEN.take();
    // These two exclude each other.
    for other in ["txt_suffix", "txt_prefix"] {
        config(&enabled(&example(), |option| !option.starts_with(other)));
    }
    let (asked, there) = SEEN.take();
    // Exclusions and paths are the same thing in all of their places: it is enough to show each key once.
    const SAME: [(&str, &str); 8] = [
        ("routes.waf.exclusions.", "waf.exclusions."),
        ("routes.rate_limits.paths.", "routes.paths."),
        ("routes.basic_auth.except.", "routes.paths."),
        ("routes.forward_auth.except.", "routes.paths."),
        ("routes.redirect.path", "routes.rewrite.path"),
        ("routes.redirect.prefix", "routes.rewrite.prefix"),
        ("routes.redirect.regex", "routes.rewrite.regex"),
        ("routes.redirect.with", "routes.rewrite.with"),
    ];
    let once = |keys: BTreeSet<String>| -> BTreeSet<String> {
        let shown = |key: String| {
            SAME.iter()
                .fold(key, |key, (place, first)| key.replace(place, first))
        };
        keys.into_iter().map(shown).collect()
    };
    let (asked, there) = (once(asked), once(there));
    assert_eq!(asked, there);
    assert!(asked.contains("waf.exclusions.reason"));
}

#[test]
fn each_option_has_its_reason_above_it() {
    let text = example();
    let mut above = "";
    for line in text.lines().skip_while(|line| !line.starts_with("[server]")) {
        let is_default = line.starts_with(|c: char| c.is_ascii_lowercase());
        let explained = above.starts_with("# ") || above.starts_with("seclang_before");
        assert!(!is_default || explained, "{line}");
        above = line;
    }
}
