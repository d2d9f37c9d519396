//! Lines of OpenMetrics text, as far as counters and histograms need them.

use std::cmp::Ordering;
use std::fmt::{Display, Write};

/// A line.
pub(super) enum Line<'a> {
    /// What the next family is for.
    Help { text: &'a str },
    /// The next family.
    Type { family: &'a str, kind: &'a str },
    /// A number.
    Sample(Sample<'a>),
    /// Anything else.
    Other,
}

/// A number, and what it is of.
pub(super) struct Sample<'a> {
    /// The family's name and a suffix.
    pub(super) name: &'a str,
    /// Names and values, as they are escaped.
    labels: Vec<(&'a str, &'a str)>,
    /// The number as it is written.
    pub(super) value: &'a str,
    /// All of the line before that.
    pub(super) before: &'a str,
}

/// What tells series of a family apart, whatever order it is written in.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    sorted: String,
    /// As they are written.
    shown: String,
}

impl Labels {
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sorted.cmp(&other.sorted)
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Labels {}

impl<'a> Sample<'a> {
    /// Those of its series: a bucket is no series of its own.
    pub(super) fn labels(&self) -> Labels {
        let labels = self.labels.iter().filter(|(name, _)| *name != "le");
        let mut labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let shown = labels.join(",");
        labels.sort_unstable();
        Labels {
            sorted: labels.join(","),
            shown,
        }
    }

    /// The bound of a bucket.
    pub(super) fn bound(&self) -> Option<&'a str> {
        let (_, bound) = self.labels.iter().find(|(name, _)| *name == "le")?;
        Some(bound)
    }
}

/// What a line is.
pub(super) fn line(line: &str) -> Line<'_> {
    if let Some(help) = line.strip_prefix("# HELP ") {
        let (_, text) = help.split_once(' ').unwrap_or((help, ""));
        return Line::Help { text };
    }
    if let Some((family, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
        return Line::Type { family, kind };
    }
    match line.starts_with('#') {
        true => Line::Other,
        false => sample(line).map_or(Line::Other, Line::Sample),
    }
}

/// Writes a sample. `labels` are written one after another, without those that are empty.
pub(super) fn write(text: &mut String, family: &str, suffix: &str, labels: &[&str], value: impl Display) {
    let labels: Vec<&str> = labels
        .iter()
        .copied()
        .filter(|labels| !labels.is_empty())
        .collect();
    // Writing into a String cannot fail.
    let _ = match labels.is_empty() {
        true => writeln!(text, "{family}{suffix} {value}"),
        false => writeln!(text, "{family}{suffix}{{{}}} {value}", labels.join(",")),
    };
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => pairs(rest)?,
        None => (Vec::new(), rest),
    };
    let before = line.get(..line.len().checked_sub(rest.len())?)?;
    let value = rest.strip_prefix(' ')?.split(' ').next()?;
    Some(Sample {
        name,
        labels,
        value,
        before,
    })
}

type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Labels up to their closing brace, and what follows it.
fn pairs(mut rest: &str) -> Option<(Pairs<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.strip_prefix(',').unwrap_or(rest).split_once("=\"")?;
        let (value, after) = after.split_at_checked(closing_quote(after)?)?;
        labels.push((name, value));
        rest = after.strip_prefix('"')?;
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}
