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
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palisade_waf::{Limits, LoadErrors, OperatorCache, PersistentCollections, RuleSet, RuleSetBuilder};

pub use canary::{AttackPasses, CanaryError};

use crate::config::{WafEngine, WafMode, WafProfile};
use crate::engine::{Engine, Piece};
use crate::rules::{DiskSource, FileStamp, InstalledRules};

/// A compiled rule set that blocks the canaries.
#[derive(Debug)]
pub struct Profile {
    rules: RuleSet,
    engine: Engine,
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
    /// The rules load, and not in the engine that the policy asks for, or not for it to watch.
    #[cfg(feature = "coraza")]
    #[error(transparent)]
    Coraza(#[from] crate::engine::coraza::CorazaError),
    /// The policy asks for an engine that this build does not have.
    #[cfg(not(feature = "coraza"))]
    #[error("this build has no Coraza")]
    NoCoraza,
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

    /// What judges requests by them.
    pub fn engine(&self) -> &Engine {
        &self.engine
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
        let pieces = pieces(policy, mode);
        let rules = builder(installed, &pieces)
            .limits(limits(policy))
            .operators(&self.operators)
            .persistent(&self.persistent)
            .build(&source)
            .map_err(ProfileError::Load)?;
        exclusion::check(&policy.exclusions, &rules)?;
        let engine = engine(policy, &pieces, &source, &rules)?;
        canary::prove(&engine, &rules, policy, mode, installed.major_version())?;
        Ok(Compiled {
            profile: Arc::new(Profile { rules, engine }),
            stamps: source.stamps(),
        })
    }
}

fn limits(policy: &WafProfile) -> Limits {
    Limits {
        recalled_requests: usize::try_from(policy.recalled_requests).unwrap_or(0),
        ..Limits::default()
    }
}

/// What judges requests. Whatever it is, our engine has read the rules before.
#[cfg(feature = "coraza")]
fn engine(
    policy: &WafProfile,
    pieces: &[Piece],
    source: &DiskSource<'_>,
    rules: &RuleSet,
) -> Result<Engine, ProfileError> {
    let coraza = || crate::engine::coraza::Coraza::load(pieces, source, rules);
    Ok(match (policy.engine, policy.shadow) {
        (WafEngine::Coraza, _) => Engine::Coraza(coraza()?),
        (WafEngine::Palisade, Some(WafEngine::Coraza)) => Engine::Shadowed(rules.clone(), coraza()?),
        (WafEngine::Palisade, _) => Engine::Own(rules.clone()),
    })
}

/// A configuration that asks for more was refused when it was read.
#[cfg(not(feature = "coraza"))]
fn engine(
    policy: &WafProfile,
    _: &[Piece],
    _: &DiskSource<'_>,
    rules: &RuleSet,
) -> Result<Engine, ProfileError> {
    match (policy.engine, policy.shadow) {
        (WafEngine::Palisade, None | Some(WafEngine::Palisade)) => Ok(Engine::Own(rules.clone())),
        _ => Err(ProfileError::NoCoraza),
    }
}

/// The order in which rule text is read.
fn pieces(policy: &WafProfile, mode: WafMode) -> Vec<Piece> {
    let text = |name, text| Piece::Text { name, text };
    let own = |file: &PathBuf| Piece::Include(name(file));
    let mut pieces = vec![
        text("palisade/engine.conf", text::ENGINE.to_owned()),
        text("palisade/mode.conf", text::mode(policy, mode)),
        Piece::Include(InstalledRules::SETUP.to_owned()),
        text("palisade/levels.conf", text::levels(policy)),
        text("palisade/exclusions.conf", exclusion::before(&policy.exclusions)),
    ];
    pieces.extend(policy.seclang_before.iter().map(own));
    pieces.push(Piece::Include("rules/*.conf".to_owned()));
    pieces.push(text(exclusion::AFTER, exclusion::after(&policy.exclusions)));
    pieces.extend(policy.seclang_after.iter().map(own));
    pieces
}

fn builder(installed: &InstalledRules, pieces: &[Piece]) -> RuleSetBuilder {
    let builder = installed.rule_set();
    pieces.iter().fold(builder, |builder, piece| match piece {
        Piece::Text { name, text } => builder.text(*name, text.clone()),
        Piece::Include(pattern) => builder.include(pattern.clone()),
    })
}

/// Absolute, which tells an operator's file from one of the rule set.
fn name(file: &Path) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    absolute.to_string_lossy().into_owned()
}
