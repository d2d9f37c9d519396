//! A route's WAF policy, compiled into a rule set and proven to protect.
//!
//! Equal policies share one compiled set; sets share their operators; what has not changed since the last
//! load is not compiled again.

mod canary;
mod exclusion;
mod place;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palisade_waf::{LoadErrors, OperatorCache, PersistentCollections, RuleSet, RuleSetBuilder};

pub use canary::{AttackPasses, CanaryError};

use crate::config::{WafMode, WafProfile};
use crate::rules::{DiskSource, FileStamp, InstalledRules};

/// A compiled rule set that blocks the canaries.
#[derive(Debug)]
pub struct Profile {
    rules: RuleSet,
}

/// Why a policy cannot protect.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No rule set is open.
    #[error("the rule set is not installed")]
    NoRules,
    /// The rules do not compile.
    #[error("the rules do not load:\n{0}")]
    Load(LoadErrors),
    /// An exclusion names nothing.
    #[error(
        "an exclusion names {range}: no rule has an id there: a typing error, or a rule of another release"
    )]
    UnknownRule {
        /// The ids.
        range: String,
    },
    /// The rules load, and do not protect.
    #[error(transparent)]
    Canary(#[from] CanaryError),
}

/// Compiles policies and remembers the results.
#[derive(Debug, Default)]
pub struct Profiles {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    installed: Option<Arc<InstalledRules>>,
    operators: OperatorCache,
    /// What rules remember from one request to the next (`initcol`); reloads keep it.
    persistent: PersistentCollections,
    compiled: HashMap<(WafProfile, WafMode), Compiled>,
}

#[derive(Debug)]
struct Compiled {
    profile: Arc<Profile>,
    /// The SecLang files of the policy, as they were read.
    stamps: Vec<FileStamp>,
}

impl Profile {
    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
}

impl Profiles {
    /// Nothing compiled, no rule set open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compiles from this rule set from now on. What was compiled from another one is forgotten.
    pub fn open(&self, installed: InstalledRules) {
        let mut state = self.state();
        if state
            .installed
            .as_ref()
            .is_none_or(|known| !known.is_same(&installed))
        {
            state.compiled.clear();
            state.operators = OperatorCache::default();
            state.installed = Some(Arc::new(installed));
        }
    }

    /// The compiled policy, from memory where nothing it was made of has changed.
    pub fn get(&self, policy: &Arc<WafProfile>, mode: WafMode) -> Result<Arc<Profile>, Arc<ProfileError>> {
        let mut state = self.state();
        let key = (WafProfile::clone(policy), mode);
        if let Some(known) = state.compiled.get(&key)
            && known.stamps.iter().all(FileStamp::is_current)
        {
            return Ok(Arc::clone(&known.profile));
        }
        let compiled = state.compile(policy, mode).map_err(Arc::new)?;
        let profile = Arc::clone(&compiled.profile);
        state.compiled.insert(key, compiled);
        Ok(profile)
    }

    /// Drops compiled policies that nothing serves from any more.
    pub fn forget_unused(&self) {
        self.state()
            .compiled
            .retain(|_, compiled| Arc::strong_count(&compiled.profile) > 1);
    }

    /// The state is replaced piece by piece and never left half-way: a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn compile(&self, policy: &WafProfile, mode: WafMode) -> Result<Compiled, ProfileError> {
        let installed = self.installed.as_deref().ok_or(ProfileError::NoRules)?;
        let own_files = policy.seclang_before.iter().chain(&policy.seclang_after);
        let source = DiskSource::new(installed, own_files);
        let rules = builder(installed, policy, mode)
            .operators(&self.operators)
            .persistent(&self.persistent)
            .build(&source)
            .map_err(ProfileError::Load)?;
        exclusion::check(&policy.exclusions, &rules)?;
        canary::prove(&rules, policy, mode, installed.major_version())?;
        Ok(Compiled {
            profile: Arc::new(Profile { rules }),
            stamps: source.stamps(),
        })
    }
}

/// The order in which rule text is read.
fn builder(installed: &InstalledRules, policy: &WafProfile, mode: WafMode) -> RuleSetBuilder {
    let mut builder = installed
        .rule_set()
        .text("palisade/engine.conf", text::ENGINE)
        .text("palisade/mode.conf", text::mode(policy, mode))
        .include("crs-setup.conf.example")
        .text("palisade/levels.conf", text::levels(policy))
        .text("palisade/exclusions.conf", exclusion::before(&policy.exclusions));
    for file in &policy.seclang_before {
        builder = builder.include(name(file));
    }
    builder = builder
        .include("rules/*.conf")
        .text(exclusion::AFTER, exclusion::after(&policy.exclusions));
    for file in &policy.seclang_after {
        builder = builder.include(name(file));
    }
    builder
}

/// Absolute, which tells an operator's file from one of the rule set.
fn name(file: &Path) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    absolute.to_string_lossy().into_owned()
}
