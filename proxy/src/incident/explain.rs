//! An incident in plain words.

use std::fmt::Write;

use palisade_waf::audit::AuditRule;

use super::exclusion::{Advice, advise, threshold};
use super::record::{Incident, level, points};

/// Lines of matched values longer than this are cut: the audit log has the rest.
const SHOWN: usize = 160;

/// The explanation, for a terminal.
pub fn explain(incident: &Incident) -> String {
    let mut text = String::new();
    summary(&mut text, incident);
    findings(&mut text, incident);
    remedy(&mut text, incident);
    text
}

fn summary(text: &mut String, incident: &Incident) {
    let facts = &incident.facts;
    let what = match facts.outcome.as_str() {
        "blocked" => format!("was answered with {}", facts.status),
        "detected" => "would have been stopped; the route only watches (detection-only)".to_owned(),
        _ => format!(
            "met a failure of the engine and was answered with {}",
            facts.status
        ),
    };
    let side = if incident.is_of_response() {
        "the application's answer"
    } else {
        "the request"
    };
    let _ = writeln!(text, "Incident {}: {side} {what}\n", facts.id);
    let _ = writeln!(text, "  when     {}", facts.time);
    let _ = writeln!(text, "  client   {}", printable(&facts.client));
    let _ = writeln!(
        text,
        "  request  {} https://{}{}",
        printable(&facts.method),
        printable(&facts.host),
        printable(&facts.path)
    );
    let _ = writeln!(text, "  route    {}", facts.route);
    let _ = writeln!(
        text,
        "  score    {}; from {} up it is stopped (paranoia level {})",
        score(incident),
        threshold(incident),
        facts.paranoia_level
    );
    if facts.partly_inspected {
        let _ = writeln!(
            text,
            "  note     the body was inspected only up to the route's limit"
        );
    }
}

fn score(incident: &Incident) -> u32 {
    if !incident.is_of_response() {
        return incident.facts.score;
    }
    let outbound = incident.transaction.scores.get("blocking_outbound_anomaly_score");
    outbound
        .and_then(|score| u32::try_from(*score).ok())
        .unwrap_or_default()
}

fn findings(text: &mut String, incident: &Incident) {
    let mut any = false;
    for rule in incident.findings() {
        if !any {
            let _ = writeln!(text, "\nWhat was found");
            any = true;
        }
        finding(text, rule);
    }
}

fn finding(text: &mut String, rule: &AuditRule) {
    let level = level(rule).map_or_else(String::new, |level| format!(", level {level}"));
    let _ = writeln!(
        text,
        "  {}  {} ({} points{level})",
        rule.id,
        printable(&rule.msg),
        points(rule)
    );
    for variable in &rule.variables {
        let name = match &variable.key {
            Some(key) if !key.is_empty() => format!("{}:{key}", variable.variable),
            _ => variable.variable.clone(),
        };
        let _ = writeln!(
            text,
            "          in {} = {}",
            printable(&name),
            shortened(&variable.value)
        );
    }
}

fn remedy(text: &mut String, incident: &Incident) {
    match advise(incident) {
        Advice::EngineFailed => {
            text.push_str(
                "\nThe engine itself failed on this request: that is a bug. Nothing needs to be excluded.\n",
            );
        }
        Advice::NotScored { reason } => {
            let _ = writeln!(
                text,
                "\nIt was stopped for its form, not for what it says: {}",
                printable(&reason)
            );
            text.push_str("No exclusion lets it pass safely; the client has to send it differently.\n");
        }
        Advice::Exclude {
            toml,
            remaining,
            whole_rules,
        } => {
            let facts = &incident.facts;
            let _ = writeln!(
                text,
                "\nIf this is legitimate, put this behind the table of route {:?} in its file; it is the narrowest\n\
                 exclusion that lets this request pass. The score that is left is {remaining}.\n",
                facts.route
            );
            text.push_str(&toml);
            for rule in whole_rules {
                let _ = writeln!(
                    text,
                    "Rule {rule} looks at the request as a whole: for this path it can only be switched off altogether."
                );
            }
        }
    }
}

fn shortened(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN).collect();
    if shown.len() < value.len() {
        shown.push_str(" ...");
    }
    format!("\"{}\"", printable(&shown))
}

/// What an attacker sent never reaches a terminal as control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
