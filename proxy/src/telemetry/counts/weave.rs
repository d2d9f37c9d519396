//! What edges before counted, in the text of what this one counts.

use std::collections::BTreeSet;

use super::distribution::Distribution;
use super::text::{self, Labels, Line, Sample};
use super::{Counts, Family, Series};

impl Counts {
    /// An OpenMetrics text with these counts added to its own, series by series. Those that it does not have are added as
    /// they are: of a route, or a metric, that is no more. Where it has a metric of another kind, only that is shown.
    pub fn woven_into(&self, text: &str) -> String {
        let mut woven = Woven {
            counts: self,
            text: String::with_capacity(text.len().saturating_mul(2)),
            met: BTreeSet::new(),
            current: None,
        };
        for line in text.lines() {
            woven.line(line);
        }
        woven.text
    }
}

struct Woven<'a> {
    counts: &'a Counts,
    text: String,
    /// Families of the text.
    met: BTreeSet<&'a str>,
    current: Option<Current<'a>>,
}

/// The family that the text is at.
struct Current<'a> {
    name: &'a str,
    family: &'a Family,
    met: BTreeSet<Labels>,
}

impl<'a> Woven<'a> {
    fn line(&mut self, line: &str) {
        match text::line(line) {
            Line::Help { .. } => self.end_family(),
            Line::Type { family, kind } => self.begin_family(family, kind),
            Line::Sample(sample) => {
                if self.sample(&sample).is_some() {
                    return;
                }
            }
            Line::Other if line == "# EOF" => self.end(),
            Line::Other => {}
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn begin_family(&mut self, name: &str, kind: &str) {
        self.end_family();
        let Some((name, family)) = self.counts.families.get_key_value(name) else {
            return;
        };
        self.met.insert(name);
        let met = BTreeSet::new();
        let same = family.series.kind() == kind;
        self.current = same.then_some(Current { name, family, met });
    }

    /// None if it stays as it is.
    fn sample(&mut self, sample: &Sample<'_>) -> Option<()> {
        let current = self.current.as_mut()?;
        let labels = sample.labels();
        let value = match &current.family.series {
            Series::Counter(series) => {
                let own = sample.value.parse::<u64>().ok()?;
                own.saturating_add(*series.get(&labels)?).to_string()
            }
            Series::Histogram(series) => {
                let suffix = sample.name.strip_prefix(current.name)?;
                of_distribution(series.get(&labels)?, suffix, sample)?
            }
        };
        current.met.insert(labels);
        self.text.extend([sample.before, " ", value.as_str(), "\n"]);
        Some(())
    }

    fn end_family(&mut self) {
        if let Some(current) = self.current.take() {
            let missing = |labels: &Labels| !current.met.contains(labels);
            current.family.series.write(current.name, &mut self.text, missing);
        }
    }

    fn end(&mut self) {
        self.end_family();
        for (name, family) in &self.counts.families {
            if !self.met.contains(name.as_str()) && family.series.len() > 0 {
                family.write_whole(name, &mut self.text);
            }
        }
    }
}

fn of_distribution(distribution: &Distribution, suffix: &str, sample: &Sample<'_>) -> Option<String> {
    let whole = |more: u64| {
        let own = sample.value.parse::<u64>().ok()?;
        Some(own.saturating_add(more).to_string())
    };
    match suffix {
        "_sum" => {
            let own = sample.value.parse::<f64>().ok()?;
            Some((own + distribution.sum()).to_string())
        }
        "_count" => whole(distribution.count()),
        "_bucket" => whole(distribution.up_to(sample.bound()?.parse().ok()?)),
        _ => None,
    }
}
