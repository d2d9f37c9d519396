//! Attacks of every family through the live edge: refused, explained in the audit log, never seen upstream.

use palisade_tests::harness::{Answer, Ask, Tls, Versions, World, polite, world};
use serde_json::Value;

use crate::attacks::{self, Attack};

/// The ids of the rules that an audit record names.
pub(crate) fn rules_of(record: &Value) -> Vec<u64> {
    let rules = record["transaction"]["rules"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    rules.iter().filter_map(|rule| rule["id"].as_u64()).collect()
}

/// The audit log's record of a refusal that was answered in JSON.
async fn record_of(world: &World, answer: &Answer) -> Value {
    let id = answer.incident();
    world
        .edge
        .audit_log()
        .line(&format!("incident {id}"), |line| line["id"] == id.as_str())
        .await
}

/// Each of `attacks` is answered 403 over http/1.1, by a rule of the family, and arrives nowhere.
async fn are_stopped(family: u64, attacks: Vec<Attack>) {
    let Some(world) = world() else { return };
    let mut wrong = Vec::new();
    for (name, ask) in attacks {
        let accept = if ask.headers.iter().any(|(_, value)| value == b"text/html;${jndi}") {
            ask
        } else {
            ask.accept_json()
        };
        let ask = accept;
        let answer = world.edge.ask("app.test", &ask).await;
        if answer.status != 403 {
            wrong.push(format!("{name}: {}", answer.status));
            continue;
        }
        assert!(!world.echo.saw(&ask.probe), "{name} reached the upstream");
        if answer.header("content-type") != Some("application/json") {
            continue;
        }
        let rules = rules_of(&record_of(world, &answer).await);
        if !rules.iter().any(|rule| rule / 1000 == family) {
            wrong.push(format!("{name}: stopped by {rules:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn methods_that_nobody_allowed_are_refused() {
    are_stopped(911, attacks::methods()).await;
}

#[tokio::test]
async fn scanners_are_refused() {
    are_stopped(913, attacks::scanners()).await;
}

#[tokio::test]
async fn bent_protocol_is_refused() {
    are_stopped(920, attacks::protocol()).await;
}

#[tokio::test]
async fn requests_within_requests_are_refused() {
    are_stopped(921, attacks::smuggling()).await;
}

#[tokio::test]
async fn deceitful_multipart_headers_are_refused() {
    are_stopped(922, attacks::multipart()).await;
}

#[tokio::test]
async fn local_files_are_out_of_reach() {
    are_stopped(930, attacks::local_files()).await;
}

#[tokio::test]
async fn code_from_elsewhere_is_refused() {
    are_stopped(931, attacks::remote_files()).await;
}

#[tokio::test]
async fn shell_commands_are_refused() {
    are_stopped(932, attacks::commands()).await;
}

#[tokio::test]
async fn php_code_is_refused() {
    are_stopped(933, attacks::php()).await;
}

#[tokio::test]
async fn code_of_other_languages_is_refused() {
    are_stopped(934, attacks::generic()).await;
}

#[tokio::test]
async fn scripts_for_other_browsers_are_refused() {
    are_stopped(941, attacks::scripts()).await;
}

#[tokio::test]
async fn sql_is_refused() {
    are_stopped(942, attacks::sql()).await;
}

#[tokio::test]
async fn planted_sessions_are_refused() {
    are_stopped(943, attacks::sessions()).await;
}

#[tokio::test]
async fn java_is_refused() {
    are_stopped(944, attacks::java()).await;
}

#[tokio::test]
async fn disguises_do_not_help() {
    let Some(world) = world() else { return };
    let mut wrong = Vec::new();
    for (name, ask) in attacks::disguised() {
        let status = world.edge.ask("app.test", &ask).await.status;
        // Malformed and therefore refused is as good as recognised.
        if !matches!(status, 400 | 403) || world.echo.saw(&ask.probe) {
            wrong.push(format!("{name}: {status}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_same_attacks_are_stopped_over_http_2() {
    let Some(world) = world() else { return };
    let client = world.edge.client_of(Versions::Http2);
    let families = [
        attacks::disguised(),
        attacks::scripts(),
        attacks::sql(),
        attacks::commands(),
        attacks::java(),
        attacks::local_files(),
    ];
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (name, ask) in families.into_iter().flatten() {
        // What a URL of reqwest's would change on its way is sent by hand elsewhere.
        let literal = ask
            .target
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/?&=%.-_".contains(byte));
        if !literal {
            continue;
        }
        tried += 1;
        let answer = polite::send(polite::request(&client, "app.test", &ask)).await;
        if !matches!(answer.status, 400 | 403) || world.echo.saw(&ask.probe) {
            wrong.push(format!("{name}: {}", answer.status));
        }
    }
    assert!(tried > 40, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_attack_in_any_request_of_a_connection_is_stopped() {
    let Some(world) = world() else { return };
    let client = world.edge.client_of(Versions::Http2);
    for round in 0..5 {
        let good = Ask::get(format!("/page/{round}"));
        polite::send(polite::request(&client, "app.test", &good))
            .await
            .expect(200);
        let bad = Ask::get("/page?id=1%27%20or%20%271%27%3D%271");
        polite::send(polite::request(&client, "app.test", &bad))
            .await
            .expect(403);
        assert!(world.echo.saw(&good.probe) && !world.echo.saw(&bad.probe));
    }
}

#[tokio::test]
async fn a_person_gets_a_page_and_a_program_gets_json_and_neither_learns_how() {
    let Some(world) = world() else { return };
    let attack = Ask::get("/item?id=7'%20OR%20'x'='x'--%20&q=%3Cscript%3Ealert(1)%3C/script%3E");
    for (accept, content_type) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
    ] {
        let answer = world
            .edge
            .ask("app.test", &attack.clone().header("Accept", accept))
            .await
            .expect(403);
        assert!(
            answer.header("content-type").unwrap().starts_with(content_type),
            "{accept}: {:?}",
            answer.headers
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let text = answer.text();
        let words = text.split(|character: char| !character.is_ascii_hexdigit());
        let ids: Vec<&str> = words.filter(|word| word.len() >= 16).collect();
        let [id] = ids[..] else {
            panic!("one incident id in {text}")
        };
        let headers = answer.headers.iter().filter(|(name, _)| name != "date");
        let whole = format!("{:?} {text}", headers.collect::<Vec<_>>());
        // The incident's number says nothing; its digits may spell anything.
        let whole = whole.replace(id, "").to_lowercase();
        for detail in [
            "942", "941", "949", "sql", "xss", "rule", "score", "anomaly", "owasp", "crs", "alert(1)",
            "palisade", "pingora",
        ] {
            assert!(!whole.contains(detail), "{detail} in {whole}");
        }
        world
            .edge
            .audit_log()
            .line("the incident", |line| line["id"] == id)
            .await;
    }
}

#[tokio::test]
async fn head_gets_the_refusal_without_a_body() {
    let Some(world) = world() else { return };
    let mut connection = world.edge.connect("app.test").await.unwrap();
    let ask = Ask::new("HEAD", "/item?id=7'%20OR%20'x'='x'--%20");
    connection.send(ask.bytes("app.test")).await.unwrap();
    let text = String::from_utf8(connection.rest().await).unwrap();
    assert!(text.starts_with("HTTP/1.1 403"), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn the_audit_record_says_what_happened_and_keeps_secrets() {
    let Some(world) = world() else { return };
    let ask = Ask::form(
        "/login?token=t0psecret-in-query&id=7",
        "user=x'+or+'1'%3d'1'--+&password=hunter2-in-form&note=fine",
    )
    .header("Authorization", "Bearer s3cret-in-header")
    .header("Cookie", "session=s3cret-in-cookie; theme=dark")
    .header("X-Api-Key", "s3cret-api-key")
    .accept_json();
    let answer = world.edge.ask("app.test", &ask).await.expect(403);
    let record = record_of(world, &answer).await;
    assert_eq!(record["route"], "app");
    assert_eq!(record["host"], "app.test");
    assert_eq!(record["method"], "POST");
    assert_eq!(record["status"], 403);
    assert_eq!(record["outcome"], "blocked");
    assert!(record["client"].as_str().unwrap().starts_with("127.0.0.1"));
    assert!(record["score"].as_u64().unwrap() >= 5, "{record}");
    assert!(rules_of(&record).contains(&942_100), "{record}");
    let text = record.to_string();
    assert!(text.contains("ARGS") && text.contains("user"), "{text}");
    assert!(text.contains("Firefox"), "request headers are in it: {text}");
    for secret in [
        "t0psecret-in-query",
        "hunter2-in-form",
        "s3cret-in-header",
        "s3cret-in-cookie",
        "s3cret-api-key",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let all = world.edge.access_log().text();
    assert!(!all.contains("t0psecret"), "the access log has no queries");
}

#[tokio::test]
async fn a_password_that_is_an_attack_is_masked_too() {
    let Some(world) = world() else { return };
    let ask = Ask::form(
        "/login",
        "user=jane&password=x'+or+'1'%3d'1'+union+select+hunter2--+",
    )
    .accept_json();
    let answer = world.edge.ask("app.test", &ask).await.expect(403);
    let record = record_of(world, &answer).await;
    assert!(!record.to_string().contains("hunter2"), "{record}");
}

#[tokio::test]
async fn secrets_in_json_and_multipart_are_masked() {
    let Some(world) = world() else { return };
    let json = r#"{"user":"x' OR '1'='1' -- ","password":"hunter2","token":"hunter3","nested":{"api_key":"hunter4"}}"#;
    let parts = [
        ("name=\"user\"", "x' OR '1'='1' -- "),
        ("name=\"passwd\"", "hunter5"),
    ];
    for ask in [Ask::json("/login", json), Ask::multipart("/login", &parts)] {
        let answer = world.edge.ask("app.test", &ask.accept_json()).await.expect(403);
        let record = record_of(world, &answer).await;
        assert!(!record.to_string().contains("hunter"), "{record}");
    }
}

#[tokio::test]
async fn hostile_bytes_get_an_answer_or_a_closed_connection() {
    let Some(world) = world() else { return };
    let long = "a".repeat(200_000);
    let requests: Vec<(&str, Vec<u8>)> = vec![
        ("no HTTP", b"\x00\x01\x02\x03\r\n\r\n".to_vec()),
        (
            "an HTTP/2 preface on h1",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        ),
        ("HTTP/0.9", b"GET /\r\n\r\n".to_vec()),
        ("HTTP/4.0", b"GET / HTTP/4.0\r\nHost: app.test\r\n\r\n".to_vec()),
        (
            "a space in a header's name",
            b"GET / HTTP/1.1\r\nHost: app.test\r\nX Y: 1\r\n\r\n".to_vec(),
        ),
        (
            "a header without a colon",
            b"GET / HTTP/1.1\r\nHost: app.test\r\nnonsense\r\n\r\n".to_vec(),
        ),
        (
            "a null byte in a header",
            b"GET / HTTP/1.1\r\nHost: app.test\r\nX: a\0b\r\n\r\n".to_vec(),
        ),
        (
            "a folded header",
            b"GET / HTTP/1.1\r\nHost: app.test\r\nX: a\r\n b\r\n\r\n".to_vec(),
        ),
        (
            "two hosts",
            b"GET / HTTP/1.1\r\nHost: app.test\r\nHost: off.test\r\n\r\n".to_vec(),
        ),
        (
            "a target without a slash",
            b"GET app HTTP/1.1\r\nHost: app.test\r\n\r\n".to_vec(),
        ),
        (
            "a target for a proxy",
            b"GET http://off.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n".to_vec(),
        ),
        (
            "CONNECT",
            b"CONNECT app.test:443 HTTP/1.1\r\nHost: app.test\r\n\r\n".to_vec(),
        ),
        (
            "a very long target",
            format!("GET /{long} HTTP/1.1\r\nHost: app.test\r\n\r\n").into_bytes(),
        ),
        (
            "a very long header",
            format!("GET / HTTP/1.1\r\nHost: app.test\r\nX: {long}\r\n\r\n").into_bytes(),
        ),
        (
            "bytes beyond ASCII",
            b"GET /\xff\xfe?\xc3\x28=\x80 HTTP/1.1\r\nHost: app.test\r\n\r\n".to_vec(),
        ),
    ];
    for (name, bytes) in requests {
        let probe = palisade_tests::harness::probe();
        let marked = String::from_utf8_lossy(&bytes).contains("Host");
        let mut connection = world.edge.connect("app.test").await.unwrap();
        let mut bytes = bytes;
        if marked {
            bytes.truncate(bytes.len() - 2);
            bytes.extend(format!("X-Probe: {probe}\r\nConnection: close\r\n\r\n").into_bytes());
        }
        connection.send(bytes).await.ok();
        let answer = connection.rest().await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let refused = text.is_empty()
            || text.starts_with("HTTP/1.1 4")
            || text.starts_with("HTTP/1.0 4")
            || text.starts_with("HTTP/1.1 50");
        let harmless = [
            "a folded header",
            "bytes beyond ASCII",
            "a header without a colon",
            "a target for a proxy",
            "a very long header",
        ]
        .contains(&name);
        assert!(refused || harmless, "{name}: {text}");
        assert!(!text.starts_with("HTTP/1.1 500"), "{name}: {text}");
    }
    // It still serves.
    world.edge.ask("app.test", &Ask::get("/")).await.expect(200);
}

#[tokio::test]
async fn what_host_says_is_what_the_waf_and_the_routes_see() {
    let Some(world) = world() else { return };
    // A client that shows one name in the handshake and another in the request gets the latter's policy.
    let attack = Ask::get("/?id=1'%20or%20'1'='1'--%20").header("Host", "app.test");
    let mut connection =
        palisade_tests::harness::Connection::tls(world.edge.https(), "off.test", &Tls::default())
            .await
            .unwrap();
    connection.send(attack.bytes("app.test")).await.unwrap();
    let status = connection.answer().await.unwrap().status;
    assert!(matches!(status, 403 | 421), "{status}");
    assert!(!world.echo.saw(&attack.probe));
}

#[tokio::test]
async fn many_requests_at_once_on_one_connection_are_judged_one_by_one() {
    let Some(world) = world() else { return };
    let client = world.edge.client_of(Versions::Http2);
    polite::send(polite::request(&client, "app.test", &Ask::get("/")))
        .await
        .expect(200);
    let requests = (0..60).map(|number| {
        let bad = number % 3 == 0;
        let ask = if bad {
            Ask::form(
                "/save",
                format!("n={number}&id=1'+union+select+password+from+users--+"),
            )
        } else {
            Ask::form("/save", format!("n={number}&id=7"))
        };
        let request = polite::request(&client, "app.test", &ask);
        async move { (bad, ask, polite::send(request).await) }
    });
    for (bad, ask, answer) in futures_util::future::join_all(requests).await {
        assert_eq!(answer.status, if bad { 403 } else { 200 });
        assert_eq!(world.echo.saw(&ask.probe), !bad);
        if !bad {
            assert_eq!(
                answer.json()["body"].as_str().unwrap().as_bytes(),
                ask.body.unwrap()
            );
        }
    }
}
