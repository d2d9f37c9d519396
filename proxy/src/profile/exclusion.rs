//! Exclusions in the engine's own terms.
//!
//! Without a condition an exclusion changes the rules when they are loaded (`SecRuleRemoveById`,
//! `SecRuleUpdateTargetById`) and costs a request nothing. With one it becomes a rule in front of the CRS
//! whose last link takes rules or targets away for that request (`ctl:ruleRemoveTargetById`).

use std::fmt::Write;

use palisade_waf::{Remark, RuleSet};

use super::ProfileError;
use crate::config::{ExcludedRules, Exclusion, HostPattern, PathMatch};

/// The name of the text behind the CRS.
pub(super) const AFTER: &str = "palisade/exclusions-after.conf";

/// The first id of generated rules; each exclusion takes one.
const FIRST_ID: u64 = 101_000;

/// `..;`, `..\` and `\..`: a parent folder to servlet containers and to Windows, a name to everyone else. What
/// the path of such a request is depends on who asks: no exclusion is for it.
const HIDDEN_PARENT: &str = r"\x2e\x2e[\x3b\x5c]|\x5c\x2e\x2e";

/// Rules in front of the CRS.
pub(super) fn before(exclusions: &[Exclusion]) -> String {
    let conditional = exclusions
        .iter()
        .zip(FIRST_ID..)
        .filter(|(exclusion, _)| at_run_time(exclusion));
    conditional.map(|(exclusion, id)| rule(exclusion, id)).collect()
}

/// Directives behind the CRS.
pub(super) fn after(exclusions: &[Exclusion]) -> String {
    exclusions
        .iter()
        .filter(|exclusion| !at_run_time(exclusion))
        .map(directives)
        .collect()
}

/// Every id must mean a rule: the engine remarks on directives that met none, conditions are looked up here.
pub(super) fn check(exclusions: &[Exclusion], rules: &RuleSet) -> Result<(), ProfileError> {
    for remark in rules.remarks() {
        if let Remark::NoSuchRule { location, wanted, .. } = remark
            && &*location.file == AFTER
            // What another exclusion took out before is no typing error.
            && times_removed(exclusions, wanted) < 2
        {
            return Err(ProfileError::UnknownRule {
                range: wanted.clone(),
            });
        }
    }
    for exclusion in exclusions.iter().filter(|exclusion| at_run_time(exclusion)) {
        let ExcludedRules::Ids(ranges) = &exclusion.rules else {
            continue;
        };
        for (low, high) in ranges {
            if !rules.rules().any(|rule| (*low..=*high).contains(&rule.id)) {
                return Err(ProfileError::UnknownRule {
                    range: range(*low, *high),
                });
            }
        }
    }
    Ok(())
}

/// How many exclusions take these ids out at load.
fn times_removed(exclusions: &[Exclusion], ids: &str) -> usize {
    let Some((low, high)) = exclusions
        .iter()
        .flat_map(ranges)
        .find(|(low, high)| range(*low, *high) == ids)
    else {
        return 0;
    };
    let removing = exclusions
        .iter()
        .filter(|exclusion| !at_run_time(exclusion) && exclusion.targets.is_empty());
    removing
        .flat_map(ranges)
        .filter(|(first, last)| *first <= high && *last >= low)
        .count()
}

fn ranges(exclusion: &Exclusion) -> Vec<(u64, u64)> {
    match &exclusion.rules {
        ExcludedRules::Ids(ranges) => ranges.clone(),
        ExcludedRules::Tags(_) => Vec::new(),
    }
}

/// Tags are compared as a whole by `ctl` and as a pattern by directives: a tag always means the whole.
fn at_run_time(exclusion: &Exclusion) -> bool {
    !exclusion.hosts.is_empty()
        || exclusion.path.is_some()
        || !exclusion.methods.is_empty()
        || matches!(exclusion.rules, ExcludedRules::Tags(_))
}

fn directives(exclusion: &Exclusion) -> String {
    let mut text = String::new();
    let ExcludedRules::Ids(ranges) = &exclusion.rules else {
        return text;
    };
    for (low, high) in ranges {
        let ids = range(*low, *high);
        if exclusion.targets.is_empty() {
            let _ = writeln!(text, "SecRuleRemoveById {ids}");
        }
        for target in &exclusion.targets {
            let _ = writeln!(text, "SecRuleUpdateTargetById {ids} \"!{target}\"");
        }
    }
    text
}

