//! Request bodies: held until the verdict where the WAF looks, streamed where it does not.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use palisade_tests::harness::upstream::checksum;
use palisade_tests::harness::{
    Ask, Connection, Route, TestEdge, Upstream, Versions, crs_rules, eventually, polite, within, world,
};

const MIB: usize = 1 << 20;
const ATTACK: &str = "1' UNION SELECT login, password FROM users -- ";

/// Bytes that do not repeat soon and mean nothing.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}

/// A body as one request sends it, in pieces that the test lets go one by one.
fn pieces(receiver: tokio::sync::mpsc::Receiver<Bytes>) -> reqwest::Body {
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(Frame::data(piece)), receiver))
    });
    reqwest::Body::wrap(StreamBody::new(frames))
}

#[tokio::test]
async fn an_upload_of_100_mb_streams_where_the_waf_is_off() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    for versions in [Versions::Http1, Versions::Http2] {
        let seen = upstream.journal().body_bytes();
        let piece = Bytes::from(noise(MIB));
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let upload = edge
            .client_of(versions)
            .put("https://app.test/upload")
            .body(pieces(receiver));
        let upload = tokio::spawn(polite::send(upload));
        for number in 0..100 {
            within("the edge to take a piece", sender.send(piece.clone()))
                .await
                .unwrap();
            if number == 10 {
                // The first bytes are there while the last are not even sent.
                upstream.journal().await_body(seen + MIB as u64).await;
            }
        }
        drop(sender);
        let answer = within("the upload", upload).await.unwrap().expect(200).json();
        assert_eq!(answer["body_bytes"], 100 * MIB);
        assert_eq!(answer["body_sum"], checksum(&piece.repeat(100)));
    }
}

/// A multipart form with a file of `size` bytes, and a last field.
fn form_with_file(size: usize, last: &str) -> (Ask, Vec<u8>) {
    let boundary = "----WebKitFormBoundaryZ1yX2wV3uT4sR5q6";
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"holiday.mp4\"\r\n\
         Content-Type: video/mp4\r\n\r\n"
    )
    .into_bytes();
    body.extend(noise(size));
    body.extend(
        format!("\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n{last}\r\n--{boundary}--\r\n")
            .into_bytes(),
    );
    let ask = Ask::post(
        "/upload",
        &format!("multipart/form-data; boundary={boundary}"),
        &body,
    )
    .accept_json();
    (ask, body)
}

/// An edge whose WAF holds 16 MiB of a body.
async fn generous() -> Option<(TestEdge, Upstream)> {
    let rules = crs_rules()?;
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .waf("request_body_limit = \"16MiB\"");
    Some((TestEdge::with(Some(rules), &[route]).await, upstream))
}

#[tokio::test]
async fn no_byte_of_10_mb_reaches_the_upstream_before_the_verdict() {
    let Some((edge, upstream)) = generous().await else {
        return;
    };
    let (ask, body) = form_with_file(10 * MIB, "at the sea");
    let (last, most) = body.split_last().unwrap();
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(ask.head("app.test")).await.unwrap();
    connection.send(most).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((upstream.hits(), upstream.journal().connections()), (0, 0));

    connection.send([*last]).await.unwrap();
    let answer = connection.answer().await.unwrap().expect(200).json();
    assert_eq!(answer["body_bytes"], body.len());
    assert_eq!(answer["body_sum"], checksum(&body));
}

#[tokio::test]
async fn an_attack_in_the_last_kilobyte_of_10_mb_is_stopped() {
    let Some((edge, upstream)) = generous().await else {
        return;
    };
    let (ask, _) = form_with_file(10 * MIB, ATTACK);
    edge.ask("app.test", &ask).await.expect(403);
    edge.ask_h2("app.test", &ask).await.expect(403);

    let padding = "All work and no play makes Jack a dull boy. ".repeat(10 * MIB / 44);
    let form = Ask::form(
        "/save",
        format!(
            "text={}&id={}",
            padding.replace(' ', "+"),
            ATTACK.replace(' ', "+")
        ),
    );
    edge.ask("app.test", &form.accept_json()).await.expect(403);
    let json = Ask::json(
        "/save",
        serde_json::json!({"text": padding, "id": ATTACK}).to_string(),
    );
    edge.ask("app.test", &json.accept_json()).await.expect(403);
    assert_eq!(upstream.journal().connections(), 0);
}

