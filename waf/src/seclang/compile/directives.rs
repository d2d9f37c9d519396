//! Every directive that is known, and what becomes of it.

use super::super::ast::Directive;
use super::super::error::{Problem, excerpt};
use super::arguments::Arguments;
use super::settings::SETTINGS;
use super::update::By;
use super::{Compiler, Entry};
use crate::nearest::nearest;

/// Directives that make rules, or act on them.
const OF_RULES: &[(&str, Act)] = &[
    ("SecMarker", Act::Marker),
    ("SecDefaultAction", Act::DefaultAction),
    ("SecRuleRemoveById", Act::Remove(By::Id)),
    ("SecRuleRemoveByTag", Act::Remove(By::Tag)),
    ("SecRuleRemoveByMsg", Act::Remove(By::Message)),
    ("SecRuleUpdateTargetById", Act::UpdateTargets(By::Id)),
    ("SecRuleUpdateTargetByTag", Act::UpdateTargets(By::Tag)),
    ("SecRuleUpdateTargetByMsg", Act::UpdateTargets(By::Message)),
    ("SecRuleUpdateActionById", Act::UpdateActions),
    ("SecDataset", Act::Dataset),
    ("Include", Act::Include { optional: false }),
    ("IncludeOptional", Act::Include { optional: true }),
];

/// Directives with any value that mean nothing here and protect nothing.
const IGNORED: &[(&str, &str)] = &[
    ("SecAuditLog", AUDIT),
    ("SecAuditLog2", AUDIT),
    ("SecAuditLogDirMode", AUDIT),
    ("SecAuditLogFileMode", AUDIT),
    ("SecAuditLogFormat", AUDIT),
    ("SecAuditLogPrefix", AUDIT),
    ("SecAuditLogStorageDir", AUDIT),
    ("SecAuditLogType", AUDIT),
    (
        "SecCacheTransformations",
        "how values are kept is the engine's business",
    ),
    ("SecChrootDir", "the edge's own unit file confines it"),
    ("SecDataDir", NO_FILES),
    ("SecDebugLog", "the edge writes the logs"),
    ("SecDebugLogLevel", "the edge writes the logs"),
    ("SecHashKey", HASH),
    ("SecHashMethodPm", HASH),
    ("SecHashMethodRx", HASH),
    ("SecHashParam", HASH),
    (
        "SecInterceptOnError",
        "no rule fails at run time; the edge fails closed",
    ),
    ("SecPcreMatchLimit", "patterns run in linear time"),
    ("SecPcreMatchLimitRecursion", "patterns run in linear time"),
    ("SecRemoteRulesFailAction", "there are no remote rules"),
    ("SecRequestBodyInMemoryLimit", "the edge spools bodies"),
    ("SecRulePerfTime", "the edge measures"),
    (
        "SecRxPreFilter",
        "how patterns are searched for is the engine's business",
    ),
    ("SecSensorId", "the edge names itself"),
    ("SecServerSignature", "the edge sends no such header"),
    ("SecStatusEngine", "nothing is reported to anyone"),
    ("SecTmpDir", NO_FILES),
    (
        "SecUnicodeCodePage",
        "the best-fit map of code page 20127 is built in",
    ),
    (
        "SecUnicodeMapFile",
        "the best-fit map of code page 20127 is built in",
    ),
    ("SecUploadDir", NO_FILES),
    ("SecUploadFileMode", NO_FILES),
    ("SecUploadKeepFiles", NO_FILES),
];

const AUDIT: &str = "the edge writes the audit log";
const HASH: &str = "the hash engine is off";
const NO_FILES: &str = "the engine stores no files";

/// Directives that may say that a feature is off: it is. To turn it on is an error, for who relies on
/// it would be less protected than he believes.
const OFF_ONLY: &[(&str, &[&str], &str)] = &[
    (
        "SecConnEngine",
        OFF,
        "limit connections in the edge's configuration",
    ),
    (
        "SecConnReadStateLimit",
        ZERO,
        "limit connections in the edge's configuration",
    ),
    (
        "SecConnWriteStateLimit",
        ZERO,
        "limit connections in the edge's configuration",
    ),
    (
        "SecReadStateLimit",
        ZERO,
        "limit connections in the edge's configuration",
    ),
    (
        "SecWriteStateLimit",
        ZERO,
        "limit connections in the edge's configuration",
    ),
    ("SecContentInjection", OFF, "responses are not rewritten"),
    (
        "SecCookieFormat",
        ZERO,
        "cookies are read as RFC 6265 says, which is format 0",
    ),
    (
        "SecCookieV0Separator",
        &[";"],
        "cookies are separated by semicolons",
    ),
    (
        "SecDisableBackendCompression",
        OFF,
        "the edge decides which encodings upstreams are asked for",
    ),
    ("SecHashEngine", OFF, "there is no hash engine"),
    (
        "SecIgnoreRuleCompilationErrors",
        OFF,
        "a rule that does not load protects nobody",
    ),
    (
        "SecParseXmlIntoArgs",
        OFF,
        "XML is inspected through the variable XML",
    ),
    ("SecPdfProtect", OFF, "there is no PDF protection"),
    (
        "SecStreamInBodyInspection",
        OFF,
        "bodies are inspected as a whole",
    ),
    (
        "SecStreamOutBodyInspection",
        OFF,
        "bodies are inspected as a whole",
    ),
    ("SecTmpSaveUploadedFiles", OFF, "the engine stores no files"),
    ("SecXmlExternalEntity", OFF, "external entities are never read"),
];

