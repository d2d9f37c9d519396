//! Checks in a row -> whether a backend is up. Pure.

use crate::config::HealthCheck;

/// The checks so far.
#[derive(Debug)]
pub(super) struct Count {
    up_after: u32,
    down_after: u32,
    is_up: Option<bool>,
    against: u32,
}

impl Count {
    /// None so far.
    pub(super) fn new(check: &HealthCheck) -> Self {
        Self {
            up_after: check.up,
            down_after: check.down,
            is_up: None,
            against: 0,
        }
    }

    /// One more check; what the backend is from now on, if that is new. Of a backend that nothing is known of, the
    /// first good check is believed; until it is found to be down it has requests.
    pub(super) fn step(&mut self, good: bool) -> Option<bool> {
        if self.is_up == Some(good) {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let enough = match (self.is_up, good) {
            (None, true) => 1,
            (_, true) => self.up_after,
            (_, false) => self.down_after,
        };
        if self.against < enough {
            return None;
        }
        self.against = 0;
        self.is_up = Some(good);
        Some(good)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Probe;

    #[test]
    fn checks_in_a_row() {
        let check = HealthCheck {
            probe: Probe::Tcp,
            port: None,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            up: 2,
            down: 3,
            jitter: 0,
        };
        // `+` and `-` are checks; `U` and `D` what follows from the one before.
        for story in [
            "+U",
            "---D",
            "--+U--+---D",
            "+U---D+-++U",
            "+U--+--+---D-+-+-++U",
            "-+U",
        ] {
            let (mut count, mut told) = (Count::new(&check), String::new());
            for step in story.chars().filter(|step| "+-".contains(*step)) {
                told.push(step);
                told.extend(count.step(step == '+').map(|is_up| if is_up { 'U' } else { 'D' }));
            }
            assert_eq!(told, story);
        }
    }
}
