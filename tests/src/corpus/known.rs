//! The failures that are known, each with its reason: `tests/crs-known-failures.toml` for the engine,
//! `tests/crs-live-failures.toml` for the running edge.

use std::collections::BTreeMap;

use serde::Deserialize;

const ENGINE: &str = include_str!("../../crs-known-failures.toml");
const LIVE: &str = include_str!("../../crs-live-failures.toml");

/// What may fail, by CRS version: a new release starts with an empty list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures {
    reasons: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    stage: Vec<RawStage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    crs: String,
    /// One or several with the same reason.
    ids: Vec<String>,
    reason: String,
}

impl KnownFailures {
    /// The engine's list for one CRS version.
    pub fn for_version(version: &str) -> Result<Self, toml::de::Error> {
        Self::parse(ENGINE, version)
    }

    /// The running edge's list for one CRS version.
    pub fn live(version: &str) -> Result<Self, toml::de::Error> {
        Self::parse(LIVE, version)
    }

    pub(super) fn parse(text: &str, version: &str) -> Result<Self, toml::de::Error> {
        let raw: Raw = toml::from_str(text)?;
        let reasons = raw
            .stage
            .into_iter()
            .filter(|stage| stage.crs == version)
            .flat_map(|stage| stage.ids.into_iter().map(move |id| (id, stage.reason.clone())))
            .collect();
        Ok(Self { reasons })
    }

    /// Why this stage may fail.
    pub fn reason(&self, stage: &str) -> Option<&str> {
        self.reasons.get(stage).map(String::as_str)
    }

    /// The stages of the list.
    pub fn stages(&self) -> impl Iterator<Item = &str> {
        self.reasons.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_well_formed_and_every_reason_is_a_sentence() {
        for list in [ENGINE, LIVE] {
            let raw: Raw = toml::from_str(list).unwrap();
            for stage in raw.stage {
                assert!(stage.reason.len() > 20, "{:?}: {}", stage.ids, stage.reason);
            }
        }
    }

    #[test]
    fn another_version_has_its_own_list() {
        let text = "[[stage]]\ncrs = \"4.0.0\"\nids = [\"1-1\"]\nreason = \"because\"\n";
        assert_eq!(
            KnownFailures::parse(text, "4.0.0").unwrap().reason("1-1"),
            Some("because")
        );
        assert_eq!(
            KnownFailures::parse(text, "4.1.0").unwrap(),
            KnownFailures::default()
        );
    }
}
