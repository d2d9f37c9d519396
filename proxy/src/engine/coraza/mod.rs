//! Coraza through libcoraza (the crate `coraza`): a policy's rule text, loaded by it.
//!
//! Our own engine loads the same text first. Its errors have file and line, its plan knows what libcoraza does not
//! tell of a rule that matched (phase, severity, tags, place), and a file that may not be read was refused by then.

mod record;
mod request;
mod secrets;
mod shown;
mod text;
mod told;

use std::sync::Arc;

use ::coraza::{Waf, WafConfig};
use palisade_waf::{LoadErrors, MemorySource, RequestOrigin, RuleSet, RuleSource, SourceError};

pub use self::request::CorazaTransaction;
use self::secrets::Secrets;
use super::Piece;

/// A policy as Coraza has loaded it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Coraza {
    loaded: Arc<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    waf: Waf,
    /// Our reading of the same text.
    rules: RuleSet,
    /// No rules at all: what keeps the head of a request for its audit record.
    scribe: RuleSet,
}

/// Why Coraza does not take a policy that our engine takes.
#[derive(Debug, thiserror::Error)]
pub enum CorazaError {
    /// The text is an error to it.
    #[error("the rules do not load in Coraza: {0}")]
    Load(String),
    /// A rule of the operator that would never match.
    #[error(
        "{place}: rule {rule} looks at {variable}, which libcoraza never sets: the rule would never match. {remedy}"
    )]
    Blind {
        /// File and line.
        place: String,
        /// The rule's id.
        rule: u64,
        /// The variable's name.
        variable: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The files for it could not be written.
    #[error("the rules cannot be laid out for Coraza: {0}")]
    Files(#[from] std::io::Error),
    /// A file of the rule set is gone.
    #[error("the rules cannot be laid out for Coraza: {0}")]
    Source(#[from] SourceError),
    /// Our own engine failed on an empty rule set.
    #[error("{0}")]
    Scribe(LoadErrors),
}

impl Coraza {
    /// Loads these pieces of text, which our engine has read as `rules`.
    pub fn load(pieces: &[Piece], source: &dyn RuleSource, rules: &RuleSet) -> Result<Self, CorazaError> {
        text::refuse_blind_rules(rules)?;
        let files = text::lay_out(pieces, source)?;
        let mut config = WafConfig::new().map_err(load_error)?;
        config = config.with_error_callback(told::hear);
        for file in &files.paths {
            config = config.with_directives_from_file(file);
        }
        let waf = config.build().map_err(|error| {
            let folder = format!("{}/", files.folder.path().display());
            CorazaError::Load(error.to_string().replace(&folder, ""))
        })?;
        let scribe = RuleSet::builder()
            .text("scribe", "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n")
            .build(&MemorySource::new())
            .map_err(CorazaError::Scribe)?;
        Ok(Self {
            loaded: Arc::new(Loaded {
                waf,
                rules: rules.clone(),
                scribe,
            }),
        })
    }

    /// Opens a request; no rule has run yet.
    pub fn transaction(&self, origin: RequestOrigin) -> CorazaTransaction {
        CorazaTransaction::new(self.clone(), origin)
    }

    fn secrets(&self) -> Secrets<'_> {
        Secrets::new(&self.loaded.scribe)
    }
}

fn load_error(error: ::coraza::Error) -> CorazaError {
    CorazaError::Load(error.to_string())
}
