//! DNS-01's TXT records in the zones that we look after.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::zones::Zones;
use crate::acme::{CHALLENGE_TTL, TxtError, TxtRecords};
use crate::cloudflare::{ApiError, Client, NewRecord, Record, RecordType};

/// How a record tells that it was ours; the time of its making follows.
const COMMENT: &str = "palisade: ACME challenge of ";

/// A record this old is nobody's any more. Younger ones may be those of another edge that orders the same name now.
const STALE: time::Duration = time::Duration::HOUR;

/// Writes challenges through the API of their zone.
pub(super) struct Challenges {
    zones: Zones,
}

/// Why a challenge could not be written.
#[derive(Debug, thiserror::Error)]
enum ChallengeError {
    #[error("{0} is in none of the [[zones]]: its CNAME has to lead to a zone that the edge looks after")]
    NoZone(String),
    #[error("{0}")]
    Api(String),
}

impl Challenges {
    pub(super) fn new(zones: Zones) -> Self {
        Self { zones }
    }

    /// The API and the zone's identifier there.
    async fn place(&self, name: &str) -> Result<(Client, String), TxtError> {
        let zone = self.zones.of(name);
        let zone = zone.ok_or_else(|| failed(ChallengeError::NoZone(name.to_owned())))?;
        let client = self.zones.client(zone).map_err(failed)?;
        // Orders are rare: nothing is gained by remembering what may change.
        let found = client.zone(&zone.name).await.map_err(api)?;
        Ok((client, found.id))
    }

    /// TXT records of this name.
    async fn there(&self, name: &str) -> Result<(Client, String, Vec<Record>), TxtError> {
        let (client, zone) = self.place(name).await?;
        let mut records = client.records(&zone).await.map_err(api)?;
        records.retain(|record| record.kind == RecordType::Txt && record.name.eq_ignore_ascii_case(name));
        Ok((client, zone, records))
    }
}

#[async_trait]
impl TxtRecords for Challenges {
    async fn publish(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        let (client, zone) = self.place(name).await?;
        for value in values {
            let record = NewRecord {
                name: name.to_owned(),
                kind: RecordType::Txt,
                content: quoted(value),
                ttl: CHALLENGE_TTL,
                proxied: None,
                comment: Some(comment(OffsetDateTime::now_utc())),
            };
            match client.create(&zone, &record).await {
                Err(error) if !error.is_identical() => return Err(api(error)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn withdraw(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        let (client, zone, records) = self.there(name).await?;
        let gone = records
            .iter()
            .filter(|record| values.iter().any(|value| bare(&record.content) == value));
        for record in gone {
            client.delete(&zone, &record.id).await.map_err(api)?;
        }
        Ok(())
    }

    async fn stale(&self, name: &str) -> Result<Vec<String>, TxtError> {
        let (_, _, records) = self.there(name).await?;
        let now = OffsetDateTime::now_utc();
        let stale = records.iter().filter(|record| {
            record
                .comment
                .as_deref()
                .is_some_and(|comment| is_stale(comment, now))
        });
        Ok(stale.map(|record| bare(&record.content).to_owned()).collect())
    }
}

fn comment(now: OffsetDateTime) -> String {
    format!("{COMMENT}{}", now.unix_timestamp())
}

fn is_stale(comment: &str, now: OffsetDateTime) -> bool {
    let made = comment.strip_prefix(COMMENT).and_then(|time| time.parse().ok());
    let made = made.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
    made.is_some_and(|made| now - made > STALE)
}

/// As Cloudflare wants a TXT record's content.
fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}

fn bare(content: &str) -> &str {
    content
        .strip_prefix('"')
        .and_then(|content| content.strip_suffix('"'))
        .unwrap_or(content)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> TxtError {
    TxtError(Box::new(error))
}

fn api(error: ApiError) -> TxtError {
    failed(ChallengeError::Api(super::advised(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_challenges_of_an_edge_that_orders_now_are_not_stale() {
        let made = OffsetDateTime::UNIX_EPOCH;
        let comment = comment(made);
        assert!(!is_stale(&comment, made + time::Duration::minutes(59)));
        assert!(is_stale(&comment, made + time::Duration::minutes(61)));
        for other in [
            "",
            "palisade: ACME challenge of ",
            "palisade: ACME challenge of Tuesday",
            "0",
        ] {
            assert!(!is_stale(other, made + time::Duration::days(9)), "{other}");
        }
    }
}
