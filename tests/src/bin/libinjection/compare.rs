//! Our verdicts beside those of the reference.

use std::fmt;

use palisade_waf::libinjection::{Fingerprint, sqli, sqli_ungated, xss, xss_ungated};

use crate::reference::Verdict;

/// What has been compared.
#[derive(Default)]
pub(crate) struct Comparison {
    pub(crate) strings: usize,
    pub(crate) differences: Vec<Difference>,
    injections: usize,
    scripts: usize,
}

/// A string on which we differ.
pub(crate) struct Difference {
    string: Vec<u8>,
    reference: Verdict,
    ours: Verdict,
    ungated: Verdict,
}

impl Comparison {
    pub(crate) fn add(&mut self, strings: &[Vec<u8>], verdicts: &[Verdict]) {
        for (string, reference) in strings.iter().zip(verdicts) {
            self.strings += 1;
            self.injections += usize::from(reference.sqli.is_some());
            self.scripts += usize::from(reference.xss);
            let ours = verdict(sqli(string), xss(string));
            let ungated = verdict(sqli_ungated(string), xss_ungated(string));
            if ours != *reference || ungated != *reference {
                let (string, reference) = (string.clone(), reference.clone());
                self.differences.push(Difference {
                    string,
                    reference,
                    ours,
                    ungated,
                });
            }
        }
    }
}

fn verdict(fingerprint: Option<Fingerprint>, xss: bool) -> Verdict {
    Verdict {
        sqli: fingerprint.map(|fingerprint| fingerprint.as_str().to_owned()),
        xss,
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} SQL injections, {} scripts among them",
            self.injections, self.scripts
        )?;
        let differences = self.differences.len();
        write!(
            formatter,
            "libinjection: {} strings, {differences} differences",
            self.strings
        )
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "\"{}\": reference {}, ours {}, without gates {}",
            self.string.escape_ascii(),
            self.reference,
            self.ours,
            self.ungated
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let script = if self.xss { "script" } else { "no script" };
        match &self.sqli {
            Some(fingerprint) => write!(formatter, "SQLi {fingerprint} and {script}"),
            None => write!(formatter, "no SQLi and {script}"),
        }
    }
}