fn rule(exclusion: &Exclusion, id: u64) -> String {
    let head = format!("id:{id},phase:1,pass,nolog,");
    let controls: String = controls(exclusion)
        .iter()
        .map(|ctl| format!(",ctl:{ctl}"))
        .collect();
    let conditions = conditions(exclusion);
    let Some(last) = conditions.len().checked_sub(1) else {
        return format!("SecAction \"{head}t:none{controls}\"\n");
    };
    let mut text = String::new();
    for (index, (variable, operator, transformations)) in conditions.iter().enumerate() {
        let head = if index == 0 { head.as_str() } else { "" };
        let tail = if index == last {
            controls.as_str()
        } else {
            ",chain"
        };
        let _ = writeln!(
            text,
            "SecRule {variable} \"{operator}\" \"{head}{transformations}{tail}\""
        );
    }
    text
}

/// Variable, operator and transformations of each link.
fn conditions(exclusion: &Exclusion) -> Vec<(&'static str, String, &'static str)> {
    let mut conditions = Vec::new();
    if !exclusion.hosts.is_empty() {
        let hosts = any_of(exclusion.hosts.iter().map(host_pattern));
        conditions.push(("SERVER_NAME", hosts, "t:none,t:lowercase"));
    }
    if let Some(path) = &exclusion.path {
        // Dot segments are resolved first: /admin/../login is no path under /admin.
        let pattern = format!("@rx {}", path_pattern(path));
        conditions.push(("REQUEST_FILENAME", pattern, "t:none,t:normalizePath"));
        conditions.push(("REQUEST_FILENAME", format!("!@rx {HIDDEN_PARENT}"), "t:none"));
    }
    if !exclusion.methods.is_empty() {
        let methods = any_of(exclusion.methods.iter().map(|method| escape(method.as_bytes())));
        conditions.push(("REQUEST_METHOD", methods, "t:none"));
    }
    conditions
}

fn any_of(patterns: impl Iterator<Item = String>) -> String {
    let patterns: Vec<String> = patterns.collect();
    format!("@rx ^(?:{})$", patterns.join("|"))
}

fn host_pattern(host: &HostPattern) -> String {
    match host {
        HostPattern::Exact(name) => escape(name.as_bytes()),
        HostPattern::Wildcard(suffix) => format!("[^/]+\\x2e{}", escape(suffix.as_bytes())),
    }
}

fn path_pattern(path: &PathMatch) -> String {
    match path {
        PathMatch::Exact(path) => format!("^{}$", escape(&unescaped(path))),
        PathMatch::Prefix(path) if path == "/" => "^/".to_owned(),
        PathMatch::Prefix(path) => format!("^{}(?:/|$)", escape(&unescaped(path))),
    }
}

/// The bytes that percent-escapes stand for: the engine has decoded REQUEST_FILENAME.
fn unescaped(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escape = behind.get(..2).filter(|_| *first == b'%');
        let escaped = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = escaped.and(behind.get(2..)).unwrap_or(behind);
    }
    bytes
}

fn controls(exclusion: &Exclusion) -> Vec<String> {
    let (kind, selectors): (&str, Vec<String>) = match &exclusion.rules {
        ExcludedRules::Ids(ranges) => (
            "ById",
            ranges.iter().map(|(low, high)| range(*low, *high)).collect(),
        ),
        ExcludedRules::Tags(tags) => ("ByTag", tags.clone()),
    };
    let mut controls = Vec::new();
    for selector in &selectors {
        if exclusion.targets.is_empty() {
            controls.push(format!("ruleRemove{kind}={selector}"));
        }
        for target in &exclusion.targets {
            controls.push(format!("ruleRemoveTarget{kind}={selector};{target}"));
        }
    }
    controls
}

fn range(low: u64, high: u64) -> String {
    if low == high {
        low.to_string()
    } else {
        format!("{low}-{high}")
    }
}

