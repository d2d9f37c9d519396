//! Backends at their worst, over HTTP/1.1: what their clients get is a sound answer, a 502 or 504, or one that is cut off
//! and looks so; and nobody else notices.

use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, Versions, crs_rules, polite, within};

const BOTH: [Versions; 2] = [Versions::Http1, Versions::Http2];

/// What a client may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// This.
    Status(u16),
    /// The beginning of an answer, and no end that looks like one; or 502, where it was noticed before.
    Cut,
}

use Wanted::{Cut, Status};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// A name, what the backend sends before it closes, and what comes of it.
fn cases() -> Vec<(&'static str, Vec<u8>, Wanted)> {
    let head = |fields: &str| format!("{OK}{fields}\r\n\r\nok").into_bytes();
    let chunked = |body: &str| format!("{OK}Transfer-Encoding: chunked\r\n\r\n{body}").into_bytes();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    vec![
        ("a status below 100", bytes("HTTP/1.1 99 X\r\n\r\n"), Status(502)),
        (
            "a status of four digits",
            bytes("HTTP/1.1 2000 X\r\n\r\n"),
            Status(502),
        ),
        (
            "a version nobody has",
            bytes("HTTP/7.1 200 OK\r\n\r\n"),
            Status(502),
        ),
        ("another protocol", bytes("ICY 200 OK\r\n\r\n"), Status(502)),
        ("zeros", vec![0; 100_000], Status(502)),
        (
            "a line without end",
            [b"HTTP/1.1 200 ", &vec![b'a'; 3 << 20][..]].concat(),
            Status(502),
        ),
        ("too many fields", head(&"X: y\r\n".repeat(400)), Status(502)),
        (
            "a field that is too long",
            head(&format!("X: {}", "a".repeat(100_000))),
            Status(502),
        ),
        (
            "many cookies",
            head(&"Set-Cookie: a=bbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n".repeat(2000)),
            Status(502),
        ),
        ("a line without a colon", head("Nonsense"), Status(502)),
        (
            "a NUL in a value",
            head("X: a\0b\r\nContent-Length: 2"),
            Status(502),
        ),
        ("a bare CR", head("X: a\rY: b\r\nContent-Length: 2"), Status(502)),
        ("a negative length", head("Content-Length: -1"), Status(502)),
        ("a signed length", head("Content-Length: +2"), Status(502)),
        (
            "a length beyond numbers",
            head("Content-Length: 18446744073709551615"),
            Status(502),
        ),
        (
            "two lengths",
            head("Content-Length: 2\r\nContent-Length: 3"),
            Status(502),
        ),
        (
            "the same length twice",
            head("Content-Length: 2\r\nContent-Length: 2"),
            Status(502),
        ),
        ("a list of lengths", head("Content-Length: 2, 2"), Status(502)),
        (
            "a coding nobody asked for",
            head("Transfer-Encoding: gzip, chunked"),
            Status(502),
        ),
        (
            "an unknown coding",
            head("Transfer-Encoding: xchunked"),
            Status(502),
        ),
        ("fewer bytes than promised", head("Content-Length: 100"), Cut),
        ("chunks of garbage", chunked("zz\r\nok\r\n0\r\n\r\n"), Cut),
        ("a negative chunk", chunked("-2\r\nok\r\n0\r\n\r\n"), Cut),
        ("a chunk beyond numbers", chunked("ffffffffffffffff1\r\nok"), Cut),
        (
            "the longest of all chunks",
            chunked("2\r\nok\r\nffffffffffffffff\r\nok"),
            Cut,
        ),
        ("chunks without an end", chunked("2\r\nok\r\n"), Cut),
        (
            "a chunk that is longer than it says",
            chunked("2\r\nokay\r\n0\r\n\r\n"),
            Cut,
        ),
        (
            "a switch that nobody asked for",
            bytes("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw"),
            Status(502),
        ),
        ("only interim answers", bytes(hints), Status(502)),
        (
            "interim answers without end",
            hints.repeat(20_000).into_bytes(),
            Status(502),
        ),
        (
            "some interim answers",
            [hints.repeat(5).as_bytes(), &head("Content-Length: 2")].concat(),
            Status(200),
        ),
        (
            "no content, of some length",
            bytes("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"),
            Status(204),
        ),
        (
            "more than promised",
            head("Content-Length: 2\r\nX: y"),
            Status(200),
        ),
        (
            "two answers",
            [head("Content-Length: 2"), head("Content-Length: 2")].concat(),
            Status(200),
        ),
        ("an answer without a length", head("X: y"), Status(200)),
    ]
}

