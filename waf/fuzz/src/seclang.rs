//! SecLang: whatever stands in a file, the answer is a rule set or a list of mistakes.

use palisade_waf::{MemorySource, RuleSet};

use super::exchange::split_once;

/// The longest text: what is in question is the parser, and hundreds of patterns take their time.
const LONGEST: usize = 16 * 1024;

/// The bytes as a rule file; what stands behind a line with NUL alone is a second file, to be included.
pub fn seclang(data: &[u8]) {
    if data.len() > LONGEST {
        return;
    }
    let (first, second) = split_once(data, b"\n\0\n");
    let mut source = MemorySource::new();
    source
        .insert("a.conf", first)
        .insert("b.conf", second)
        .insert("words.data", second);
    match RuleSet::builder().include("a.conf").build(&source) {
        Ok(set) => assert!(set.rules().all(|rule| !rule.links.is_empty() && rule.id > 0)),
        Err(errors) => {
            assert!(!errors.errors().is_empty());
            let shown = errors.to_string();
            let more = usize::from(errors.left_out() > 0);
            assert_eq!(shown.lines().count(), errors.errors().len() + more, "{shown}");
        }
    }
}
