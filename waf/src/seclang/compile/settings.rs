//! Directives that set something.

use regex::Regex;

use super::super::error::Problem;
use super::arguments::Arguments;
use crate::rule::{AuditEngine, EngineMode, Settings, StatusSet};

/// What such a directive does.
pub(super) type Set = fn(&mut Settings, Arguments<'_>) -> Result<(), Problem>;

/// The names and what they do.
pub(super) const SETTINGS: &[(&str, Set)] = &[
    ("SecRuleEngine", |settings, arguments| {
        settings.engine = arguments.choice("On, Off or DetectionOnly", ENGINE_MODES)?;
        Ok(())
    }),
    ("SecAuditEngine", |settings, arguments| {
        settings.audit_engine = arguments.choice("On, Off or RelevantOnly", AUDIT_MODES)?;
        Ok(())
    }),
    ("SecAuditLogRelevantStatus", |settings, arguments| {
        settings.audit_relevant_status = Some(relevant_status(arguments)?);
        Ok(())
    }),
    ("SecAuditLogParts", |settings, arguments| {
        const EXPECTED: &str = "letters from A to Z";
        let parts = &arguments.one(EXPECTED)?.text;
        if parts.is_empty() || !parts.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(arguments.value(EXPECTED, parts));
        }
        settings.audit_log_parts = Some(parts.clone());
        Ok(())
    }),
    ("SecRequestBodyAccess", |settings, arguments| {
        settings.request_body_access = arguments.switch()?;
        Ok(())
    }),
    ("SecRequestBodyLimit", |settings, arguments| {
        settings.request_body_limit = arguments.number()?;
        Ok(())
    }),
    ("SecRequestBodyNoFilesLimit", |settings, arguments| {
        settings.request_body_no_files_limit = Some(arguments.number()?);
        Ok(())
    }),
    ("SecRequestBodyLimitAction", |settings, arguments| {
        settings.request_body_partial = arguments.choice(LIMIT_ACTION, LIMIT_ACTIONS)?;
        Ok(())
    }),
    ("SecRequestBodyJsonDepthLimit", |settings, arguments| {
        settings.json_depth_limit = Some(arguments.positive()?);
        Ok(())
    }),
    ("SecArgumentsLimit", |settings, arguments| {
        settings.arguments_limit = Some(arguments.positive()?);
        Ok(())
    }),
    ("SecResponseBodyAccess", |settings, arguments| {
        settings.response_body_access = arguments.switch()?;
        Ok(())
    }),
    ("SecResponseBodyLimit", |settings, arguments| {
        settings.response_body_limit = arguments.number()?;
        Ok(())
    }),
    ("SecResponseBodyLimitAction", |settings, arguments| {
        settings.response_body_partial = arguments.choice(LIMIT_ACTION, LIMIT_ACTIONS)?;
        Ok(())
    }),
    ("SecResponseBodyJsonDepthLimit", |settings, arguments| {
        settings.response_json_depth_limit = Some(arguments.positive()?);
        Ok(())
    }),
    ("SecResponseBodyMimeType", |settings, arguments| {
        settings.response_mime_types = mime_types(arguments)?;
        Ok(())
    }),
    ("SecResponseBodyMimeTypesClear", |settings, arguments| {
        if !arguments.words.is_empty() {
            return Err(arguments.count("nothing"));
        }
        settings.response_mime_types.clear();
        Ok(())
    }),
    ("SecArgumentSeparator", |settings, arguments| {
        const EXPECTED: &str = "one ASCII character";
        let word = &arguments.one(EXPECTED)?.text;
        settings.argument_separator = match word.as_bytes() {
            [separator] => *separator,
            _ => return Err(arguments.value(EXPECTED, word)),
        };
        Ok(())
    }),
    ("SecCollectionTimeout", |settings, arguments| {
        settings.collection_timeout = arguments.number()?;
        Ok(())
    }),
    ("SecWebAppId", |settings, arguments| {
        settings.web_app_id = Some(arguments.one("a name")?.text.clone());
        Ok(())
    }),
    ("SecComponentSignature", |settings, arguments| {
        let signature = &arguments.one("a signature")?.text;
        settings.component_signatures.push(signature.clone());
        Ok(())
    }),
    ("SecUploadFileLimit", |settings, arguments| {
        settings.upload_file_limit = Some(arguments.number()?);
        Ok(())
    }),
];

