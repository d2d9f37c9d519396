//! DNS-01's TXT records: whoever can write them, and their way in and out. What is about to be written is written
//! down first, so that whatever happens, the next run takes it away.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Seconds that a challenge's TXT record may be cached: it has to be gone soon, for the next one.
pub const CHALLENGE_TTL: u32 = 60;

/// Whoever writes TXT records.
#[async_trait]
pub trait TxtRecords: Send + Sync + 'static {
    /// Makes one TXT record for each of the values at `name`, beside those that are there, with [`CHALLENGE_TTL`].
    /// A value that is there already is left alone.
    async fn publish(&self, name: &str, values: &[String]) -> Result<(), TxtError>;

    /// Removes the records at `name` with these values. That one is gone already is no error.
    async fn withdraw(&self, name: &str, values: &[String]) -> Result<(), TxtError>;

    /// The values at `name` that an earlier run published and left, as far as the records themselves tell (by a
    /// comment); none if they tell nothing. Others may use the name as well: theirs are not ours to remove.
    async fn stale(&self, name: &str) -> Result<Vec<String>, TxtError>;
}

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TxtError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// Values under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Published {
    /// Where: CNAMEs have been followed.
    pub name: String,
    /// What.
    pub values: Vec<String>,
}

/// Where the challenge for a name is published: a wildcard's at that of its parent, where they are two.
pub(super) fn challenge_name(name: &str) -> String {
    format!("_acme-challenge.{}", name.strip_prefix("*.").unwrap_or(name))
}

/// Values of one name together.
pub(super) fn gathered(challenges: impl IntoIterator<Item = (String, String)>) -> Vec<Published> {
    let mut gathered: Vec<Published> = Vec::new();
    for (name, value) in challenges {
        match gathered.iter_mut().find(|there| there.name == name) {
            Some(there) => there.values.push(value),
            None => gathered.push(Published {
                name,
                values: vec![value],
            }),
        }
    }
    gathered
}

/// Takes away what the journal says; returns what could not be, for the journal.
pub(super) async fn withdraw(records: &dyn TxtRecords, journal: &[Published]) -> Vec<Published> {
    let mut left = Vec::new();
    for published in journal {
        if let Err(error) = records.withdraw(&published.name, &published.values).await {
            tracing::warn!(name = %published.name, %error, "a challenge's TXT record could not be removed");
            left.push(published.clone());
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_challenges_of_a_name_and_its_wildcard_share_a_place() {
        let challenges = [("example.com", "a"), ("*.example.com", "b"), ("example.org", "c")];
        let gathered = gathered(challenges.map(|(name, value)| (challenge_name(name), value.to_owned())));
        let expected = [
            ("_acme-challenge.example.com", vec!["a", "b"]),
            ("_acme-challenge.example.org", vec!["c"]),
        ];
        let expected = expected.map(|(name, values)| Published {
            name: name.to_owned(),
            values: values.into_iter().map(str::to_owned).collect(),
        });
        assert_eq!(gathered, expected);
    }
}
