//! Answers whose end never comes: no client is shown an end, whatever it speaks.

use std::time::Duration;

use palisade_tests::harness::{Route, TestEdge, Tls, Versions, crs_rules, tls_stream, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// How the backend ends after its last byte.
#[derive(Debug, Clone, Copy)]
enum End {
    Close,
    Reset,
    /// It does not: the edge's patience does.
    Silence,
}

/// A backend that answers with `bytes` and ends so.
struct Breaking {
    url: String,
    task: AbortHandle,
}

impl Breaking {
    async fn new(bytes: String, end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, bytes.clone(), end));
            }
        });
        let task = task.abort_handle();
        Self { url, task }
    }
}

impl Drop for Breaking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, bytes: String, end: End) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(count) if count > 0) {
            return;
        }
    }
    stream.write_all(bytes.as_bytes()).await.ok();
    match end {
        End::Close => {
            stream.shutdown().await.ok();
        }
        End::Reset => {
            // The edge has read it by then, or the client sees even less.
            tokio::time::sleep(Duration::from_millis(200)).await;
            socket2::SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        }
        End::Silence => std::future::pending().await,
    }
}

/// What a backend says of a body that has no end.
fn bodies() -> Vec<(&'static str, String)> {
    let chunked = |body: &str| format!("Transfer-Encoding: chunked\r\n\r\n{body}");
    vec![
        ("no chunk", chunked("")),
        ("no last chunk", chunked("2\r\nok\r\n")),
        ("in the midst of a chunk", chunked("100\r\nok")),
        ("in the midst of a later chunk", chunked("2\r\nok\r\n100\r\nok")),
        ("behind a chunk's bytes", chunked("2\r\nok")),
        ("in the midst of a size", chunked("2\r\nok\r\n1")),
        ("in the midst of the last chunk", chunked("2\r\nok\r\n0\r\n")),
        (
            "in the midst of trailers",
            chunked("2\r\nok\r\n0\r\nX-Sum: 1\r\n"),
        ),
        (
            "in the midst of a length",
            "Content-Length: 100\r\n\r\nok".to_owned(),
        ),
    ]
}

/// What is no chunk at all, and so has no end, though the backend may think so. (A line without any size is taken for
/// the last chunk: docs/decisions/0054-a-chunk-without-a-size.md.)
fn garbage() -> Vec<(&'static str, String)> {
    let chunked = |body: &str| format!("Transfer-Encoding: chunked\r\n\r\n{body}");
    vec![
        ("no end of line behind a chunk", chunked("2\r\nok0\r\n\r\n")),
        (
            "an empty line where the end should be",
            chunked("2\r\nok\r\n\r\n"),
        ),
        ("a size of other letters", chunked("2\r\nok\r\nxyz\r\n0\r\n\r\n")),
        ("a bare line feed behind a size", chunked("2\r\nok\r\n0\n\r\n")),
    ]
}

fn cases() -> Vec<(String, String, End)> {
    let head = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{body}");
    let mut cases = Vec::new();
    for end in [End::Close, End::Reset, End::Silence] {
        for (name, body) in bodies() {
            cases.push((format!("{name}, {end:?}"), head(&body), end));
        }
    }
    for (name, body) in garbage() {
        cases.push((name.to_owned(), head(&body), End::Close));
    }
    cases
}

/// Everything that arrives.
async fn read(edge: &TestEdge, host: &str, ask: &[u8], what: &str) -> String {
    let mut stream = tls_stream(edge.https(), host, &Tls::default()).await.unwrap();
    stream.write_all(ask).await.unwrap();
    let mut bytes = Vec::new();
    // Its end may come without that of TLS.
    let _ = within(what, stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A chunked body with an end.
fn is_whole(answer: &str) -> bool {
    answer.ends_with("\r\n0\r\n\r\n") || answer.contains("\r\n0\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_is_shown_an_end_that_never_came() {
    let rules = crs_rules();
    for guarded in [false, true] {
        if guarded && rules.is_none() {
            continue;
        }
        let (mut backends, mut routes) = (Vec::new(), Vec::new());
        for (number, (_, bytes, end)) in cases().into_iter().enumerate() {
            let backend = Breaking::new(bytes, end).await;
            let route = Route::new(&format!("cut-{number}"))
                .to(&backend.url.as_str())
                .line("idle_timeout = \"500ms\"")
                .line("first_byte_timeout = \"500ms\"")
                .line("compression = true")
                .and("[routes.ejection]\nfailures = 1000\n");
            routes.push(match guarded {
                true => route.waf("inspect_responses = true"),
                false => route.unguarded(),
            });
            backends.push(backend);
        }
        let edge = TestEdge::with(rules.clone().filter(|_| guarded), &routes).await;
        for (number, (name, ..)) in cases().iter().enumerate() {
            let host = format!("cut-{number}.test");
            let what = format!("{name}, WAF {guarded}");
            for field in ["", "Accept-Encoding: gzip\r\n"] {
                let ask =
                    format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nUser-Agent: a\r\n{field}\r\n");
                let answer = read(&edge, &host, ask.as_bytes(), &what).await;
                let refused = answer.starts_with("HTTP/1.1 50");
                assert!(refused || !is_whole(&answer), "{what}: {answer:?}");
            }
            let got = within(&what, async {
                let answer = edge
                    .client_of(Versions::Http2)
                    .get(format!("https://{host}/"))
                    .send()
                    .await?;
                let status = answer.status().as_u16();
                answer.bytes().await.map(|body| (status, body))
            })
            .await;
            assert!(!matches!(got, Ok((200, _))), "{what}: {got:?}");
        }
    }
}
