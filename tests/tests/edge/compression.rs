//! Answers that get shorter on their way.

use std::io::Read;

use palisade_tests::harness::upstream::{Body, Journal, full};
use palisade_tests::harness::{
    Answer, Ask, Route, SQL_ERROR_PAGE, TestEdge, Upstream, Versions, crs_rules, polite, within,
};

const BOTH: [Versions; 2] = [Versions::Http1, Versions::Http2];

fn page() -> String {
    "<p>nothing special</p>".repeat(2000)
}

/// What a page looks like is asked for by its path: `/status`, and more of its head in `x-answer`.
async fn pages() -> Upstream {
    Upstream::serve(|request, journal: Journal| async move {
        let (parts, _) = request.into_parts();
        journal.request(&parts);
        let status: u16 = parts.uri.path()[1..].parse().unwrap_or(200);
        let mut answer = hyper::Response::builder()
            .status(status)
            .header("content-type", "text/html")
            .header("etag", "\"v1\"")
            .header("accept-ranges", "bytes");
        if let Some((name, value)) = parts
            .headers
            .get("x-answer")
            .and_then(|line| line.to_str().ok()?.split_once('='))
        {
            answer = answer.header(name, value);
        }
        let empty = matches!(status, 204 | 304) || parts.method == "HEAD";
        let body: Body = full(if empty { String::new() } else { page() });
        answer.body(body).unwrap()
    })
    .await
}

async fn edge(upstream: &Upstream) -> TestEdge {
    TestEdge::with(
        None,
        &[Route::new("app")
            .to(upstream)
            .line("compression = true")
            .unguarded()],
    )
    .await
}

async fn send(edge: &TestEdge, versions: Versions, ask: &Ask) -> Answer {
    polite::send(polite::request(&edge.client_of(versions), "app.test", ask)).await
}

fn decoded(answer: &Answer) -> String {
    let mut text = String::new();
    let body = answer.body.as_slice();
    match answer.header("content-encoding") {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
        Some("br") => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        Some("zstd") => zstd::stream::read::Decoder::new(body)
            .unwrap()
            .read_to_string(&mut text),
        _ => return answer.text(),
    }
    .unwrap();
    text
}

#[tokio::test]
async fn a_page_is_coded_as_its_client_likes_it() {
    let upstream = pages().await;
    let edge = edge(&upstream).await;
    for versions in BOTH {
        for (accept, coding) in [
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("gzip, deflate, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0.5, gzip;q=0.9", Some("gzip")),
            ("gzip;q=0, identity", None),
            ("identity", None),
        ] {
            for path in ["/200", "/404", "/503"] {
                let ask = Ask::get(path).header("Accept-Encoding", accept);
                let answer = send(&edge, versions, &ask).await;
                assert_eq!(answer.status.to_string(), path[1..]);
                assert_eq!(answer.header("content-encoding"), coding, "{accept}");
                assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
                assert_eq!(
                    answer.header("etag"),
                    Some(if coding.is_some() { "W/\"v1\"" } else { "\"v1\"" })
                );
                assert_eq!(
                    answer.header("accept-ranges"),
                    coding.is_none().then_some("bytes")
                );
                assert_eq!(decoded(&answer), page());
                assert!(coding.is_none() || answer.body.len() < 1000);
            }
        }
    }
}

#[tokio::test]
async fn heads_parts_and_what_has_no_body_stay_as_they_are() {
    let upstream = pages().await;
    let edge = edge(&upstream).await;
    for versions in BOTH {
        for (method, path, line) in [
            ("HEAD", "/200", ""),
            ("GET", "/204", ""),
            ("GET", "/304", ""),
            ("GET", "/206", "content-range=bytes 0-43999/100000"),
            ("GET", "/200", "content-encoding=identity"),
            ("GET", "/200", "cache-control=public, no-transform"),
        ] {
            let ask = Ask::new(method, path).header("X-Answer", line);
            let answer = send(&edge, versions, &ask).await;
            assert_eq!(answer.status.to_string(), path[1..], "{method} {path}");
            assert_eq!(answer.header("etag"), Some("\"v1\""), "{method} {path}");
            assert_ne!(
                answer.header("content-encoding"),
                Some("br"),
                "{method} {path} {line}"
            );
            let empty = method == "HEAD" || matches!(path, "/204" | "/304");
            assert_eq!(
                answer.text(),
                if empty { String::new() } else { page() },
                "{method} {path} {line}"
            );
        }
        // The client's own no-transform.
        let answer = send(
            &edge,
            versions,
            &Ask::get("/200").header("Cache-Control", "no-transform"),
        )
        .await;
        assert_eq!(answer.header("content-encoding"), None);
    }
    // A part of the plain page, by the words of the client.
    let ask = Ask::get("/206")
        .header("Range", "bytes=0-99")
        .header("X-Answer", "content-range=bytes 0-99/44000");
    assert_eq!(
        edge.ask("app.test", &ask).await.header("content-range"),
        Some("bytes 0-99/44000")
    );
    // An old client knows no chunks.
    let old = Ask::get("/200").version("HTTP/1.0");
    let answer = edge.ask("app.test", &old).await.expect(200);
    assert_eq!((answer.header("content-encoding"), answer.text()), (None, page()));
}

