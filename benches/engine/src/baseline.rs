//! What was counted before, in a committed file, and how a new count compares.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// More than this share worse is a failure, better asks for a new file.
pub const TOLERANCE: f64 = 0.05;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// Where it was counted.
    pub machine: Machine,
    /// Instructions by case.
    pub counts: BTreeMap<String, u64>,
}

/// What changes counts without any change of ours: other rules; and the searches of memchr and aho-corasick are chosen when the
/// program runs, by what the processor can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The release of the OWASP CRS.
    pub rules: String,
    /// The processor's family.
    pub arch: String,
    /// Whether 32 bytes are searched at once.
    pub avx2: bool,
}

impl Machine {
    /// This one, with these rules.
    #[must_use]
    pub fn here(rules: String) -> Self {
        Self {
            rules,
            arch: std::env::consts::ARCH.to_owned(),
            avx2: avx2(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn avx2() -> bool {
    false
}

/// What came of a comparison.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// One line for each case.
    pub table: String,
    /// Cases that became slower, by how much.
    pub worse: Vec<String>,
    /// Cases that became faster, or are new, or are gone.
    pub outdated: Vec<String>,
}

/// Holds counts against those of the file.
#[must_use]
pub fn compare(baseline: &BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) -> Comparison {
    let mut comparison = Comparison::default();
    for (case, count) in counts {
        let Some(before) = baseline.get(case) else {
            let _ = writeln!(comparison.table, "{case:<16} {count:>14}");
            comparison.outdated.push(format!("{case} is new"));
            continue;
        };
        let (now, then) = (*count as f64, *before as f64);
        let percent = (now / then - 1.0) * 100.0;
        let _ = writeln!(comparison.table, "{case:<16} {count:>14} {percent:>+8.1} %");
        if now > then * (1.0 + TOLERANCE) {
            let line = format!("{case}: {count} instructions, {percent:.1} % more than the {before} before");
            comparison.worse.push(line);
        } else if now < then * (1.0 - TOLERANCE) {
            let percent = -percent;
            comparison
                .outdated
                .push(format!("{case} is {percent:.1} % better"));
        }
    }
    let gone = baseline.keys().filter(|case| !counts.contains_key(*case));
    comparison
        .outdated
        .extend(gone.map(|case| format!("{case} is gone")));
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_fails_better_asks_and_the_rest_passes() {
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts
                .iter()
                .map(|(case, count)| ((*case).to_owned(), *count))
                .collect()
        };
        let before = counts(&[("same", 1000), ("worse", 1000), ("better", 1000), ("gone", 1)]);
        let now = counts(&[("same", 1050), ("worse", 1051), ("better", 949), ("new", 1)]);
        let comparison = compare(&before, &now);
        assert_eq!(
            comparison.worse,
            ["worse: 1051 instructions, 5.1 % more than the 1000 before"]
        );
        assert_eq!(
            comparison.outdated,
            ["better is 5.1 % better", "new is new", "gone is gone"]
        );
    }
}
