//! The guard against deleting everything: a slip of the pen should not cost a zone.

use std::collections::HashSet;
use std::fmt;

use super::{Create, Delete, Part, Planner};

/// Withheld records that a brief refusal names.
const BRIEF: usize = 5;

/// How much may be deleted at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Records.
    pub max_deletes: usize,
    /// Of those that are ours.
    pub max_percent: u8,
    /// Whether somebody said that it is meant.
    pub open: bool,
}

/// Deletions that were held back.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What would have been deleted, marks among it, and what another record takes the place of.
    pub withheld: Vec<Delete>,
    /// How many of them are records that nothing takes the place of, or marks that no record goes with.
    pub records: usize,
    /// How many such of ours there are.
    pub ours: usize,
    /// What they are too many for.
    pub limit: Limit,
    /// Records that were to come, marks among them: a slip that takes hosts away may well bring wrong ones.
    pub waiting: Vec<Create>,
}

/// What was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many records.
    Count(usize),
    /// So large a share of ours.
    Percent(u8),
}

impl Guard {
    /// The limit that deleting so many of ours would pass.
    pub fn passed(&self, records: usize, ours: usize) -> Option<Limit> {
        if self.open || records == 0 {
            None
        } else if records > self.max_deletes {
            Some(Limit::Count(self.max_deletes))
        } else if records * 100 > usize::from(self.max_percent) * ours {
            Some(Limit::Percent(self.max_percent))
        } else {
            None
        }
    }
}

impl Planner<'_> {
    /// Lets the losses through, or nothing but updates: a home whose address changes must not go dark over a route
    /// that is missing. Records that came in spite of a refusal would count as ours in the next round, and so make
    /// the same losses a smaller share.
    pub(super) fn guard(&mut self) {
        let (losses, dangling) = self.once();
        let of_records = losses.iter().filter(|loss| loss.subject.part == Part::Record);
        // A mark that no record goes with is a record of its own: many of them at once are no leftovers, but a name
        // of marks that was changed.
        let records = of_records.count() + dangling.len();
        let ours = self.ours + dangling.len();
        let limit = self.options.guard.passed(records, ours);
        self.plan.deletes.extend(losses.into_iter().chain(dangling));
        self.plan.sort();
        self.plan.refusal = limit.map(|limit| Refusal {
            withheld: std::mem::take(&mut self.plan.deletes),
            waiting: std::mem::take(&mut self.plan.creates),
            records,
            ours,
            limit,
        });
    }

    /// Losses and dangling marks, each record no more than once in the plan: the API refuses to delete it twice.
    fn once(&mut self) -> (Vec<Delete>, Vec<Delete>) {
        let deletes = self.plan.deletes.iter();
        let mut seen: HashSet<String> = deletes.map(|delete| delete.before.id.clone()).collect();
        let mut first = |delete: &Delete| seen.insert(delete.before.id.clone());
        let (mut losses, mut dangling) = (
            std::mem::take(&mut self.losses),
            std::mem::take(&mut self.dangling),
        );
        losses.retain(&mut first);
        dangling.retain(&mut first);
        (losses, dangling)
    }
}

impl Refusal {
    /// For a status, a monitor or a log, which take no list of a whole zone: the first few, and how many more.
    pub fn brief(&self) -> String {
        Told(self, BRIEF).to_string()
    }
}

/// Everything that is held back: for whoever decides on it.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Told(self, usize::MAX).fmt(f)
    }
}

/// A refusal with so many of the records that it holds back.
struct Told<'r>(&'r Refusal, usize);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(refusal, most) = *self;
        let Refusal { records, ours, .. } = refusal;
        write!(f, "refused to delete {records} of our {ours} records, ")?;
        match refusal.limit {
            Limit::Count(count) => write!(f, "more than {count} (max_deletes)")?,
            Limit::Percent(percent) => write!(f, "more than {percent} % (max_delete_percent)")?,
        }
        if !refusal.waiting.is_empty() {
            write!(f, "; {} to make wait for it", refusal.waiting.len())?;
        }
        let mut shown = refusal.withheld.iter().take(most);
        shown.try_for_each(|delete| write!(f, "\n{delete}"))?;
        match refusal.withheld.len().saturating_sub(most) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}
