//! What an operator is told about a mistake: where it is, what stands there, what would be right.

use palisade_tests::harness::{EdgeFiles, Route, TestEdge, run_binary, said};

/// A configuration that is right.
fn right() -> EdgeFiles {
    TestEdge::builder()
        .route(&Route::new("app").to(&"http://127.0.0.1:8000").unguarded())
        .route(&Route::new("blog").unguarded())
        .write()
}

/// The line, counted from 1, that holds `text`.
fn line_of(files: &EdgeFiles, text: &str) -> usize {
    let toml = std::fs::read_to_string(files.config()).unwrap();
    toml.lines()
        .position(|line| line.contains(text))
        .unwrap_or_else(|| panic!("no {text} in\n{toml}"))
        + 1
}

/// What to replace, by what, and what the message has to say beside the line of the mistake.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    (
        "grace = \"10s\"",
        "graec = \"10s\"",
        &["unknown", "graec", "did you mean `grace`"],
    ),
    ("[log]", "[lgo]", &["unknown", "lgo", "did you mean `log`"]),
    ("grace = \"10s\"", "grace = 10", &["grace", "10", "expected"]),
    (
        "grace = \"10s\"",
        "grace = \"10 parsecs\"",
        &["grace", "parsecs", "expected"],
    ),
    ("workers = 2", "workers = \"two\"", &["workers", "expected"]),
    ("workers = 2", "workers = -2", &["workers", "-2"]),
    (
        "level = \"info\"",
        "level = \"inof\"",
        &["level", "inof", "did you mean `\"info\"`"],
    ),
    (
        "format = \"json\"",
        "format = \"jsno\"",
        &["format", "jsno", "did you mean `\"json\"`"],
    ),
    (
        "https = [\"127.0.0.1:0\"]",
        "https = [\"localhost:0\"]",
        &["localhost:0", "127.0.0.1:0"],
    ),
    (
        "https = [\"127.0.0.1:0\"]",
        "https = [\"127.0.0.1\"]",
        &["127.0.0.1", "address"],
    ),
    ("admin = \"127.0.0.1:0\"", "admin = true", &["admin", "expected"]),
    ("name = \"app\"\n", "name = \"my app\"\n", &["name", "my app"]),
    ("name = \"blog\"\n", "name = \"app\"\n", &["app", "already"]),
    ("hosts = [\"app.test\"]", "host = [\"app.test\"]", &["hosts"]),
    (
        "hosts = [\"app.test\"]",
        "hosts = [\"app..test\"]",
        &["hosts", "app..test"],
    ),
    (
        "hosts = [\"app.test\"]",
        "hosts = [\"https://app.test/\"]",
        &["https://app.test/", "did you mean `\"app.test\"`"],
    ),
    ("hosts = [\"app.test\"]", "hosts = []", &["hosts", "empty"]),
    (
        "hosts = [\"blog.test\"]",
        "hosts = [\"APP.test\"]",
        &["app.test", "already"],
    ),
    (
        "backends = [\"http://127.0.0.1:8000\"]",
        "backends = [\"127.0.0.1:8000\"]",
        &["127.0.0.1:8000", "http://127.0.0.1:8000"],
    ),
    (
        "backends = [\"http://127.0.0.1:8000\"]",
        "backends = [\"ftp://127.0.0.1\"]",
        &["ftp"],
    ),
    (
        "backends = [\"http://127.0.0.1:8000\"]",
        "backends = [\"http://127.0.0.1:99999\"]",
        &["99999"],
    ),
    (
        "backends = [\"http://127.0.0.1:8000\"]",
        "backends = [\"http://127.0.0.1:8000\"]\necho = true",
        &["backends", "echo"],
    ),
    ("echo = true", "ehco = true", &["ehco", "echo"]),
    (
        "mode = \"off\"",
        "mode = \"On\"",
        &["mode", "On", "did you mean `\"on\"`"],
    ),
    ("mode = \"off\"", "paranoia_level = 5", &["paranoia_level", "5"]),
    (
        "mode = \"off\"",
        "paranoia_level = 2\ndetection_paranoia_level = 1",
        &["detection_paranoia_level"],
    ),
    (
        "mode = \"off\"",
        "request_body_limit = \"lots\"",
        &["request_body_limit", "lots"],
    ),
    (
        "mode = \"off\"",
        "seclang_after = [\"absent.conf\"]",
        &["absent.conf"],
    ),
    (
        "mode = \"off\"",
        "[[routes.waf.exclusions]]\nrules = [942100]",
        &["reason"],
    ),
    (
        "mode = \"off\"",
        "[[routes.waf.exclusions]]\nreason = \"x\"",
        &["rules"],
    ),
    (
        "mode = \"off\"",
        "[[routes.waf.exclusions]]\nrules = [942100]\ntargets = [\"AGRS:x\"]\nreason = \"x\"",
        &["AGRS:x", "did you mean `\"ARGS:x\"`"],
    ),
    ("wildcard.pem\"", "absent.pem\"", &["absent.pem", "No such file"]),
    ("[server]", "[server", &["TOML"]),
    ("workers = 2", "workers = 2\nworkers = 3", &["workers"]),
];