pub(super) const ENGINE_MODES: &[(&str, EngineMode)] = &[
    ("On", EngineMode::On),
    ("Off", EngineMode::Off),
    ("DetectionOnly", EngineMode::DetectionOnly),
];

pub(super) const AUDIT_MODES: &[(&str, AuditEngine)] = &[
    ("On", AuditEngine::On),
    ("Off", AuditEngine::Off),
    ("RelevantOnly", AuditEngine::RelevantOnly),
];

const LIMIT_ACTION: &str = "Reject or ProcessPartial";
const LIMIT_ACTIONS: &[(&str, bool)] = &[("Reject", false), ("ProcessPartial", true)];

fn mime_types(arguments: Arguments<'_>) -> Result<Vec<String>, Problem> {
    let mut types = Vec::new();
    for word in arguments.some("MIME types")? {
        // Coraza's examples put the whole list into quotes.
        for name in word.text.split_ascii_whitespace() {
            // ModSecurity's name for a response that tells no type.
            if !name.contains('/') && name != "(null)" {
                return Err(arguments.value("a MIME type as type/subtype, or (null)", name));
            }
            types.push(name.to_ascii_lowercase());
        }
    }
    Ok(types)
}

/// A pattern over statuses. There are few enough statuses to ask it about each of them now.
fn relevant_status(arguments: Arguments<'_>) -> Result<StatusSet, Problem> {
    const EXPECTED: &str = "a pattern over status codes";
    let word = arguments.one(EXPECTED)?;
    let pattern =
        Regex::new(&without_lookahead(&word.text)).map_err(|_| arguments.value(EXPECTED, &word.text))?;
    Ok((100..1000)
        .filter(|status: &u16| pattern.is_match(&status.to_string()))
        .collect())
}

/// ModSecurity's recommended set-up says `^(?:5|4(?!04))`. Where nothing but closing brackets follows
/// it, a negative look-ahead over digits is an alternation: "another digit, or the first and then
/// another, ... or too short".
fn without_lookahead(pattern: &str) -> String {
    let Some((before, rest)) = pattern.split_once("(?!") else {
        return pattern.to_owned();
    };
    let Some((digits, after)) = rest.split_once(')') else {
        return pattern.to_owned();
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !after.bytes().all(|byte| byte == b')') {
        return pattern.to_owned();
    }
    let branches: Vec<String> = digits
        .char_indices()
        .map(|(index, digit)| format!("{}(?:[^{digit}]|$)", digits.get(..index).unwrap_or_default()))
        .collect();
    format!("{before}(?:{}){after}", branches.join("|"))
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Word;
    use super::*;

    fn statuses(pattern: &str) -> Result<StatusSet, Problem> {
        relevant_status(Arguments {
            directive: "SecAuditLogRelevantStatus",
            words: &[Word {
                text: pattern.to_owned(),
                lines: vec![(0, 1)],
            }],
        })
    }

    #[test]
    fn the_recommended_pattern_means_errors_but_404() {
        let set = statuses("^(?:5|4(?!04))").unwrap();
        for (status, relevant) in [
            (200, false),
            (400, true),
            (403, true),
            (404, false),
            (414, true),
            (500, true),
        ] {
            assert_eq!(set.contains(status), relevant, "{status}");
        }
        let set = statuses("^(?:(5|4)(0|1)[0-9])$").unwrap();
        assert!(set.contains(404) && !set.contains(429));
    }

    #[test]
    fn other_lookarounds_are_refused() {
        assert!(statuses("^4(?!0)4").is_err());
        assert!(statuses("^4(?<!0)").is_err());
    }
}
