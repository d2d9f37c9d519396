//! Policies compiled with the real rule set: exclusions do what they say and no more, and a policy that does not
//! protect is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use palisade::config::{ExcludedRules, Exclusion, HostPattern, PathMatch, WafEngine, WafMode, WafProfile};
use palisade::profile::{CanaryError, Profile, ProfileError, Profiles};
use palisade::rules::{InstalledRules, verify};
use palisade_tests::sources::repository;
use palisade_waf::{Completeness, RequestOrigin, Verdict};

const ON: WafMode = WafMode::On;

/// One set of profiles for all tests: they share compiled operators, as in an edge.
fn profiles() -> Option<&'static Profiles> {
    static PROFILES: OnceLock<Option<Profiles>> = OnceLock::new();
    let shared = PROFILES.get_or_init(|| {
        let profiles = Profiles::new();
        profiles.open(installed()?);
        Some(profiles)
    });
    if shared.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no rule set: run `make rules`");
        eprintln!("skipped: no rule set: run `make rules`");
    }
    shared.as_ref()
}

fn installed() -> Option<InstalledRules> {
    let named = std::env::var_os("PALISADE_TEST_RULES").map(PathBuf::from);
    verify(&named.unwrap_or_else(|| repository().join("data/crs"))).ok()
}

fn policy() -> WafProfile {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    WafProfile {
        engine: WafEngine::Palisade,
        shadow: None,
        paranoia_level: 1,
        detection_paranoia_level: 1,
        inbound_threshold: 5,
        outbound_threshold: 4,
        response_mime_types: texts(&["text/html"]),
        allowed_methods: texts(&["GET", "HEAD", "POST", "OPTIONS"]),
        allowed_content_types: texts(&[
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json",
        ]),
        argument_limit: 1000,
        recalled_requests: 3000,
        exclusions: Vec::new(),
        seclang_before: Vec::new(),
        seclang_after: Vec::new(),
    }
}

/// An exclusion of rule 942100 (libinjection) for nothing in particular.
fn exclusion() -> Exclusion {
    Exclusion {
        rules: ExcludedRules::Ids(vec![(942_100, 942_100)]),
        targets: Vec::new(),
        hosts: Vec::new(),
        path: None,
        methods: Vec::new(),
        reason: "a test".to_owned(),
    }
}

fn with(exclusions: Vec<Exclusion>) -> WafProfile {
    WafProfile {
        exclusions,
        ..policy()
    }
}

fn compile(profiles: &Profiles, policy: WafProfile) -> Result<Arc<Profile>, Arc<ProfileError>> {
    profiles.get(&Arc::new(policy), ON)
}

fn refusal(profiles: &Profiles, policy: WafProfile) -> String {
    match compile(profiles, policy) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("the policy was accepted"),
    }
}