#[tokio::test]
async fn a_body_past_the_limit_is_413_by_policy() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .waf("request_body_limit = \"64KiB\"");
    let edge = TestEdge::with(
        Some(rules),
        &[route.waf("request_body_limit_action = \"reject\"")],
    )
    .await;

    let (small, _) = form_with_file(60 * 1024, "fits");
    edge.ask("app.test", &small).await.expect(200);
    assert_eq!(upstream.hits(), 1);

    // Said in advance: refused before it is sent.
    let (large, body) = form_with_file(65 * 1024, "does not");
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(large.head("app.test")).await.unwrap();
    connection.answer().await.unwrap().expect(413);
    edge.ask_h2("app.test", &large).await.expect(413);

    // Not said: refused when it gets there.
    let answer = edge
        .ask("app.test", &chunked(&large, &body, 4096))
        .await
        .expect(413);
    assert_eq!(answer.json()["status"], 413);
    assert_eq!(upstream.hits(), 1);
}

#[tokio::test]
async fn a_body_past_the_limit_is_inspected_in_part_by_policy_and_marked() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .waf("request_body_limit = \"64KiB\"");
    let edge = TestEdge::with(
        Some(rules),
        &[route.waf("request_body_limit_action = \"inspect-partial\"")],
    )
    .await;

    let text = |length: usize| "word+".repeat(length / 5);
    // All of it arrives, whole and once.
    let body = format!("first=1&text={}&last=2", text(3 * MIB));
    for (target, ask) in [
        ("/long", Ask::form("/long", &body)),
        (
            "/chunked",
            chunked(&Ask::form("/chunked", ""), body.as_bytes(), 9000),
        ),
    ] {
        let answer = edge.ask("app.test", &ask).await.expect(200).json();
        assert_eq!(
            (&answer["body_bytes"], &answer["body_sum"]),
            (&body.len().into(), &checksum(body.as_bytes()).into())
        );
        let line = edge.accessed(target).await;
        assert_eq!(
            (&line["partly_inspected"], &line["waf"]),
            (&true.into(), &"passed".into()),
            "{line}"
        );
    }
    edge.metric_is("palisade_waf_partial_inspections_total{route=\"app\"}", 2.0)
        .await;

    // What is in the part that is inspected is found; what is beyond, is not: that is the policy.
    let early = format!("id={}&text={}", ATTACK.replace(' ', "+"), text(MIB));
    edge.ask("app.test", &Ask::form("/early", early))
        .await
        .expect(403);
    let late = format!("text={}&id={}", text(MIB), ATTACK.replace(' ', "+"));
    edge.ask("app.test", &Ask::form("/late", late)).await.expect(200);
    // A short one is inspected as a whole and is not marked.
    edge.ask("app.test", &Ask::form("/short", "a=b"))
        .await
        .expect(200);
    assert!(edge.accessed("/short").await["partly_inspected"].is_null());
}

/// The same request with its body in chunks of that size.
fn chunked(ask: &Ask, body: &[u8], size: usize) -> Ask {
    let mut coded = Vec::new();
    for chunk in body.chunks(size) {
        coded.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        coded.extend(chunk);
        coded.extend(b"\r\n");
    }
    coded.extend(b"0\r\n\r\n");
    ask.clone()
        .header("Transfer-Encoding", "chunked")
        .unmeasured(coded)
}

