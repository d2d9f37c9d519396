//! `palisade doctor`.

use std::path::Path;

use super::{Failed, load, output, say};
use crate::doctor::{Verdict, examine};

/// Tells each finding; fails if anything will not work.
pub(super) fn run(config: &Path) -> Result<(), Failed> {
    let config = load(config)?;
    let findings = super::block_on(examine(&config))?;
    for finding in &findings {
        output::line(&finding.to_string());
    }
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad);
    match bad.count() {
        0 => Ok(()),
        1 => Err(say("1 thing will not work: see above")),
        count => Err(say(format!("{count} things will not work: see above"))),
    }
}
