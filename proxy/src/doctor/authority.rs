//! The CA: can it be reached, does it offer what is asked for, and does it have our time?

use std::time::Duration;

use reqwest::header::DATE;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Finding;
use crate::causes::Causes;
use crate::config::{Acme, Config};

/// Requests to a CA hold no time, but certificates that begin in our future are refused by clients and by us.
const SKEW: time::Duration = time::Duration::minutes(5);

const TIMEOUT: Duration = Duration::from_secs(15);

/// Nothing to look at where nothing is ordered.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    if config.zones.iter().all(|zone| zone.certificates.is_empty()) {
        return Vec::new();
    }
    let (directory, date) = match fetch(&config.acme).await {
        Ok(fetched) => fetched,
        Err(why) => {
            let mend = "look at [acme].directory and [acme].root, and whether this host may reach it (HTTPS)";
            return vec![Finding::bad("CA", why, mend)];
        }
    };
    let mut findings = vec![offers(&config.acme, &directory)];
    findings.extend(date.map(|date| clock(date, OffsetDateTime::now_utc())));
    findings
}

async fn fetch(acme: &Acme) -> Result<(Value, Option<OffsetDateTime>), String> {
    // RFC 8555, section 6.1: there must be a User-Agent.
    let mut client = reqwest::Client::builder()
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT);
    if let Some(root) = &acme.root {
        let pem = std::fs::read(root).map_err(|error| format!("{}: {error}", root.display()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem)
            .map_err(|error| format!("{}: {error}", root.display()))?;
        client = client.tls_certs_only(roots);
    }
    let client = client.build().map_err(|error| error.to_string())?;
    let failed = |error: reqwest::Error| format!("{}: {}", acme.directory, Causes(&error));
    let response = client.get(&acme.directory).send().await.map_err(failed)?;
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok());
    let status = response.status();
    let body = response.bytes().await.map_err(failed)?;
    match serde_json::from_slice::<Value>(&body) {
        Ok(directory) if directory["newOrder"].is_string() => Ok((directory, date)),
        _ => Err(format!(
            "{} (status {status}) is no ACME directory",
            acme.directory
        )),
    }
}

fn offers(acme: &Acme, directory: &Value) -> Finding {
    let meta = &directory["meta"];
    if meta["externalAccountRequired"] == true && acme.eab.is_none() {
        let mend = "get a key at the CA and set [acme].eab_kid and [acme].eab_key";
        return Finding::bad("CA", "it wants an external account binding", mend);
    }
    let profiles: Vec<&str> = meta["profiles"]
        .as_object()
        .map(|profiles| profiles.keys().map(String::as_str).collect())
        .unwrap_or_default();
    match &acme.profile {
        Some(profile) if !profiles.contains(&profile.as_str()) => {
            let mend = match profiles[..] {
                [] => "take [acme].profile out: this CA has none".to_owned(),
                _ => format!("set [acme].profile to one of {}", profiles.join(", ")),
            };
            Finding::bad("CA", format!("it has no profile {profile}"), mend)
        }
        _ => Finding::good("CA", acme.directory.clone()),
    }
}

fn clock(theirs: OffsetDateTime, ours: OffsetDateTime) -> Finding {
    let skew = ours - theirs;
    let seen = format!("{} s beside the CA's", skew.whole_seconds());
    match skew.abs() > SKEW {
        true => Finding::bad(
            "clock",
            seen,
            "let this host keep its time (NTP): certificates are not valid otherwise",
        ),
        false => Finding::good("clock", seen),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::testing::config;
    use crate::doctor::Verdict;

    fn acme(text: &str) -> Acme {
        let route = "[[routes]]\nname = \"a\"\nhosts = [\"a.example\"]\necho = true\n";
        config(&format!("[acme]\n{text}\n{route}")).acme
    }

    #[test]
    fn certificates_what_the_ca_does_not_offer_is_told_before_it_is_asked_for() {
        let directory = json!({"meta": {"profiles": {"classic": "", "shortlived": ""}}});
        let found = offers(&acme("profile = \"tiny\""), &directory);
        assert_eq!(found.verdict, Verdict::Bad);
        assert_eq!(
            found.mend.unwrap(),
            "set [acme].profile to one of classic, shortlived"
        );
        assert_eq!(
            offers(&acme("profile = \"classic\""), &directory).verdict,
            Verdict::Good
        );
        let binding = json!({"meta": {"externalAccountRequired": true}});
        assert_eq!(offers(&acme(""), &binding).verdict, Verdict::Bad);
        let bound = acme("eab_kid = \"k\"\neab_key = \"env:KEY\"");
        assert_eq!(offers(&bound, &binding).verdict, Verdict::Good);
    }

    #[test]
    fn certificates_a_clock_that_is_far_off_is_told() {
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(
            clock(now, now + time::Duration::minutes(4)).verdict,
            Verdict::Good
        );
        assert_eq!(clock(now, now - time::Duration::minutes(6)).verdict, Verdict::Bad);
    }
}
