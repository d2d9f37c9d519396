//! `palisade status`: how the background services and the backends of a running edge stand.

use std::path::Path;

use serde_json::Value;

use super::{Failed, admin, output, say};

/// Tells each service's state; fails if one is in trouble, for scripts.
pub(super) fn run(config: &Path, json: bool) -> Result<(), Failed> {
    let body = admin::ask(config, "/status")?;
    if json {
        output::line(body.trim_end());
    }
    let status: Value = serde_json::from_str(&body)
        .map_err(|error| say(format!("the edge told something else than its status: {error}")))?;
    let services = status["services"].as_object().into_iter().flatten();
    let mut troubled = false;
    for (name, service) in services {
        troubled |= service["trouble"].is_string();
        if !json {
            output::line(&told(name, service));
        }
    }
    if !json {
        backends(&status["backends"])
            .iter()
            .for_each(|line| output::line(line));
    }
    if troubled {
        return Err(say("not all is as it should be: see above"));
    }
    if !json
        && status["services"]
            .as_object()
            .is_none_or(serde_json::Map::is_empty)
    {
        output::line("no background services: the configuration names no [[zones]]");
    }
    Ok(())
}

/// A line for each backend. One that is down is no reason to fail: the edge serves what it can.
fn backends(routes: &Value) -> Vec<String> {
    let routes = routes.as_object().into_iter().flatten();
    let line = |route: &str, backend: &Value| {
        let text = |key: &str| backend[key].as_str().unwrap_or_default().to_owned();
        let mut told = format!(
            "route {route}: {} {} {}",
            text("backend"),
            text("address"),
            text("state")
        );
        if let Some(count) = backend["in_flight"].as_u64().filter(|count| *count > 0) {
            told.push_str(&format!(", {count} in flight"));
        }
        if let Some(trouble) = backend["trouble"].as_str() {
            told.push_str(&format!(": {trouble}"));
        }
        told
    };
    let lines = routes.flat_map(|(route, backends)| {
        let backends = backends.as_array().into_iter().flatten();
        backends.map(move |backend| line(route, backend))
    });
    lines.collect()
}

fn told(name: &str, service: &Value) -> String {
    let text = |key: &str| service[key].as_str().unwrap_or("never").to_owned();
    let mut told = match service["trouble"].as_str() {
        None if service["last_round"].is_null() => format!("{name}: its first round has not ended yet"),
        None => format!(
            "{name}: ok since {}, next round {}",
            text("last_success"),
            text("next_round")
        ),
        Some(trouble) => format!(
            "{name}: TROUBLE ({}, {}, next round {})\n  {}",
            times(&service["failures"], "round"),
            // It is not known for longer than that.
            match service["last_success"].as_str() {
                Some(time) => format!("last success {time}"),
                None => "no success since the edge was started".to_owned(),
            },
            text("next_round"),
            trouble.replace('\n', "\n  ")
        ),
    };
    details(&service["detail"], 1, &mut told);
    told
}

/// One of them, or so many.
pub(super) fn times(count: &Value, what: &str) -> String {
    match count.as_u64() {
        Some(1) => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A service's own words, as an indented list.
fn details(value: &Value, depth: usize, told: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter().filter(|(_, value)| !is_nothing(value)) {
                told.push_str(&format!("\n{indent}{key}:"));
                inner(value, depth, told);
            }
        }
        Value::Array(items) => {
            for item in items.iter().filter(|item| !is_nothing(item)) {
                told.push_str(&format!("\n{indent}-"));
                inner(item, depth, told);
            }
        }
        _ => {}
    }
}

fn inner(value: &Value, depth: usize, told: &mut String) {
    match value {
        Value::Object(_) | Value::Array(_) => details(value, depth + 1, told),
        Value::String(text) if text.trim_end().contains('\n') => {
            let indent = format!("\n{}", "  ".repeat(depth + 1));
            text.lines().for_each(|line| {
                told.push_str(&indent);
                told.push_str(line);
            });
        }
        Value::String(text) => told.push_str(&format!(" {}", text.trim_end())),
        other => told.push_str(&format!(" {other}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_a_line() {
        let routes = serde_json::json!({"app": [
            {"backend": "http://a:80", "address": "10.0.0.5:80", "state": "up", "in_flight": 2, "trouble": null},
            {"backend": "http://b:80", "address": "10.0.0.6:80", "state": "down", "in_flight": 0, "trouble": "status 500"},
        ]});
        let expected = [
            "route app: http://a:80 10.0.0.5:80 up, 2 in flight",
            "route app: http://b:80 10.0.0.6:80 down: status 500",
        ];
        assert_eq!(backends(&routes), expected);
    }

    #[test]
    fn a_service_is_told_with_its_trouble_and_its_own_words() {
        let service = serde_json::json!({
            "last_round": "2026-11-27T07:00:00Z", "last_success": "2026-11-27T07:00:00Z",
            "next_round": "2026-11-27T07:05:00Z", "failures": 0, "trouble": null, "detail": {"zones": [{"name": "example.com", "records": 3, "notes": []}]},
        });
        let fine = "dns: ok since 2026-11-27T07:00:00Z, next round 2026-11-27T07:05:00Z\n  zones:\n    -\n      \
                    name: example.com\n      records: 3";
        assert_eq!(told("dns", &service), fine);
        let service = serde_json::json!({
            "failures": 2, "trouble": "the token is wrong\nmake a new one", "next_round": "2026-11-27T07:05:00Z",
        });
        let troubled = "dns: TROUBLE (2 rounds, no success since the edge was started, next round 2026-11-27T07:05:00Z)\n  the token is \
                        wrong\n  make a new one";
        assert_eq!(told("dns", &service), troubled);
        let service = serde_json::json!({
            "failures": 1, "trouble": "busy", "last_success": "2026-11-27T07:00:00Z", "next_round": "2026-11-27T07:05:00Z",
        });
        let once = "dns: TROUBLE (1 round, last success 2026-11-27T07:00:00Z, next round 2026-11-27T07:05:00Z)\n  busy";
        assert_eq!(told("dns", &service), once);
        let service = serde_json::json!({
            "last_round": "2026-11-27T07:00:00Z", "last_success": "2026-11-27T07:00:00Z",
            "next_round": "2026-11-27T07:05:00Z", "detail": {"plan": "example.com:\n  nothing to do\n"},
        });
        let plan = "\n  plan:\n    example.com:\n      nothing to do";
        assert!(told("dns", &service).ends_with(plan), "{}", told("dns", &service));
        let service = serde_json::json!({"last_round": null, "trouble": null, "failures": 0});
        assert_eq!(told("dns", &service), "dns: its first round has not ended yet");
    }
}