#[tokio::test]
async fn each_mistake_is_named_with_its_place() {
    let mut wrong = Vec::new();
    for (from, to, words) in MISTAKES {
        let files = right();
        let toml = std::fs::read_to_string(files.config()).unwrap();
        assert!(toml.contains(from), "{from:?} is not in\n{toml}");
        files.write("palisade.toml", &toml.replacen(from, to, 1));
        let config = files.config();
        let error = match palisade::app::App::build(&config) {
            Ok(_) => "(it starts)".to_owned(),
            Err(error) => error.to_string(),
        };
        let missing: Vec<_> = words.iter().filter(|word| !error.contains(**word)).collect();
        // `file:line:column: `, and never a bare message.
        let placed = error.lines().any(|line| {
            let rest = line
                .strip_prefix(&format!("{}:", config.display()))
                .unwrap_or_default();
            let mut numbers = rest
                .split(':')
                .map(|number| number.trim().parse::<usize>().is_ok());
            numbers.next() == Some(true) && numbers.next() == Some(true)
        });
        if !missing.is_empty() || !placed {
            wrong.push(format!(
                "{from:?} -> {to:?}: lacks {missing:?}, placed: {placed}\n{error}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn all_mistakes_of_all_files_are_named_at_once() {
    let files = TestEdge::builder()
        .include(
            "one",
            &Route::new("one").line("conect_timeout = \"1s\"").unguarded(),
        )
        .include("two", &Route::new("two").hosts(&["two test"]).unguarded())
        .route(&Route::new("app").unguarded())
        .write();
    files.edit("grace", "graec");
    files.edit("\"info\"", "\"inof\"");
    let error = palisade::app::App::build(&files.config())
        .err()
        .unwrap()
        .to_string();
    for (file, line, word) in [
        ("palisade.toml", line_of(&files, "graec"), "did you mean `grace`"),
        (
            "palisade.toml",
            line_of(&files, "inof"),
            "did you mean `\"info\"`",
        ),
        ("one.toml", 5, "did you mean `connect_timeout`"),
        ("two.toml", 3, "two test"),
    ] {
        let place = format!("{file}:{line}:");
        let named = error
            .lines()
            .any(|text| text.contains(&place) && text.contains(word));
        assert!(named, "{place} {word} is not in\n{error}");
    }
}

#[tokio::test]
async fn check_finds_the_same_and_does_nothing_else() {
    let files = right();
    let config = files.config().to_str().unwrap().to_owned();
    let output = run_binary(&["check", &config]).await;
    assert!(output.status.success(), "{}", said(&output));

    files.edit("grace", "graec");
    files.edit("name = \"blog\"", "name = \"app\"");
    let output = run_binary(&["check", &config]).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said = said(&output);
    for line in [line_of(&files, "graec"), line_of(&files, "name = \"app\"")] {
        assert!(said.contains("palisade.toml:"), "{line}: {said}");
    }
    assert!(
        said.contains("did you mean `grace`") && said.contains("already"),
        "{said}"
    );
    assert!(!files.access_log().path().exists(), "nothing was opened");
    assert!(!files.folder().join("data").exists(), "nothing was made");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let output = run_binary(&["check", "/nowhere/palisade.toml"]).await;
    assert!(!output.status.success());
    assert!(
        said(&output).contains("/nowhere/palisade.toml"),
        "{}",
        said(&output)
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let files = right();
    files.edit("http = [\"127.0.0.1:0\"]", &format!("http = [\"{address}\"]"));
    let error = palisade::app::App::build(&files.config())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains(&address), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_none_is_named() {
    let files = right();
    for (name, text, word) in [
        ("wildcard.pem", "not a certificate\n", "wildcard.pem"),
        ("wildcard.key", "not a key\n", "wildcard.key"),
    ] {
        let files = TestEdge::builder().route(&Route::new("app").unguarded()).write();
        files.write(name, text);
        let error = palisade::app::App::build(&files.config())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(word), "{error}");
    }
    // A key of another certificate.
    files.ca.issue(&["x.test"]).write(files.folder(), "other");
    std::fs::rename(
        files.folder().join("other.key"),
        files.folder().join("wildcard.key"),
    )
    .unwrap();
    let error = palisade::app::App::build(&files.config())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("wildcard"), "{error}");
}

#[cfg(not(feature = "coraza"))]
#[tokio::test]
async fn an_engine_that_is_not_in_this_build_is_named_with_the_way_to_get_it() {
    for key in ["engine", "shadow"] {
        let files = right();
        let wanted = format!("{key} = \"coraza\"");
        files.edit("mode = \"off\"", &wanted);
        let config = files.config().to_str().unwrap().to_owned();
        let output = run_binary(&["check", &config]).await;
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let place = format!("palisade.toml:{}:", line_of(&files, &wanted));
        for word in [place.as_str(), &wanted, "--features coraza", "Go and libclang"] {
            assert!(
                said(&output).contains(word),
                "{word} is not in\n{}",
                said(&output)
            );
        }
    }
}
