//! The rule text as Coraza gets it: files in a private folder, written from the verified rule set, because
//! `@pmFromFile` reads beside the file that says it. The folder is gone once Coraza has read it.

use std::fs;
use std::path::Path;

use palisade_waf::RuleSet;
use palisade_waf::RuleSource;
use palisade_waf::rule::Rule;
use palisade_waf::variables::Variable;
use tempfile::TempDir;

use super::CorazaError;
use super::Piece;

/// Tells the score of requests; not a match.
pub(super) const INBOUND_SCORE: u64 = 100_900;
/// Tells the score of answers; not a match.
pub(super) const OUTBOUND_SCORE: u64 = 100_901;

/// Behind everything else. Audit records are the edge's own; scores, which libcoraza has no call for, are told
/// as the data of two rules. The second names are those of CRS 3.
const TAIL: &str = "SecAuditEngine Off\n\
    SecRule TX:blocking_inbound_anomaly_score|TX:anomaly_score \"@gt 0\" \
    \"id:100900,phase:5,pass,log,noauditlog,t:none,msg:'score',logdata:'%{MATCHED_VAR}'\"\n\
    SecRule TX:blocking_outbound_anomaly_score|TX:outbound_anomaly_score \"@gt 0\" \
    \"id:100901,phase:5,pass,log,noauditlog,t:none,msg:'score',logdata:'%{MATCHED_VAR}'\"\n";

const BY_HOST: &str = "SecRule SERVER_NAME ";

/// What libcoraza leaves empty, and what to do about it.
const BLIND: &[(Variable, &str)] = &[
    (Variable::ServerName, "Use REQUEST_HEADERS:Host"),
    (Variable::Ip, NO_MEMORY),
    (Variable::Session, NO_MEMORY),
    (Variable::User, NO_MEMORY),
    (Variable::Global, NO_MEMORY),
    (Variable::Resource, NO_MEMORY),
];
const NO_MEMORY: &str =
    "Coraza remembers nothing from one request to the next: leave the rule to engine = \"palisade\"";

/// Text on disk.
pub(super) struct Files {
    /// Removed when dropped.
    pub(super) folder: TempDir,
    /// In the order in which they are read.
    pub(super) paths: Vec<String>,
}

/// Rules that an operator wrote and that could never match are mistakes; those of the rule set are its own business.
pub(super) fn refuse_blind_rules(rules: &RuleSet) -> Result<(), CorazaError> {
    let own = rules
        .rules()
        .filter(|rule| rule.head().location.file.starts_with('/'));
    for rule in own {
        if let Some((variable, remedy)) = blind(rule) {
            return Err(CorazaError::Blind {
                place: rule.head().location.to_string(),
                rule: rule.id,
                variable: variable.name(),
                remedy,
            });
        }
    }
    Ok(())
}

fn blind(rule: &Rule) -> Option<(Variable, &'static str)> {
    let questions = rule.links.iter().filter_map(|link| link.question.as_ref());
    let mut variables = questions.flat_map(|question| &question.targets);
    variables.find_map(|target| {
        let known = BLIND.iter().find(|(variable, _)| *variable == target.variable);
        known.copied()
    })
}

/// Writes the pieces, and the lists of the rule set beside its rules.
pub(super) fn lay_out(pieces: &[Piece], source: &dyn RuleSource) -> Result<Files, CorazaError> {
    let mut files = Files {
        folder: tempfile::Builder::new().prefix("palisade-coraza-").tempdir()?,
        paths: Vec::new(),
    };
    for list in source.list("rules/*.data")? {
        files.write(&list, &source.read(&list)?)?;
    }
    for piece in pieces {
        match piece {
            Piece::Text { name, text } => files.add(name, as_coraza_knows_it(text).as_bytes())?,
            // Coraza reads the operator's files where they are: their lists lie beside them.
            Piece::Include(name) if name.starts_with('/') => files.paths.push(name.clone()),
            Piece::Include(pattern) => {
                for name in source.list(pattern)? {
                    files.add(&name, &source.read(&name)?)?;
                }
            }
        }
    }
    files.add("palisade/coraza.conf", TAIL.as_bytes())?;
    Ok(files)
}

impl Files {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), CorazaError> {
        let path = self.write(name, content)?;
        self.paths.push(path);
        Ok(())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<String, CorazaError> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, content)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// The generated text of exclusions for hosts asks SERVER_NAME, which libcoraza has no call to set; the Host header
/// may carry a port as well.
fn as_coraza_knows_it(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix(BY_HOST) {
        Some(rest) => {
            let rest = rest.replacen(")$\"", ")(?::[0-9]+)?$\"", 1);
            format!("SecRule REQUEST_HEADERS:Host {rest}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_for_a_host_looks_at_its_header() {
        let ours = "SecRule SERVER_NAME \"@rx ^(?:a\\x2eexample)$\" \"id:1,phase:1,pass,nolog,t:none,chain\"\n\
                    SecRule REQUEST_FILENAME \"@rx ^/x$\" \"t:none\"\n";
        assert_eq!(
            as_coraza_knows_it(ours),
            "SecRule REQUEST_HEADERS:Host \"@rx ^(?:a\\x2eexample)(?::[0-9]+)?$\" \"id:1,phase:1,pass,nolog,t:none,chain\"\n\
             SecRule REQUEST_FILENAME \"@rx ^/x$\" \"t:none\"\n"
        );
    }
}