fn route(number: usize, upstream: &Upstream, guarded: bool) -> Route {
    let route = Route::new(&format!("evil-{number}"))
        .to(upstream)
        .line("first_byte_timeout = \"20s\"")
        .line("compression = true")
        .and("[routes.ejection]\nfailures = 1000\n");
    match guarded {
        true => route.waf("inspect_responses = true"),
        false => route.unguarded(),
    }
}

async fn got(edge: &TestEdge, versions: Versions, number: usize) -> Wanted {
    let url = format!("https://evil-{number}.test/");
    let client = edge.client_of(versions);
    let Ok(mut answer) = within("a head", client.get(url).send()).await else {
        // Reset before the head could be told.
        return Cut;
    };
    loop {
        match within("a chunk", answer.chunk()).await {
            Ok(Some(_)) => {}
            Ok(None) => return Status(answer.status().as_u16()),
            Err(_) => return Cut,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_backend_sends_is_an_answer_or_502_or_looks_broken() {
    let (cases, sound) = (cases(), Upstream::echo("sound").await);
    let rules = crs_rules();
    for guarded in [false, true] {
        if guarded && rules.is_none() {
            continue;
        }
        let mut upstreams = Vec::new();
        let mut routes = vec![Route::new("sound").to(&sound).unguarded()];
        for (number, (_, bytes, _)) in cases.iter().enumerate() {
            let upstream = Upstream::broken(bytes).await;
            routes.push(route(number, &upstream, guarded));
            upstreams.push(upstream);
        }
        let edge = TestEdge::with(rules.clone().filter(|_| guarded), &routes).await;
        for versions in BOTH {
            for (number, (name, _, wanted)) in cases.iter().enumerate() {
                let got = got(&edge, versions, number).await;
                let fits = got == *wanted || (*wanted == Cut && got == Status(502));
                assert!(
                    fits,
                    "{name}: {got:?} instead of {wanted:?}; {versions:?}, WAF {guarded}"
                );
                edge.get("https://sound.test/").await.expect(200);
            }
        }
        // Nothing is left behind, and whose fault it was is known.
        let status = edge.admin_get("/status").await.json();
        for number in 0..cases.len() {
            let backend = &status["backends"][format!("evil-{number}")][0];
            assert_eq!(backend["in_flight"], 0, "{}: {status}", cases[number].0);
        }
        let log = edge.access_log().text();
        assert!(log.contains("\"error\":\"Upstream: a Content-Length that is no length\""));
    }
}

/// A backend whose head begins with `first`, and goes on with `more` for ever.
async fn drips(first: &'static [u8], more: &'static [u8]) -> (String, tokio::task::AbortHandle) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let drips = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.spawn(async move {
                stream.write_all(first).await.ok();
                while stream.write_all(more).await.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            });
        }
    });
    (url, drips.abort_handle())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_has_an_end() {
    // In fields, of which there may be so many; in bytes of one, where only the time is a bound.
    for (first, more, in_time_only) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n"[..], false),
        (&b"HTTP/1.1 200 OK\r\nX: "[..], &b"y"[..], true),
    ] {
        let (url, task) = drips(first, more).await;
        // The time for a pause may be the longer one, or the shorter one.
        for idle_timeout in ["10m", "500ms", "400ms"] {
            let route = Route::new("app")
                .to(&url.as_str())
                .line("first_byte_timeout = \"500ms\"")
                .line(&format!("idle_timeout = {idle_timeout:?}"))
                .unguarded();
            let edge = TestEdge::with(None, &[route]).await;
            for versions in BOTH {
                let client = edge.client_of(versions);
                let get = client.get("https://app.test/");
                for ask in [get, client.post("https://app.test/").body("a=b")] {
                    let status = polite::send(ask).await.status;
                    // Whichever is first: the time, or the number of fields.
                    let fits = status == 504 || (status == 502 && !in_time_only);
                    assert!(fits, "{status}, idle_timeout {idle_timeout}, {versions:?}");
                }
            }
        }
        task.abort();
    }
}

#[tokio::test]
async fn what_follows_an_answer_is_nobodys_answer() {
    // A second answer behind the first must not be taken for that of the next request on a kept connection.
    const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    for first in [
        "Content-Length: 2\r\n\r\nok",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        // No size, which is taken for the last chunk.
        "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n\r\n\r\n",
    ] {
        let upstream = Upstream::broken(format!("HTTP/1.1 200 OK\r\n{first}{POISON}")).await;
        let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
        for _ in 0..10 {
            let answer = edge.ask("app.test", &Ask::get("/")).await.expect(200);
            assert_eq!(answer.text(), "ok");
        }
    }
}