/// Every byte that could mean something to a pattern, to SecLang's quoting or to a macro, as `\xHH`.
fn escape(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.iter().copied() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use palisade_waf::{MemorySource, RequestOrigin, Verdict};

    use super::*;

    fn exclusion() -> Exclusion {
        Exclusion {
            rules: ExcludedRules::Ids(vec![(942_100, 942_100), (941_000, 941_999)]),
            targets: vec!["ARGS:comment".to_owned()],
            hosts: Vec::new(),
            path: None,
            methods: Vec::new(),
            reason: "comments quote SQL".to_owned(),
        }
    }

    #[test]
    fn without_a_condition_the_rules_are_changed_at_load() {
        let all = [exclusion()];
        assert_eq!(before(&all), "");
        assert_eq!(
            after(&all),
            "SecRuleUpdateTargetById 942100 \"!ARGS:comment\"\n\
             SecRuleUpdateTargetById 941000-941999 \"!ARGS:comment\"\n"
        );
    }

    #[test]
    fn conditions_make_a_chain_whose_last_link_excludes() {
        let conditional = Exclusion {
            path: Some(PathMatch::Prefix("/wp-admin".to_owned())),
            methods: vec!["POST".to_owned()],
            rules: ExcludedRules::Ids(vec![(942_100, 942_100)]),
            ..exclusion()
        };
        assert_eq!(
            before(&[conditional]),
            "SecRule REQUEST_FILENAME \"@rx ^/wp\\x2dadmin(?:/|$)\" \"id:101000,phase:1,pass,nolog,t:none,t:normalizePath,chain\"\n\
             SecRule REQUEST_FILENAME \"!@rx \\x2e\\x2e[\\x3b\\x5c]|\\x5c\\x2e\\x2e\" \"t:none,chain\"\n\
             SecRule REQUEST_METHOD \"@rx ^(?:POST)$\" \"t:none,ctl:ruleRemoveTargetById=942100;ARGS:comment\"\n"
        );
    }

    #[test]
    fn no_path_can_break_out_of_its_quotes() {
        let text = path_pattern(&PathMatch::Exact("/a\"%{tx.x}\\'\n%22%0a".to_owned()));
        assert!(!text.contains(['"', '%', '\'', '\n', '{']), "{text}");
    }

    /// Whether an engine with this exclusion of its only rule stops a request for the path.
    fn stops(path: PathMatch, uri: &str) -> bool {
        let exclusion = Exclusion {
            path: Some(path),
            rules: ExcludedRules::Ids(vec![(1, 1)]),
            targets: Vec::new(),
            ..exclusion()
        };
        let rules = RuleSet::builder()
            .text("mode.conf", "SecRuleEngine On\n")
            .text("exclusions.conf", before(&[exclusion]))
            .text("rule.conf", "SecAction \"id:1,phase:1,deny,status:403\"\n")
            .build(&MemorySource::new())
            .unwrap();
        let mut transaction = rules.transaction(RequestOrigin {
            id: "1".to_owned(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        });
        transaction.request_line(b"GET", uri.as_bytes(), b"HTTP/1.1");
        transaction.request_headers() != Verdict::Pass
    }

    #[test]
    fn an_escaped_path_of_the_configuration_meets_the_decoded_one_of_a_request() {
        for (path, uri) in [
            ("/my%20page", "/my%20page"),
            ("/my%20page", "/m%79%20page?q"),
            ("/stra%C3%9Fe", "/stra%c3%9fe"),
            ("/100%25", "/100%25"),
            ("/a+b", "/a+b"),
        ] {
            assert!(!stops(PathMatch::Exact(path.to_owned()), uri), "{path} {uri}");
            assert!(!stops(PathMatch::Prefix(path.to_owned()), uri), "{path} {uri}");
        }
        assert!(stops(PathMatch::Exact("/my%20page".to_owned()), "/my%2520page"));
    }

    #[test]
    fn nothing_leaves_the_path_of_an_exclusion_by_a_back_door() {
        for (uri, stopped) in [
            ("/wp-admin", false),
            ("/wp-admin/a..b/c;v=1", false),
            ("/wp-administrator", true),
            ("/wp-admin/../search", true),
            ("/wp-admin/%2e%2e/search", true),
            ("/wp-admin/..;/search", true),
            ("/wp-admin/..%3bx=1/search", true),
            ("/wp-admin/..\\search", true),
            ("/wp-admin/..%5Csearch", true),
            ("/wp-admin/x\\../../search", true),
        ] {
            let path = PathMatch::Prefix("/wp-admin".to_owned());
            assert_eq!(stops(path, uri), stopped, "{uri}");
        }
    }
}
