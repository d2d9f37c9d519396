//! A histogram's series as a value.

use super::text::{self, Sample};

/// How often values were how large.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Distribution {
    sum: f64,
    count: u64,
    /// With rising bounds.
    buckets: Vec<Bucket>,
}

/// How often a value was at most this.
#[derive(Debug, Clone, PartialEq)]
struct Bucket {
    /// As it is written.
    shown: String,
    bound: f64,
    count: u64,
}

impl Distribution {
    /// None if the sample says nothing of a distribution.
    pub(super) fn enter(&mut self, suffix: &str, sample: &Sample<'_>) -> Option<()> {
        match suffix {
            "_sum" => {
                let sum = sample.value.parse::<f64>().ok()?;
                // Anything else would never go away again.
                self.sum = (sum.is_finite() && sum >= 0.0).then_some(sum)?;
            }
            "_count" => self.count = sample.value.parse().ok()?,
            "_bucket" => self.enter_bucket(sample)?,
            _ => return None,
        }
        Some(())
    }

    fn enter_bucket(&mut self, sample: &Sample<'_>) -> Option<()> {
        let shown = sample.bound()?;
        let bound = shown.parse::<f64>().ok().filter(|bound| !bound.is_nan())?;
        let bucket = Bucket {
            shown: shown.to_owned(),
            bound,
            count: sample.value.parse().ok()?,
        };
        let place = self.buckets.partition_point(|other| other.bound < bound);
        self.buckets.insert(place, bucket);
        Some(())
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many values are known to be at most `bound`. Where it is none of these bounds, those of the bucket that it
    /// falls into are not: they are counted from the next bound on that is known to hold them.
    pub(super) fn up_to(&self, bound: f64) -> u64 {
        if bound == f64::INFINITY {
            return self.count;
        }
        let after = self.buckets.partition_point(|bucket| bucket.bound <= bound);
        let bucket = after.checked_sub(1).and_then(|place| self.buckets.get(place));
        bucket.map_or(0, |bucket| bucket.count)
    }

    /// In these buckets, whatever those of `more` are.
    pub(super) fn add(&mut self, more: &Self) {
        self.sum += more.sum;
        self.count = self.count.saturating_add(more.count);
        for bucket in &mut self.buckets {
            bucket.count = bucket.count.saturating_add(more.up_to(bucket.bound));
        }
    }

    pub(super) fn since(&self, before: Option<&Self>) -> Self {
        let mut grown = self.clone();
        if let Some(before) = before {
            grown.sum = (self.sum - before.sum).max(0.0);
            grown.count = self.count.saturating_sub(before.count);
            for bucket in &mut grown.buckets {
                bucket.count = bucket.count.saturating_sub(before.up_to(bucket.bound));
            }
        }
        grown
    }

    /// In the order of the library that writes all others.
    pub(super) fn write(&self, text: &mut String, family: &str, labels: &str) {
        text::write(text, family, "_sum", &[labels], self.sum);
        text::write(text, family, "_count", &[labels], self.count);
        for bucket in &self.buckets {
            let bound = format!("le=\"{}\"", bucket.shown);
            text::write(text, family, "_bucket", &[&bound, labels], bucket.count);
        }
    }
}