#[tokio::test]
async fn a_kept_connection_goes_on_after_a_coded_page() {
    let upstream = pages().await;
    let edge = edge(&upstream).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    for _ in 0..3 {
        let ask = "GET /200 HTTP/1.1\r\nHost: app.test\r\nAccept-Encoding: gzip\r\n\r\n";
        connection.send(ask).await.unwrap();
        let answer = connection.answer().await.unwrap().expect(200);
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        assert_eq!(answer.header("content-length"), None);
        assert_eq!(decoded(&answer), page());
    }
}

#[tokio::test]
async fn what_an_application_sends_piece_by_piece_arrives_so() {
    let (upstream, events) = Upstream::events().await;
    let edge = edge(&upstream).await;
    for coding in ["gzip", "br", "zstd"] {
        // One stream for each edge: the upstream serves one reader at a time.
        let (upstream, events) = Upstream::events().await;
        let edge = self::edge(&upstream).await;
        let request = edge
            .client_of(Versions::Http2)
            .get("https://app.test/")
            .header("accept-encoding", coding)
            .header("x-answer-type", "text/plain");
        events.send_bytes("one,".repeat(500));
        let mut response = within("the head", request.send()).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], coding);
        let mut coded = Vec::new();
        for piece in ["two,", "three,"] {
            let before = coded.len();
            while coded.len() == before {
                coded.extend(within("a piece", response.chunk()).await.unwrap().unwrap());
            }
            events.send_bytes(piece.repeat(500));
        }
        drop(events);
        while let Some(chunk) = within("the rest", response.chunk()).await.unwrap() {
            coded.extend(chunk);
        }
        let answer = Answer {
            status: 200,
            headers: vec![("content-encoding".to_owned(), coding.to_owned())],
            body: coded,
        };
        let expected = ["one,", "two,", "three,"].map(|piece| piece.repeat(500)).concat();
        assert_eq!(decoded(&answer), expected);
    }
    // Events pass untouched.
    let mut connection = edge.connect("app.test").await.unwrap();
    let ask = Ask::get("/").header("Accept", "text/event-stream");
    connection.send(ask.bytes("app.test")).await.unwrap();
    events.send("hello");
    let mut text = String::new();
    while !text.contains("data: hello\n\n") {
        text += &String::from_utf8_lossy(&connection.some().await.unwrap());
    }
    assert!(!text.to_lowercase().contains("content-encoding"), "{text}");
}

#[tokio::test]
async fn the_waf_reads_the_page_before_it_is_coded() {
    let Some(rules) = crs_rules() else { return };
    let leak = Upstream::serve(|request, journal: Journal| async move {
        let (parts, _) = request.into_parts();
        journal.request(&parts);
        let leaks = parts.uri.path() == "/leak";
        let body = page() + if leaks { SQL_ERROR_PAGE } else { "" };
        hyper::Response::builder()
            .header("content-type", "text/html")
            .body(full(body))
            .unwrap()
    })
    .await;
    let route = Route::new("app")
        .to(&leak)
        .line("compression = true")
        .waf("inspect_responses = true");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    for versions in BOTH {
        let ask = Ask::get("/leak").accept_json();
        send(&edge, versions, &ask).await.expect(403).incident();
        let answer = send(&edge, versions, &Ask::get("/fine")).await.expect(200);
        assert_eq!(answer.header("content-encoding"), Some("br"));
        assert_eq!(decoded(&answer), page());
    }
}
