//! WAF policies, compiled by the edge's own code from an installed OWASP CRS.

use std::path::Path;
use std::sync::Arc;

use palisade::config::{ConfigErrors, WafMode, WafProfile};
use palisade::profile::{Profile, ProfileError, Profiles};
use palisade::rules::{FROM_VARIABLE, InstalledRules, RulesError, verify};

use crate::configuration;

/// Why there is nothing to measure.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// The environment names no rule set.
    #[error(
        "{FROM_VARIABLE} names no folder. `make bench-engine` installs the OWASP CRS and measures; by hand: `palisade rules \
         install --dir data/crs`, then {FROM_VARIABLE}=$PWD/data/crs cargo bench -p palisade-benches --bench engine"
    )]
    NoRules,
    /// It names something else than an installation.
    #[error("{FROM_VARIABLE}: {0}")]
    Rules(#[from] RulesError),
    /// A configuration of the benchmarks is wrong.
    #[error("{0}")]
    Configuration(#[from] ConfigErrors),
    /// The text of a configuration has no route.
    #[error("the configuration of the benchmark has no route")]
    NoRoute,
    /// The rules do not compile, or do not protect.
    #[error(transparent)]
    Profile(#[from] Arc<ProfileError>),
    /// What should be measured as let through is not.
    #[error("{request}: the request is no ordinary one for this rule set: rules {rules:?} object")]
    Objections {
        /// Which.
        request: String,
        /// The rules.
        rules: Vec<u64>,
    },
}

/// The rule set in the folder that `PALISADE_CRS_FROM` names, verified as at the start of an edge.
pub fn installed() -> Result<InstalledRules, Unready> {
    let dir = std::env::var_os(FROM_VARIABLE).filter(|dir| !dir.is_empty());
    Ok(verify(Path::new(&dir.ok_or(Unready::NoRules)?))?)
}

/// The policy of a route that says no more than its paranoia level.
pub fn at_level(level: u8) -> Result<Arc<WafProfile>, Unready> {
    let config = configuration::from_text(&format!(
        "[[routes]]\nname = \"shop\"\nhosts = [\"shop.example\"]\necho = true\nwaf.paranoia_level = {level}\n"
    ))?;
    let route = config.routes.first().ok_or(Unready::NoRoute)?;
    Ok(Arc::clone(&route.waf.profile))
}

/// Compiles a policy, with the engine on; proves its canaries, as at every load.
pub fn compile(profiles: &Profiles, policy: &Arc<WafProfile>) -> Result<Arc<Profile>, Unready> {
    Ok(profiles.get(policy, WafMode::On)?)
}