const OFF: &[&str] = &["Off"];
const ZERO: &[&str] = &["0"];

/// Directives that protection may rest on, and that there is no such thing for.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("SecGeoLookupDb", "there is no geographical database"),
    ("SecGsbLookupDb", "the database of Google Safe Browsing is gone"),
    ("SecGuardianLog", "no program is fed with requests"),
    ("SecHttpBlKey", "rules ask no DNS list"),
    ("SecRemoteRules", "rules come from files; fetch them before"),
    (
        "SecRuleInheritance",
        "a rule set inherits nothing; include what it needs",
    ),
    ("SecRuleScript", "rules run no scripts"),
];

/// What a directive of [`OF_RULES`] does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Marker,
    DefaultAction,
    Remove(By),
    UpdateTargets(By),
    UpdateActions,
    Dataset,
    Include { optional: bool },
}

impl Compiler<'_> {
    /// One directive, in the order of the text.
    pub(super) fn directive(&mut self, directive: &Directive) {
        let is = |name: &str| directive.name.eq_ignore_ascii_case(name);
        let makes_rule = is("SecRule") || is("SecAction");
        if makes_rule && !directive.intact {
            return self.lose();
        }
        if !makes_rule {
            self.chain_ends(&format!("`{}`", excerpt(&directive.name)));
        }
        if !directive.intact {
            return;
        }
        if is("SecRule") {
            self.sec_rule(directive);
        } else if is("SecAction") {
            self.sec_action(directive);
        } else if let Err(problem) = self.other(directive) {
            self.errors.push(directive.location.clone(), problem);
        }
    }

    fn other(&mut self, directive: &Directive) -> Result<(), Problem> {
        let arguments = |name| Arguments {
            directive: name,
            words: &directive.arguments,
        };
        if let Some((name, act)) = named(OF_RULES, &directive.name, |entry| entry.0) {
            return self.act(directive, arguments(name), *act);
        }
        if let Some((name, set)) = named(SETTINGS, &directive.name, |entry| entry.0) {
            return set(&mut self.compiled.settings, arguments(name));
        }
        if let Some((name, reason)) = named(IGNORED, &directive.name, |entry| entry.0) {
            arguments(name).some("a value")?;
            self.remark_ignored(directive.location.clone(), name, reason);
            return Ok(());
        }
        if let Some((name, off, reason)) = named(OFF_ONLY, &directive.name, |entry| entry.0) {
            return off_only(arguments(name), off, reason);
        }
        if let Some((name, reason)) = named(UNSUPPORTED, &directive.name, |entry| entry.0) {
            return Err(Problem::UnsupportedDirective { name, reason });
        }
        Err(Problem::UnknownDirective {
            name: excerpt(&directive.name),
            suggestion: nearest(&directive.name, names()),
        })
    }

    fn act(&mut self, directive: &Directive, arguments: Arguments<'_>, act: Act) -> Result<(), Problem> {
        match act {
            Act::Marker => {
                let name = arguments.one("a name")?.text.clone();
                self.compiled.entries.push(Entry::Marker(name));
            }
            Act::DefaultAction => self.sec_default_action(directive, arguments.one("one list of actions")?),
            Act::Remove(by) => self.remove_rules(directive, arguments, by)?,
            Act::UpdateTargets(by) => self.update_targets(directive, arguments, by)?,
            Act::UpdateActions => self.update_actions(directive, arguments)?,
            Act::Dataset => match arguments.words {
                [name, phrases] => {
                    let phrases = phrases.text.clone().into_bytes();
                    self.datasets.insert(name.text.clone(), phrases);
                }
                _ => return Err(arguments.count("a name and phrases between backticks")),
            },
            Act::Include { optional } => {
                self.include_directive(directive, arguments.one("a file")?, optional);
            }
        }
        Ok(())
    }
}

fn off_only(arguments: Arguments<'_>, off: &[&str], reason: &'static str) -> Result<(), Problem> {
    let word = arguments.one("a value")?;
    if off.iter().any(|value| value.eq_ignore_ascii_case(&word.text)) {
        return Ok(());
    }
    Err(Problem::UnsupportedDirective {
        name: arguments.directive,
        reason,
    })
}

/// The entry of a table whose name is `wanted`, in any case.
fn named<'t, T>(table: &'t [T], wanted: &str, name: impl Fn(&T) -> &'static str) -> Option<&'t T> {
    table
        .iter()
        .find(|entry| name(entry).eq_ignore_ascii_case(wanted))
}

/// All names, to suggest one of.
fn names() -> impl Iterator<Item = &'static str> {
    ["SecRule", "SecAction"]
        .into_iter()
        .chain(OF_RULES.iter().map(|entry| entry.0))
        .chain(SETTINGS.iter().map(|entry| entry.0))
        .chain(IGNORED.iter().map(|entry| entry.0))
        .chain(OFF_ONLY.iter().map(|entry| entry.0))
        .chain(UNSUPPORTED.iter().map(|entry| entry.0))
}
