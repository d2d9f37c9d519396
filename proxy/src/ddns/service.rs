//! The look at the address: asks every method, decides, remembers, tells.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use time::OffsetDateTime;

use crate::config::{Ddns, Detection};
use crate::ddns::address::{Family, check};
use crate::ddns::agreement::{Answer, Verdict, name, verdict};
use crate::ddns::detect::detect;
use crate::ddns::known::Known;
use crate::ddns::outcome::{Found, Outcome, Said};

/// The public addresses of this home, found as the configuration says.
#[derive(Debug)]
pub struct Addresses {
    ddns: Ddns,
    known: Known,
    /// What was agreed on since the start.
    confirmed: Known,
    /// Where what is known is kept.
    file: PathBuf,
}

impl Addresses {
    /// Starts with what was known before. A file that cannot be read is the same as none: what is published stays as
    /// it is until methods agree.
    pub fn new(ddns: Ddns, data_dir: &Path) -> Self {
        let file = data_dir.join("ddns.json");
        let known = Known::read(&file).unwrap_or_else(|error| {
            tracing::warn!(%error, "the last known addresses are lost");
            Known::default()
        });
        Self {
            ddns,
            known,
            confirmed: Known::default(),
            file,
        }
    }

    /// Asks every method of both families at once and remembers what they agree on.
    pub async fn round(&mut self) -> Outcome {
        let outcome = self.look().await;
        let before = self.known;
        for family in Family::ALL {
            if let Some(agreed) = outcome.agreed(family) {
                self.known.learn(family, agreed);
                self.confirmed.learn(family, agreed);
            }
        }
        if self.known != before
            && let Err(error) = self.known.write(&self.file)
        {
            tracing::warn!(%error, "a restart will not know the address");
        }
        outcome
    }

    /// The same without remembering: for `palisade ip`, beside an edge that runs.
    pub async fn look(&self) -> Outcome {
        let at = OffsetDateTime::now_utc();
        let (ipv4, ipv6) = tokio::join!(
            self.family(Family::Ipv4, &self.ddns.ipv4, at),
            self.family(Family::Ipv6, &self.ddns.ipv6, at)
        );
        Outcome { at, ipv4, ipv6 }
    }

    async fn family(&self, family: Family, methods: &[Detection], at: OffsetDateTime) -> Option<Found> {
        let mut asked = Vec::with_capacity(methods.len());
        for method in methods {
            asked.push(self.ask(family, method));
        }
        let (answers, took): (Vec<Answer>, Vec<Duration>) = join_all(asked).await.into_iter().unzip();
        let answers: Vec<(Detection, Answer)> = methods.iter().cloned().zip(answers).collect();
        let known = self.known.of(family);
        let verdict = verdict(&answers, known.map(|agreed| agreed.address), self.ddns.agreement)?;
        let since = verdict.address().map(|address| match known {
            Some(agreed) if agreed.address == address => agreed.since,
            _ => at,
        });
        let said = answers
            .into_iter()
            .zip(took)
            .map(|((method, answer), took)| Said {
                method: name(&method),
                answer,
                took,
            });
        Some(Found {
            confirmed: matches!(verdict, Verdict::Publish(_)) || self.confirmed.of(family).is_some(),
            verdict,
            since,
            methods: said.collect(),
        })
    }

    async fn ask(&self, family: Family, method: &Detection) -> (Answer, Duration) {
        let start = Instant::now();
        let answer = match detect(method, family, &self.ddns).await {
            Ok(address) => judged(family, method, address),
            Err(error) => Answer::Failed(error.to_string()),
        };
        (answer, start.elapsed())
    }
}

/// What somebody told is looked at; what is written in the configuration is meant.
fn judged(family: Family, method: &Detection, address: IpAddr) -> Answer {
    match (method, check(family, address)) {
        (Detection::Fixed(_), _) | (_, Ok(())) => Answer::Address(address),
        (_, Err(rejection)) => Answer::Rejected(address, rejection),
    }
}

/// Says in the log what is new since the look before.
pub fn log(last: Option<&Outcome>, outcome: &Outcome) {
    for family in Family::ALL {
        let Some(found) = outcome.of(family) else { continue };
        let before = last.and_then(|last| last.of(family));
        if before.is_some_and(|before| before.verdict == found.verdict) {
            continue;
        }
        let (verdict, said) = (&found.verdict, found.said());
        match verdict {
            Verdict::Publish(_) => tracing::info!(%family, %verdict, said, "public address"),
            _ => tracing::warn!(%family, %verdict, said, "public address in doubt"),
        }
    }
}

#[cfg(test)]
mod tests;
