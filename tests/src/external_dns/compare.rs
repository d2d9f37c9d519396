//! The comparison itself, stage by stage.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use super::zone::{lines, was_written, zone};
use super::{Case, ExternalDns, Stage, Want, Wrote, ours};

/// A difference that nobody explained, or an explanation without a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The case.
    pub case: &'static str,
    /// When it showed.
    pub stage: Stage,
    /// `- ` and what should be there, `+ ` and what is there instead.
    pub found: Vec<String>,
    /// What the case says of it.
    pub meant: Vec<String>,
}

/// What was compared and what came of it.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// How often two zones were compared.
    pub compared: usize,
    /// How many records were in them.
    pub records: usize,
    /// Where they differ as the case says.
    pub explained: usize,
    /// Where they differ otherwise.
    pub unexplained: Vec<Finding>,
}

/// Holds our planner against what external-dns wrote.
pub async fn hold(case: &Case, wrote: &Wrote) -> Findings {
    let mut findings = Findings::default();
    let first = we(case, &case.before, &case.first).await;
    findings.compare(case, Stage::Fresh, &wrote.first, &first);
    let again = we(case, &wrote.first, &case.first).await;
    findings.compare(case, Stage::OursOnTheirs, &wrote.first, &again);
    let then = we(case, &first, &case.then).await;
    findings.compare(case, Stage::Changed, &wrote.then, &then);
    let taken = we(case, &wrote.first, &case.then).await;
    findings.compare(case, Stage::TakenByUs, &wrote.then, &taken);
    findings.compare(case, Stage::TakenByThem, &then, &wrote.taken);
    let back = we(case, &wrote.taken, &case.then).await;
    findings.compare(case, Stage::BackAgain, &wrote.taken, &back);
    findings
}

/// Asks external-dns itself; what it leaves of our records unchanged is compared at once.
pub async fn ask(case: &Case, external: &ExternalDns) -> io::Result<(Wrote, Findings)> {
    let first = they(external, case, &case.before, &case.first).await?;
    let then = they(external, case, &first, &case.then).await?;
    let ours = we(case, &case.before, &case.first).await;
    let mut findings = Findings::default();
    let again = they(external, case, &ours, &case.first).await?;
    findings.compare(case, Stage::TheirsOnOurs, &ours, &again);
    let taken = they(external, case, &ours, &case.then).await?;
    Ok((Wrote { first, then, taken }, findings))
}

async fn we(case: &Case, before: &[String], wants: &[Want]) -> Vec<String> {
    let fake = zone(before).await;
    let before = lines(&fake);
    ours::write(case, wants, &fake).await;
    let after = lines(&fake);
    assert_eq!(was_written(&fake), before != after, "{}: idle calls", case.name);
    after
}

async fn they(
    external: &ExternalDns,
    case: &Case,
    before: &[String],
    wants: &[Want],
) -> io::Result<Vec<String>> {
    let fake = zone(before).await;
    external.write(case, wants, &fake).await?;
    Ok(lines(&fake))
}

impl Findings {
    /// Counts and findings of both.
    pub fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.records += other.records;
        self.explained += other.explained;
        self.unexplained.extend(other.unexplained);
    }

    fn compare(&mut self, case: &Case, stage: Stage, expected: &[String], actual: &[String]) {
        self.compared += 1;
        self.records += expected.len();
        let found = differences(expected, actual);
        let mut meant: Vec<String> = case
            .differences
            .iter()
            .filter(|difference| difference.stage == stage)
            .flat_map(|difference| difference.lines.clone())
            .collect();
        meant.sort();
        if found != meant {
            self.unexplained.push(Finding {
                case: case.name,
                stage,
                found,
                meant,
            });
        } else if !found.is_empty() {
            self.explained += 1;
        }
    }
}

/// What is in one of both, sorted.
fn differences(expected: &[String], actual: &[String]) -> Vec<String> {
    let (expected, actual): (BTreeSet<_>, BTreeSet<_>) = (expected.iter().collect(), actual.iter().collect());
    let gone = expected.difference(&actual).map(|line| format!("- {line}"));
    let new = actual.difference(&expected).map(|line| format!("+ {line}"));
    let mut all: Vec<String> = gone.chain(new).collect();
    all.sort();
    all
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.case, self.stage)?;
        for line in &self.found {
            writeln!(f, "  {line}")?;
        }
        if !self.meant.is_empty() {
            writeln!(f, "  where the case says:")?;
        }
        for line in &self.meant {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} comparisons of {} records, {} with a difference that is meant, {} with another",
            self.compared,
            self.records,
            self.explained,
            self.unexplained.len()
        )
    }
}
