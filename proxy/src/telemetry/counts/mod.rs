//! Counters and histograms as values: what an edge has counted, to be added to what another counts. PURE.
//!
//! They are read from the text that Prometheus is shown, as it is the one form in which every version of Palisade tells
//! its counts, in full: whole numbers and floating-point numbers come back to the bit. Gauges say how things are in one
//! process, and are no part of this.

mod distribution;
mod text;
mod weave;

use std::collections::BTreeMap;
use std::fmt::Write;

use distribution::Distribution;
use text::{Labels, Line, Sample};

/// Series that are kept of edges before: far more than routes times statuses. What comes above is left out.
const MOST_SERIES: usize = 100_000;

/// Counters and histograms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    families: BTreeMap<String, Family>,
}

/// All series of a name.
#[derive(Debug, Clone, PartialEq)]
struct Family {
    help: String,
    series: Series,
}

/// By labels.
#[derive(Debug, Clone, PartialEq)]
enum Series {
    Counter(BTreeMap<Labels, u64>),
    Histogram(BTreeMap<Labels, Distribution>),
}

impl Counts {
    /// The counters and histograms of an OpenMetrics text, and how many of their lines say something that they cannot
    /// mean.
    pub fn read(text: &str) -> (Self, usize) {
        let (mut counts, mut unread) = (Self::default(), 0);
        let (mut help, mut current) = ("", None);
        for line in text.lines() {
            match text::line(line) {
                Line::Help { text } => (help, current) = (text, None),
                Line::Type { family, kind } => {
                    current = Series::of(kind).map(|series| (family, counts.family(family, help, series)));
                }
                Line::Sample(sample) => {
                    if let Some((name, family)) = &mut current
                        && family.series.enter(name, &sample).is_none()
                    {
                        unread += 1;
                    }
                }
                Line::Other => {}
            }
        }
        (counts, unread)
    }

    /// The same as a text. [`Counts::read`] reads it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families.iter().filter(|(_, family)| family.series.len() > 0) {
            family.write_whole(name, &mut text);
        }
        text
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.families.values().map(|family| family.series.len()).sum()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was counted besides. Returns how many series were left out: too many, or of another kind than they had.
    pub fn add(&mut self, more: &Self) -> usize {
        let (mut room, mut left_out) = (MOST_SERIES.saturating_sub(self.len()), 0);
        for (name, family) in &more.families {
            let own = self.family(name, &family.help, family.series.none());
            left_out += own.series.add(&family.series, &mut room);
        }
        left_out
    }

    /// What has been counted since it was `before`.
    pub fn since(&self, before: &Self) -> Self {
        let families = self.families.iter().filter_map(|(name, family)| {
            let before = before.families.get(name).map(|family| &family.series);
            let series = family.series.since(before);
            let help = family.help.clone();
            (series.len() > 0).then(|| (name.clone(), Family { help, series }))
        });
        Self {
            families: families.collect(),
        }
    }

    fn family(&mut self, name: &str, help: &str, series: Series) -> &mut Family {
        let help = help.to_owned();
        self.families
            .entry(name.to_owned())
            .or_insert(Family { help, series })
    }
}

impl Family {
    fn write_whole(&self, name: &str, text: &mut String) {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {}", self.help);
        let _ = writeln!(text, "# TYPE {name} {}", self.series.kind());
        self.series.write(name, text, |_| true);
    }
}

impl Series {
    /// None for what is no count.
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "counter" => Some(Self::Counter(BTreeMap::new())),
            "histogram" => Some(Self::Histogram(BTreeMap::new())),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Histogram(_) => "histogram",
        }
    }

    fn none(&self) -> Self {
        match self {
            Self::Counter(_) => Self::Counter(BTreeMap::new()),
            Self::Histogram(_) => Self::Histogram(BTreeMap::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Counter(series) => series.len(),
            Self::Histogram(series) => series.len(),
        }
    }

    /// None if the sample is none of this family's.
    fn enter(&mut self, family: &str, sample: &Sample<'_>) -> Option<()> {
        let suffix = sample.name.strip_prefix(family)?;
        match self {
            Self::Counter(series) if suffix == "_total" => {
                series.insert(sample.labels(), sample.value.parse().ok()?);
                Some(())
            }
            Self::Counter(_) => None,
            Self::Histogram(series) => series.entry(sample.labels()).or_default().enter(suffix, sample),
        }
    }

    /// Returns how many are left out.
    fn add(&mut self, more: &Self, room: &mut usize) -> usize {
        match (self, more) {
            (Self::Counter(series), Self::Counter(more)) => add_each(series, more, room, |own, more| {
                *own = own.saturating_add(*more);
            }),
            (Self::Histogram(series), Self::Histogram(more)) => {
                add_each(series, more, room, Distribution::add)
            }
            (_, more) => more.len(),
        }
    }

    /// Without those that have not changed.
    fn since(&self, before: Option<&Self>) -> Self {
        match (self, before) {
            (Self::Counter(series), Some(Self::Counter(before))) => {
                let grown = series.iter().filter_map(|(labels, now)| {
                    let grown = now.saturating_sub(before.get(labels).copied().unwrap_or(0));
                    (grown > 0).then(|| (labels.clone(), grown))
                });
                Self::Counter(grown.collect())
            }
            (Self::Histogram(series), Some(Self::Histogram(before))) => {
                let grown = series.iter().filter_map(|(labels, now)| {
                    let grown = now.since(before.get(labels));
                    (grown.count() > 0).then(|| (labels.clone(), grown))
                });
                Self::Histogram(grown.collect())
            }
            _ => self.clone(),
        }
    }

    /// Those whose labels are `wanted`.
    fn write(&self, family: &str, text: &mut String, wanted: impl Fn(&Labels) -> bool) {
        match self {
            Self::Counter(series) => {
                for (labels, value) in series.iter().filter(|(labels, _)| wanted(labels)) {
                    text::write(text, family, "_total", &[labels.shown()], value);
                }
            }
            Self::Histogram(series) => {
                for (labels, distribution) in series.iter().filter(|(labels, _)| wanted(labels)) {
                    distribution.write(text, family, labels.shown());
                }
            }
        }
    }
}

fn add_each<V: Clone>(
    series: &mut BTreeMap<Labels, V>,
    more: &BTreeMap<Labels, V>,
    room: &mut usize,
    add: impl Fn(&mut V, &V),
) -> usize {
    let mut left_out = 0;
    for (labels, value) in more {
        if let Some(own) = series.get_mut(labels) {
            add(own, value);
        } else if *room > 0 {
            *room -= 1;
            series.insert(labels.clone(), value.clone());
        } else {
            left_out += 1;
        }
    }
    left_out
}

#[cfg(test)]
mod tests;