#[tokio::test]
async fn chunked_bodies_are_inspected_across_their_chunks() {
    let Some(world) = world() else { return };
    let body = "user=jane&note=nothing+to+see&id=7";
    let ordinary = chunked(&Ask::form("/save", ""), body.as_bytes(), 3);
    let answer = world.edge.ask("app.test", &ordinary).await.expect(200).json();
    assert_eq!(answer["body"], body);

    let attack = format!("user=jane&id={}", ATTACK.replace(' ', "+"));
    for size in [1, 7, 1000] {
        let ask = chunked(&Ask::form("/save", "").accept_json(), attack.as_bytes(), size);
        world.edge.ask("app.test", &ask).await.expect(403);
        assert!(!world.echo.saw(&ask.probe));
    }
}

#[tokio::test]
async fn bodies_over_http_2_are_inspected() {
    let Some(world) = world() else { return };
    let ordinary = Ask::form("/save", "user=jane&id=7");
    let answer = world.edge.ask_h2("app.test", &ordinary).await.expect(200);
    assert_eq!(answer.json()["body"], "user=jane&id=7");
    let attack = Ask::form("/save", format!("user=jane&id={}", ATTACK.replace(' ', "+"))).accept_json();
    world.edge.ask_h2("app.test", &attack).await.expect(403);
    assert!(!world.echo.saw(&attack.probe));
}

