//! What the run found, for people and for scripts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::judge::{Observed, Verdict};
use super::known::KnownFailures;
use super::suite::StageId;

/// One stage's end.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Which stage.
    pub id: StageId,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen.
    pub observed: Observed,
}

/// Where the stages ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The engine alone.
    InProcess,
    /// Through a running edge.
    Live,
}

/// The whole run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Where.
    pub mode: Mode,
    /// The CRS version.
    pub version: String,
    /// Test files read.
    pub files: usize,
    /// Rules that are left out, each with its reason.
    pub left_out: Vec<String>,
    /// Every stage, sorted by name.
    pub outcomes: Vec<Outcome>,
    /// The time to compile the rules, or to start the edge.
    pub load_time: Duration,
    /// The time for all stages.
    pub run_time: Duration,
}

impl Report {
    /// How many stages passed.
    pub fn passed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Passed)
    }

    /// The stages that failed, with what was wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&Outcome, &[String])> {
        self.outcomes.iter().filter_map(|outcome| match &outcome.verdict {
            Verdict::Failed(complaints) => Some((outcome, complaints.as_slice())),
            _ => None,
        })
    }

    /// The stages that only a server in front can answer, with its reason.
    pub fn http_layer(&self) -> impl Iterator<Item = (&StageId, &str)> {
        self.outcomes.iter().filter_map(|outcome| match &outcome.verdict {
            Verdict::HttpLayer(reason) => Some((&outcome.id, reason.as_str())),
            _ => None,
        })
    }

    /// Failing stages that are not on the list: regressions.
    pub fn unknown_failures(&self, known: &KnownFailures) -> Vec<String> {
        self.failures()
            .filter(|(outcome, _)| known.reason(&outcome.id.to_string()).is_none())
            .map(|(outcome, complaints)| format!("{}: {}", outcome.id, complaints.join("; ")))
            .collect()
    }

    /// Stages on the list that ran and did not fail: the list is out of date.
    pub fn outdated<'a>(&self, known: &'a KnownFailures) -> Vec<&'a str> {
        let failed = |name: &str| self.failures().any(|(outcome, _)| outcome.id.to_string() == name);
        let ran = |name: &str| self.outcomes.iter().any(|outcome| outcome.id.to_string() == name);
        known.stages().filter(|name| ran(name) && !failed(name)).collect()
    }

    /// The line that scripts read.
    pub fn summary(&self) -> String {
        let (version, passed, failed) = (&self.version, self.passed(), self.failures().count());
        match self.mode {
            Mode::Live => format!("crs live {version}: {passed} passed, {failed} failed"),
            Mode::InProcess => {
                let others = self.http_layer().count();
                format!("crs corpus {version}: {passed} passed, {failed} failed, {others} http-layer")
            }
        }
    }

    /// Everything, ending with the summary.
    pub fn text(&self, known: &KnownFailures) -> String {
        let mut text: String = self.left_out.iter().map(|remark| format!("{remark}\n")).collect();
        let http: Vec<_> = self.http_layer().collect();
        if !http.is_empty() {
            text.push_str("Answered by the HTTP server in front, not run in process:\n");
        }
        for (id, reason) in http {
            let _ = writeln!(text, "  {id:<12} {reason}");
        }
        for (rule, failures) in self.failures_by_rule() {
            let _ = writeln!(text, "Rule {rule}: {} failed", failures.len());
            for (outcome, complaints) in failures {
                let _ = writeln!(text, "  {:<12} {}", outcome.id, complaints.join("; "));
                if let Some(reason) = known.reason(&outcome.id.to_string()) {
                    let _ = writeln!(text, "  {:<12} known: {reason}", "");
                }
            }
        }
        let _ = writeln!(
            text,
            "{} files, {} stages; {} in {:.2} s, stages run in {:.2} s",
            self.files,
            self.outcomes.len(),
            match self.mode {
                Mode::InProcess => "rules loaded",
                Mode::Live => "edge started",
            },
            self.load_time.as_secs_f64(),
            self.run_time.as_secs_f64()
        );
        text.push_str(&self.summary());
        text
    }

    fn failures_by_rule(&self) -> BTreeMap<u64, Vec<(&Outcome, &[String])>> {
        let mut rules = BTreeMap::<u64, Vec<_>>::new();
        for failure in self.failures() {
            rules.entry(failure.0.id.rule).or_default().push(failure);
        }
        rules
    }

    fn count(&self, wanted: impl Fn(&Verdict) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| wanted(&outcome.verdict))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: Vec<Verdict>) -> Report {
        let outcome = |(index, verdict)| Outcome {
            id: StageId {
                rule: 920_100,
                test: index as u64 + 1,
                stage: None,
            },
            verdict,
            observed: Observed::default(),
        };
        Report {
            mode: Mode::InProcess,
            version: "4.0.0".into(),
            files: 1,
            left_out: Vec::new(),
            outcomes: verdicts.into_iter().enumerate().map(outcome).collect(),
            load_time: Duration::ZERO,
            run_time: Duration::ZERO,
        }
    }

    #[test]
    fn the_last_line_counts() {
        let report = report(vec![
            Verdict::Passed,
            Verdict::Failed(vec!["expected rule 920100".into()]),
            Verdict::HttpLayer("the method is no token".into()),
        ]);
        let text = report.text(&KnownFailures::default());
        assert!(
            text.contains("Rule 920100: 1 failed\n  920100-2     expected rule 920100\n"),
            "{text}"
        );
        assert!(text.contains("920100-3     the method is no token"), "{text}");
        assert!(
            text.ends_with("\ncrs corpus 4.0.0: 1 passed, 1 failed, 1 http-layer"),
            "{text}"
        );
    }

    #[test]
    fn a_live_run_says_so() {
        let mut report = report(vec![Verdict::Passed, Verdict::Failed(vec!["x".into()])]);
        report.mode = Mode::Live;
        assert_eq!(report.summary(), "crs live 4.0.0: 1 passed, 1 failed");
    }

    #[test]
    fn a_failure_off_the_list_and_a_pass_on_it_are_told() {
        let known = KnownFailures::parse(
            "[[stage]]\ncrs = \"4.0.0\"\nids = [\"920100-1\"]\nreason = \"a reason\"\n",
            "4.0.0",
        )
        .unwrap();
        let failed = || Verdict::Failed(vec!["x".into()]);
        let first = report(vec![failed(), Verdict::Passed]);
        assert!(first.unknown_failures(&known).is_empty());
        assert!(first.outdated(&known).is_empty());
        let second = report(vec![Verdict::Passed, failed()]);
        assert_eq!(second.unknown_failures(&known), ["920100-2: x"]);
        assert_eq!(second.outdated(&known), ["920100-1"]);
    }
}
