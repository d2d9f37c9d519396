//! DNS-01's TXT records in the zones that we look after.

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::zones::Zones;
use crate::acme::{CHALLENGE_TTL, TxtError, TxtRecords};
use crate::cloudflare::{ApiError, Client, NewRecord, Record, RecordType};

/// How a later run knows that a record was ours.
const COMMENT: &str = "palisade: ACME challenge";

/// Writes challenges through the API of their zone.
pub(super) struct Challenges {
    zones: Zones,
    /// Identifiers of zones that were looked up: name, identifier.
    ids: Mutex<Vec<(String, String)>>,
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
        Self {
            zones,
            ids: Mutex::default(),
        }
    }

    /// The API and the zone's identifier there.
    async fn place(&self, name: &str) -> Result<(Client, String), TxtError> {
        let zone = self.zones.of(name);
        let zone = zone.ok_or_else(|| failed(ChallengeError::NoZone(name.to_owned())))?;
        let client = self.zones.client(zone).map_err(failed)?;
        let mut ids = self.ids.lock().await;
        if let Some((_, id)) = ids.iter().find(|(known, _)| *known == zone.name) {
            return Ok((client, id.clone()));
        }
        let found = client.zone(&zone.name).await.map_err(api)?;
        ids.push((zone.name.clone(), found.id.clone()));
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
                comment: Some(COMMENT.to_owned()),
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
        let ours = records
            .iter()
            .filter(|record| record.comment.as_deref() == Some(COMMENT));
        Ok(ours.map(|record| bare(&record.content).to_owned()).collect())
    }
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