/// The ids of the rules that match, and whether the request passes.
fn ask(profile: &Profile, method: &str, host: &str, uri: &str, form: &str) -> (Vec<u64>, bool) {
    let origin = RequestOrigin {
        id: "test".to_owned(),
        unix_micros: 0,
        utc_offset_seconds: 0,
    };
    let mut transaction = profile.rules().transaction(origin);
    transaction.connection(
        "192.0.2.7:4711".parse().unwrap(),
        "192.0.2.8:443".parse().unwrap(),
    );
    transaction.request_line(method.as_bytes(), uri.as_bytes(), b"HTTP/1.1");
    let length = form.len().to_string();
    for (name, value) in [
        ("Host", host),
        ("User-Agent", "Mozilla/5.0"),
        ("Accept", "*/*"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Length", length.as_str()),
    ] {
        if !form.is_empty() || !name.starts_with("Content") {
            transaction.add_request_header(name.as_bytes(), value.as_bytes());
        }
    }
    let first = transaction.request_headers();
    let body = Bytes::copy_from_slice(form.as_bytes());
    let passes =
        first == Verdict::Pass && transaction.request_body(body, Completeness::Complete) == Verdict::Pass;
    (
        transaction.matched_rules().iter().map(|rule| rule.id).collect(),
        passes,
    )
}

/// Only 942100 objects to this.
const QUOTED: &str = "1%27+OR+1%3D1";

fn sees_942100(profile: &Profile, method: &str, host: &str, uri: &str, form: &str) -> bool {
    ask(profile, method, host, uri, form).0.contains(&942_100)
}

#[test]
fn a_policy_blocks_and_passes() {
    let Some(profiles) = profiles() else { return };
    let profile = compile(profiles, policy()).unwrap();
    assert!(!ask(&profile, "GET", "a.example", &format!("/?q={QUOTED}"), "").1);
    assert!(ask(&profile, "GET", "a.example", "/?q=select+a+chair", "").1);
}

#[test]
fn every_paranoia_level_is_proven() {
    let Some(profiles) = profiles() else { return };
    for level in 1..=4 {
        let policy = WafProfile {
            paranoia_level: level,
            detection_paranoia_level: level,
            ..policy()
        };
        compile(profiles, policy).unwrap_or_else(|error| panic!("level {level}: {error}"));
    }
}

#[test]
fn usual_thresholds_are_proven_and_absurd_ones_are_refused() {
    let Some(profiles) = profiles() else { return };
    for threshold in [3, 5, 10, 20] {
        let policy = WafProfile {
            inbound_threshold: threshold,
            ..policy()
        };
        compile(profiles, policy).unwrap_or_else(|error| panic!("threshold {threshold}: {error}"));
    }
    let error = refusal(
        profiles,
        WafProfile {
            inbound_threshold: 10_000,
            ..policy()
        },
    );
    assert!(
        error.contains("the threshold is 10000") && error.contains("lower inbound_threshold"),
        "{error}"
    );
}

#[test]
fn an_exclusion_reaches_its_target_and_nothing_else() {
    let Some(profiles) = profiles() else { return };
    let narrow = Exclusion {
        targets: vec!["ARGS:comment".to_owned()],
        ..exclusion()
    };
    let profile = compile(profiles, with(vec![narrow])).unwrap();
    let asks = |form: &str| sees_942100(&profile, "POST", "a.example", "/x", form);
    assert!(!asks(&format!("comment={QUOTED}")));
    assert!(asks(&format!("other={QUOTED}")));
}

#[test]
fn conditions_hold_together() {
    let Some(profiles) = profiles() else { return };
    let conditional = Exclusion {
        hosts: vec![
            HostPattern::Exact("a.example".to_owned()),
            HostPattern::Wildcard("b.example".to_owned()),
        ],
        path: Some(PathMatch::Prefix("/wiki".to_owned())),
        methods: vec!["POST".to_owned(), "PUT".to_owned()],
        targets: vec!["ARGS:text".to_owned()],
        ..exclusion()
    };
    let profile = compile(profiles, with(vec![conditional])).unwrap();
    let form = format!("text={QUOTED}");
    for (method, host, path, excluded) in [
        ("POST", "a.example", "/wiki", true),
        ("POST", "a.example", "/wiki/Start", true),
        ("POST", "A.Example:443", "/wiki/Start", true),
        ("POST", "x.y.b.example", "/wiki/", true),
        ("PUT", "a.example", "/wiki/Start?oldid=3", true),
        ("POST", "a.example", "/wiki/../wiki/x", true),
        ("POST", "a.example", "/wikipedia", false),
        ("POST", "a.example", "/wiki/../admin", false),
        ("POST", "a.example", "/wiki/%2e%2e/admin", false),
        ("POST", "b.example", "/wiki", false),
        ("POST", "xb.example", "/wiki", false),
        ("POST", "a.example.net", "/wiki", false),
        ("PATCH", "a.example", "/wiki", false),
        ("POST", "a.example", "/", false),
    ] {
        let seen = sees_942100(&profile, method, host, path, &form);
        assert_eq!(seen, !excluded, "{method} {host}{path}");
    }
    assert!(sees_942100(
        &profile,
        "POST",
        "a.example",
        "/wiki",
        &format!("title={QUOTED}")
    ));
}

#[test]
fn a_path_beyond_ascii_is_met() {
    let Some(profiles) = profiles() else { return };
    let path = Some(PathMatch::Exact("/caf%C3%A9".to_owned()));
    let profile = compile(profiles, with(vec![Exclusion { path, ..exclusion() }])).unwrap();
    assert!(!sees_942100(
        &profile,
        "GET",
        "a.example",
        &format!("/caf%c3%a9?q={QUOTED}"),
        ""
    ));
    assert!(sees_942100(
        &profile,
        "GET",
        "a.example",
        &format!("/cafe?q={QUOTED}"),
        ""
    ));
}

#[test]
fn a_tag_means_the_whole_tag() {
    let Some(profiles) = profiles() else { return };
    let tagged = |tag: &str| Exclusion {
        rules: ExcludedRules::Tags(vec![tag.to_owned()]),
        targets: vec!["ARGS:q".to_owned()],
        ..exclusion()
    };
    let uri = format!("/query?q={QUOTED}");
    let whole = compile(profiles, with(vec![tagged("attack-sqli")])).unwrap();
    assert!(ask(&whole, "GET", "a.example", &uri, "").1);
    let part = compile(profiles, with(vec![tagged("attack-sql")])).unwrap();
    assert!(!ask(&part, "GET", "a.example", &uri, "").1);
}

#[test]
fn a_family_that_is_gone_everywhere_is_refused_with_the_exclusion_named() {
    let Some(profiles) = profiles() else { return };
    let everywhere = |rules: ExcludedRules| Exclusion {
        rules,
        reason: "the search is noisy".to_owned(),
        ..exclusion()
    };
    let ids = everywhere(ExcludedRules::Ids(vec![(942_000, 942_999)]));
    let tags = everywhere(ExcludedRules::Tags(vec!["attack-sqli".to_owned()]));
    let all_arguments = Exclusion {
        targets: vec!["ARGS".to_owned()],
        ..ids.clone()
    };
    let below_root = Exclusion {
        path: Some(PathMatch::Prefix("/".to_owned())),
        ..ids.clone()
    };
    let only_host = Exclusion {
        hosts: vec![HostPattern::Exact("a.example".to_owned())],
        ..ids.clone()
    };
    for exclusion in [ids, tags, all_arguments, below_root, only_host] {
        let error = refusal(profiles, with(vec![exclusion.clone()]));
        assert!(
            error.contains("SQL injection") && error.contains("\"the search is noisy\""),
            "{error}"
        );
        assert!(error.contains("targets"), "the remedy: {error}");
        if !exclusion.hosts.is_empty() {
            assert!(error.contains(" a.example/"), "{error}");
        }
    }
}

#[test]
fn a_family_may_be_gone_for_a_target_of_a_path() {
    let Some(profiles) = profiles() else { return };
    let exclusion = Exclusion {
        rules: ExcludedRules::Ids(vec![(942_000, 942_999)]),
        path: Some(PathMatch::Prefix("/phpmyadmin".to_owned())),
        targets: vec!["ARGS:sql_query".to_owned()],
        ..exclusion()
    };
    let profile = compile(profiles, with(vec![exclusion])).unwrap();
    let form = format!("sql_query={QUOTED}");
    assert!(ask(&profile, "POST", "a.example", "/phpmyadmin/sql", &form).1);
    assert!(!ask(&profile, "POST", "a.example", "/blog", &form).1);
}

#[test]
fn any_single_rule_may_be_gone_everywhere() {
    let Some(profiles) = profiles() else { return };
    // Those that real applications stumble over most.
    for rule in [942_100, 941_100, 932_235, 930_120, 933_210, 920_420, 921_130] {
        let rules = ExcludedRules::Ids(vec![(rule, rule)]);
        let policy = with(vec![Exclusion { rules, ..exclusion() }]);
        match compile(profiles, policy).err().as_deref() {
            // Not every release has them all.
            None | Some(ProfileError::UnknownRule { .. }) => {}
            Some(error) => panic!("without {rule}: {error}"),
        }
    }
}

#[test]
fn a_rule_that_does_not_exist_is_a_typing_error() {
    let Some(profiles) = profiles() else { return };
    let wrong = ExcludedRules::Ids(vec![(942_999, 942_999)]);
    let target = vec!["ARGS:x".to_owned()];
    for exclusion in [
        Exclusion {
            rules: wrong.clone(),
            ..exclusion()
        },
        Exclusion {
            rules: wrong.clone(),
            targets: target,
            ..exclusion()
        },
        Exclusion {
            rules: wrong,
            path: Some(PathMatch::Exact("/x".to_owned())),
            ..exclusion()
        },
    ] {
        let error = refusal(profiles, with(vec![exclusion]));
        assert!(error.contains("names 942999"), "{error}");
    }
    // Twice the same is clumsy, not wrong.
    compile(profiles, with(vec![exclusion(), exclusion()])).unwrap();
}

#[test]
fn a_route_that_takes_only_get_is_proven_too() {
    let Some(profiles) = profiles() else { return };
    let policy = WafProfile {
        allowed_methods: vec!["GET".to_owned(), "HEAD".to_owned()],
        allowed_content_types: Vec::new(),
        argument_limit: 10,
        recalled_requests: 0,
        ..policy()
    };
    compile(profiles, policy).unwrap();
}

#[test]
fn what_only_watches_must_see_attacks() {
    let Some(profiles) = profiles() else { return };
    let strict = WafProfile {
        paranoia_level: 4,
        detection_paranoia_level: 4,
        ..policy()
    };
    profiles.get(&Arc::new(strict), WafMode::DetectionOnly).unwrap();
    let blind = with(vec![Exclusion {
        rules: ExcludedRules::Ids(vec![(900_000, 999_999)]),
        ..exclusion()
    }]);
    let error = profiles
        .get(&Arc::new(blind), WafMode::DetectionOnly)
        .err()
        .unwrap();
    assert!(
        matches!(*error, ProfileError::Canary(CanaryError::AttackPasses(_))),
        "{error}"
    );
}

#[test]
fn equal_policies_are_compiled_once_and_files_are_read_again() {
    let Some(installed) = installed() else { return };
    let profiles = Profiles::new();
    profiles.open(installed);
    let folder = tempfile::tempdir().unwrap();
    let (words, rules) = (folder.path().join("words.data"), folder.path().join("own.conf"));
    fs::write(&words, "forbiddenword\n").unwrap();
    fs::write(
        &rules,
        "SecRule ARGS \"@pmFromFile words.data\" \"id:1000,phase:2,deny,status:451\"\n",
    )
    .unwrap();
    let policy = Arc::new(WafProfile {
        seclang_after: vec![rules],
        ..policy()
    });
    let first = profiles.get(&policy, ON).unwrap();
    let again = profiles.get(&Arc::new(WafProfile::clone(&policy)), ON).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert!(!ask(&first, "GET", "a.example", "/?q=forbiddenword", "").1);

    fs::write(&words, "anotherword\n").unwrap();
    let changed = profiles.get(&policy, ON).unwrap();
    assert!(!Arc::ptr_eq(&first, &changed));
    assert!(ask(&changed, "GET", "a.example", "/?q=forbiddenword", "").1);
    assert!(!ask(&changed, "GET", "a.example", "/?q=anotherword", "").1);
}

#[test]
fn seclang_files_reach_their_own_folder_only() {
    let Some(profiles) = profiles() else { return };
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("seclang");
    fs::create_dir(&inside).unwrap();
    fs::write(folder.path().join("secret.data"), "x\n").unwrap();
    let rules = inside.join("own.conf");
    for outside in ["../secret.data", "/etc/passwd"] {
        fs::write(
            &rules,
            format!("SecRule ARGS \"@pmFromFile {outside}\" \"id:1000,phase:2,deny\"\n"),
        )
        .unwrap();
        let error = refusal(
            profiles,
            WafProfile {
                seclang_before: vec![rules.clone()],
                ..policy()
            },
        );
        assert!(error.contains("outside of the folders"), "{error}");
        assert!(error.contains("own.conf:1"), "{error}");
    }
}

#[test]
fn an_operators_own_deny_rule_is_no_false_positive() {
    let Some(profiles) = profiles() else { return };
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("own.conf");
    fs::write(
        &rules,
        "SecRule REMOTE_ADDR \"!@ipMatch 10.0.0.0/8\" \"id:1000,phase:1,deny\"\n",
    )
    .unwrap();
    compile(
        profiles,
        WafProfile {
            seclang_before: vec![rules],
            ..policy()
        },
    )
    .unwrap();
}

#[test]
fn what_an_ordinary_page_asks_again_is_recalled_and_an_attack_is_not() {
    let Some(profiles) = profiles() else { return };
    let profile = compile(profiles, policy()).unwrap();
    let whole = |uri: &str, accept: &str| {
        let mut transaction = profile.rules().transaction(RequestOrigin {
            id: "id".to_owned(),
            unix_micros: 1_790_000_000_000_000,
            utc_offset_seconds: 0,
        });
        transaction.connection(
            "192.0.2.1:5000".parse().unwrap(),
            "192.0.2.2:443".parse().unwrap(),
        );
        transaction.request_line(b"GET", uri.as_bytes(), b"HTTP/1.1");
        for (name, value) in [("Host", "a.test"), ("User-Agent", "Firefox"), ("Accept", accept)] {
            transaction.add_request_header(name.as_bytes(), value.as_bytes());
        }
        let _ = transaction.request_headers();
        let _ = transaction.request_body(Bytes::new(), Completeness::Complete);
        transaction.logging();
        let score = transaction.tx_variable("blocking_inbound_anomaly_score");
        (
            transaction.is_recalled(),
            score,
            transaction.interruption().is_some(),
        )
    };
    let page = [
        ("/", "text/html"),
        ("/a.css", "text/css"),
        ("/b.png?v=2", "image/png"),
        ("/api/new?since=9", "*/*"),
    ];
    for round in 0..4 {
        for (uri, accept) in page {
            let score = Some(b"0".to_vec());
            assert_eq!(
                whole(uri, accept),
                (round > 1, score, false),
                "{uri}, round {round}"
            );
        }
        let (recalled, score, stopped) = whole("/?q=1'%20or%20'1'='1", "*/*");
        assert!(!recalled && stopped && score.unwrap() != b"0");
    }
}