#[tokio::test]
async fn a_body_over_http_2_without_a_length_arrives_whole() {
    let Some(world) = world() else { return };
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let request = world
        .edge
        .client_of(Versions::Http2)
        .post("https://app.test/api")
        .body(pieces(receiver));
    let answer = tokio::spawn(polite::send(request.header("content-type", "application/json")));
    for piece in ["{\"a\":", "[1,2,", "3]}"] {
        sender.send(Bytes::from(piece)).await.unwrap();
    }
    drop(sender);
    assert_eq!(
        within("an answer", answer).await.unwrap().expect(200).json()["body"],
        "{\"a\":[1,2,3]}"
    );
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it() {
    let Some(world) = world() else { return };
    for host in ["app.test", "off.test"] {
        let mut connection = world.edge.connect(host).await.unwrap();
        let ask = Ask::form("/save", "a=b").header("Expect", "100-continue");
        connection.send(ask.head(host)).await.unwrap();
        assert_eq!(connection.head().await.unwrap().status, 100, "{host}");
        connection.send("a=b").await.unwrap();
        assert_eq!(
            connection.answer().await.unwrap().expect(200).json()["body"],
            "a=b"
        );
    }
}

#[tokio::test]
async fn an_attack_in_the_head_is_not_asked_for_its_body() {
    let Some(world) = world() else { return };
    let ask = Ask::form("/save", "a=b")
        .header("Expect", "100-continue")
        .header("User-Agent", "sqlmap/1.9");
    let mut connection = world.edge.connect("app.test").await.unwrap();
    connection.send(ask.accept_json().head("app.test")).await.unwrap();
    let status = connection.head().await.unwrap().status;
    // The CRS decides in phase 2: either at once, or after the body was let in.
    if status == 100 {
        connection.send("a=b").await.unwrap();
        connection.answer().await.unwrap().expect(403);
    } else {
        assert_eq!(status, 403);
    }
}

#[tokio::test]
async fn a_length_that_contradicts_itself_is_refused() {
    let Some(world) = world() else { return };
    let body = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";
    for (name, head) in [
        (
            "both framings",
            format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", body.len()),
        ),
        (
            "two lengths",
            "Content-Length: 5\r\nContent-Length: 6\r\n".to_owned(),
        ),
        ("a list of lengths", "Content-Length: 5, 6\r\n".to_owned()),
        ("a negative length", "Content-Length: -1\r\n".to_owned()),
        ("a signed length", "Content-Length: +5\r\n".to_owned()),
        (
            "chunked, not last",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        ),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n".to_owned()),
    ] {
        for host in ["app.test", "off.test"] {
            let probe = palisade_tests::harness::probe();
            let mut connection = world.edge.connect(host).await.unwrap();
            let head = format!(
                "POST / HTTP/1.1\r\nHost: {host}\r\nX-Probe: {probe}\r\n{head}Content-Type: text/plain\r\n\r\n"
            );
            connection.send(head + body).await.unwrap();
            let text = String::from_utf8_lossy(&connection.rest().await).into_owned();
            let refused = text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 501");
            // RFC 9112, section 6.3: with both framings chunked counts, one of them goes upstream, and the
            // connection ends, so that what follows is no request.
            let settled = world.echo.journal().find(&probe).is_some_and(|seen| {
                seen.header("transfer-encoding") == ["chunked"] && seen.header("content-length").is_empty()
            });
            let both = name == "both framings" && settled && text.matches("HTTP/1.1 ").count() == 1;
            assert!(refused || both, "{name} on {host}: {text}");
            assert!(!text.contains("smuggled"), "{name} on {host}: {text}");
            assert!(both || !world.echo.saw(&probe), "{name} on {host}");
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_its_body_reaches_nobody() {
    let Some(world) = world() else { return };
    let ask =
        Ask::form("/save", "a".repeat(100_000)).header("Content-Type", "application/x-www-form-urlencoded");
    let mut connection = world.edge.connect("app.test").await.unwrap();
    connection.send(ask.head("app.test")).await.unwrap();
    connection.send("a".repeat(50_000)).await.unwrap();
    drop(connection);
    let gone =
        |line: &serde_json::Value| line["path"] == "/save" && line["status"] != 200 && line["status"] != 403;
    world.edge.access_log().line("the request in the log", gone).await;
    assert!(!world.echo.saw(&ask.probe));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_in_time() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let builder = TestEdge::builder()
        .rules(rules)
        .listen("request_body_timeout = \"400ms\"");
    let edge = builder.route(&Route::new("app").to(&upstream)).start().await;
    let ask = Ask::form("/save", "a".repeat(1000)).accept_json();
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(ask.head("app.test")).await.unwrap();
    connection.send("a=").await.unwrap();
    connection.answer().await.unwrap().expect(408);
    assert_eq!(upstream.hits(), 0);
}

#[tokio::test]
async fn one_client_leaves_memory_for_the_bodies_of_others() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .rules(rules)
        .listen("trusted_proxies = [\"127.0.0.0/8\"]")
        .waf("body_memory = \"8MiB\"\nbody_memory_per_client = \"1MiB\"\nrequest_body_limit = \"4MiB\"")
        .route(&Route::new("app").to(&upstream))
        .start()
        .await;
    let ask = |client: &str, size: usize| {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(size));
        Ask::json("/", body).header("X-Forwarded-For", client)
    };
    // One that stays, with all of it but its end.
    let slow = ask("192.0.2.1", 900 << 10).bytes("app.test");
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(&slow[..slow.len() - 1]).await.unwrap();
    eventually("the body to be held", || async {
        let held = edge.metric("palisade_inspection_body_bytes").await;
        (held > 900_000.0).then_some(())
    })
    .await;
    edge.ask("app.test", &ask("192.0.2.1", 300 << 10))
        .await
        .expect(503);
    edge.ask("app.test", &ask("192.0.2.1", 10 << 10))
        .await
        .expect(200);
    edge.ask("app.test", &ask("192.0.2.2", 300 << 10))
        .await
        .expect(200);
    // A body that is alone may be as large as the route takes it.
    edge.ask("app.test", &ask("192.0.2.3", 2 << 20)).await.expect(200);
    connection.send(&slow[slow.len() - 1..]).await.unwrap();
    connection.answer().await.unwrap().expect(200);
}

#[tokio::test]
async fn the_memory_for_held_bodies_is_given_back() {
    let Some((edge, _upstream)) = generous().await else {
        return;
    };
    let (ask, _) = form_with_file(2 * MIB, "one of several");
    for _ in 0..3 {
        edge.ask("app.test", &ask).await.expect(200);
    }
    eventually("held bodies to be let go", || async {
        (edge.metric("palisade_inspection_body_bytes").await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_requests_on_one_connection_are_two_requests() {
    let Some(world) = world() else { return };
    let mut connection: Connection = world.edge.connect("app.test").await.unwrap();
    let first = "POST /one HTTP/1.1\r\nHost: app.test\r\nUser-Agent: a\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let second = "GET /two?id=1%27%20union%20select%20password%20from%20users-- HTTP/1.1\r\nHost: app.test\r\nAccept: */*\r\n\r\n";
    connection.send(format!("{first}{second}")).await.unwrap();
    assert_eq!(
        connection.answer().await.unwrap().expect(200).json()["uri"],
        "/one"
    );
    // A server may end a connection on which a client did not wait; the client asks again.
    if let Ok(answer) = connection.answer().await {
        answer.expect(403);
    }
    assert!(
        !world
            .echo
            .journal()
            .requests()
            .iter()
            .any(|seen| seen.uri.starts_with("/two"))
    );
}

#[tokio::test]
async fn large_json_and_large_forms_pass_too() {
    let Some((edge, upstream)) = generous().await else {
        return;
    };
    let prose = "All work and no play makes Jack a dull boy. ".repeat(10 * MIB / 44);
    let form = format!("text={}&page=7", prose.replace(' ', "+"));
    let json = serde_json::json!({"text": prose, "page": 7}).to_string();
    for (name, ask) in [
        ("a form", Ask::form("/save", &form)),
        ("JSON", Ask::json("/save", &json)),
    ] {
        let answer = edge.ask("app.test", &ask.clone().accept_json()).await;
        assert_eq!(answer.status, 200, "{name}: {}", edge.audit_log().text());
        let (length, sum) = (
            ask.body.as_ref().unwrap().len(),
            checksum(ask.body.as_ref().unwrap()),
        );
        assert_eq!(
            (&answer.json()["body_bytes"], &answer.json()["body_sum"]),
            (&length.into(), &sum.into())
        );
    }
    assert_eq!(upstream.hits(), 2);
}

#[tokio::test]
async fn more_arguments_than_the_route_takes_are_refused() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let many = Route::new("many").to(&upstream).waf("argument_limit = 3000");
    let edge = TestEdge::with(Some(rules), &[Route::new("app").to(&upstream), many]).await;
    let json =
        |count: usize| Ask::json("/save", serde_json::json!(vec!["x"; count]).to_string()).accept_json();
    edge.ask("app.test", &json(900)).await.expect(200);
    edge.ask("app.test", &json(2000)).await.expect(400);
    edge.ask("many.test", &json(2000)).await.expect(200);
    edge.ask("many.test", &json(4000)).await.expect(400);
    // Nothing hides behind the limit.
    let mut values = vec!["x"; 2000];
    values.push(ATTACK);
    let hidden = Ask::json("/save", serde_json::json!(values).to_string()).accept_json();
    for host in ["app.test", "many.test"] {
        let status = edge.ask(host, &hidden).await.status;
        assert!(matches!(status, 400 | 403), "{host}: {status}");
    }
    assert_eq!(upstream.hits(), 2);
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_refused() {
    let Some(world) = world() else { return };
    for (name, ask) in [
        ("half of JSON", Ask::json("/api", r#"{"a": [1, 2"#)),
        ("JSON and more", Ask::json("/api", r#"{"a": 1} {"b": 2}"#)),
        ("XML that is not closed", Ask::xml("/api", "<a><b></a>")),
        ("multipart without an end", {
            let ask = Ask::multipart("/api", &[("name=\"a\"", "b")]);
            let body = ask.body.clone().unwrap();
            ask.body(&body[..body.len() - 10])
        }),
        (
            "multipart without a boundary",
            Ask::post("/api", "multipart/form-data", "a=b"),
        ),
    ] {
        let status = world
            .edge
            .ask("app.test", &ask.clone().accept_json())
            .await
            .status;
        assert!(matches!(status, 400 | 403), "{name}: {status}");
        assert!(!world.echo.saw(&ask.probe), "{name}");
    }
}
