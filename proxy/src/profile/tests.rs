//! Policies with the real CRS. Its text is no part of this repository: these tests run where
//! `PALISADE_CRS_FROM` names a release, and say so where it does not.

use super::*;
use crate::config::testing::config;
use crate::rules::{FROM_VARIABLE, Request, install};

/// Policies of the release; none without one.
fn profiles() -> Option<Profiles> {
    let Some(from) = std::env::var_os(FROM_VARIABLE) else {
        eprintln!("skipped, {FROM_VARIABLE} names no release");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let request = Request {
        dir: folder.path().join("crs"),
        from: Some(from.into()),
        force: false,
    };
    let profiles = Profiles::new();
    profiles.open(install(&request, &mut |_| ()).unwrap().rules);
    Some(profiles)
}

/// The verdict on a policy with each of these exclusions alone.
fn verdicts<'a>(exclusions: &[&'a str]) -> Option<Vec<(&'a str, Result<(), String>)>> {
    let profiles = profiles()?;
    let verdict = |exclusion: &&'a str| (*exclusion, verdict(&profiles, exclusion));
    Some(exclusions.iter().map(verdict).collect())
}

fn verdict(profiles: &Profiles, exclusion: &str) -> Result<(), String> {
    let policy = policy(&format!(
        "[[routes.waf.exclusions]]\nreason = \"a test\"\n{exclusion}"
    ));
    let result = profiles.get(&policy.profile, policy.mode);
    result.map(drop).map_err(|error| error.to_string())
}

fn policy(text: &str) -> crate::config::WafPolicy {
    let route = "[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\necho = true\n";
    config(&format!("{route}{text}")).routes[0].waf.clone()
}

#[test]
fn an_exclusion_that_takes_protection_away_at_one_place_is_refused() {
    let exclusions = [
        "rules = [\"900000-999999\"]",
        "rules = [\"900000-999999\"]\npath = \"/api\"",
        "rules = [\"900000-999999\"]\npath = { exact = \"/my%20page\" }",
        "rules = [\"900000-999999\"]\ntargets = [\"ARGS\"]\npath = \"/api\"",
        "rules = [\"900000-999999\"]\nmethods = [\"POST\"]",
        "rules = [\"900000-999999\"]\nmethods = [\"PUT\"]",
        "rules = [\"900000-999999\"]\nhosts = [\"app.example\"]",
        "rules = [\"942000-942999\"]\nhosts = [\"app.example\"]\npath = \"/api\"\nmethods = [\"GET\"]",
        "tags = [\"OWASP_CRS\"]\npath = \"/api\"",
    ];
    for (exclusion, verdict) in verdicts(&exclusions).unwrap_or_default() {
        let error = verdict.expect_err(exclusion);
        assert!(error.contains("known attack"), "{exclusion}: {error}");
    }
}

#[test]
fn narrow_exclusions_are_accepted() {
    let single = |id: u32| format!("rules = [{id}]\npath = \"/api\"");
    let ids = [
        920_100, 920_170, 920_230, 920_270, 920_271, 920_420, 930_100, 930_110, 930_120, 930_130, 931_100,
        931_130, 932_100, 932_105, 932_110, 932_115, 932_120, 932_130, 932_150, 932_160, 932_170, 932_230,
        932_235, 932_250, 932_260, 932_370, 933_100, 933_110, 933_120, 933_130, 933_140, 933_150, 933_160,
        933_170, 933_180, 933_210, 934_100, 934_110, 934_130, 941_100, 941_110, 941_120, 941_130, 941_140,
        941_160, 941_170, 941_180, 941_200, 941_210, 941_220, 941_230, 941_240, 941_390, 942_100, 942_140,
        942_151, 942_160, 942_170, 942_190, 942_220, 942_230, 942_240, 942_250, 942_270, 942_280, 942_290,
        942_320, 942_350, 942_360, 942_500, 942_540, 942_550, 943_100, 943_110, 943_120, 944_100, 944_110,
        944_120, 944_130, 944_151,
    ];
    let mut exclusions: Vec<String> = ids.into_iter().map(single).collect();
    exclusions.push("rules = [942100]\ntargets = [\"ARGS:comment\"]\npath = \"/api\"".to_owned());
    exclusions.push("rules = [\"930000-949999\"]\ntargets = [\"ARGS:comment\"]\npath = \"/api\"".to_owned());
    exclusions
        .push("tags = [\"attack-sqli\"]\ntargets = [\"ARGS:comment\"]\nmethods = [\"POST\"]".to_owned());
    let exclusions: Vec<&str> = exclusions.iter().map(String::as_str).collect();
    for (exclusion, verdict) in verdicts(&exclusions).unwrap_or_default() {
        let refused = verdict.err().filter(|error| !error.contains("no rule has an id"));
        assert_eq!(refused, None, "{exclusion}");
    }
}

/// Counts the requests of a client and refuses the third.
const COUNTING: &str = "SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.seen=+1\"\n\
    SecRule IP:seen \"@ge 3\" \"id:2,phase:1,deny,status:429\"\n";

#[test]
fn what_rules_remember_survives_a_reload() {
    let Some(profiles) = profiles() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counting.conf");
    let refused = |extra: &str| {
        std::fs::write(&file, format!("{COUNTING}{extra}")).unwrap();
        let mut policy = WafProfile::clone(&policy("").profile);
        policy.seclang_before = vec![file.clone()];
        let profile = profiles.get(&Arc::new(policy), WafMode::On).unwrap();
        let mut transaction = profile.rules().transaction(palisade_waf::RequestOrigin {
            id: "1".to_owned(),
            unix_micros: 1_000_000,
            utc_offset_seconds: 0,
        });
        transaction.connection(([192, 0, 2, 1], 1).into(), ([192, 0, 2, 2], 443).into());
        transaction.request_line(b"GET", b"/", b"HTTP/1.1");
        transaction.request_headers() != palisade_waf::Verdict::Pass
    };
    assert_eq!(["", "", "# changed\n"].map(refused), [false, false, true]);
}

#[test]
fn an_exclusion_that_names_no_rule_is_refused() {
    let exclusions = [
        "rules = [942999]",
        "rules = [942999]\ntargets = [\"ARGS:comment\"]",
        "rules = [942999]\npath = \"/api\"",
    ];
    for (exclusion, verdict) in verdicts(&exclusions).unwrap_or_default() {
        let error = verdict.expect_err(exclusion);
        assert!(error.contains("942999"), "{exclusion}: {error}");
    }
}
