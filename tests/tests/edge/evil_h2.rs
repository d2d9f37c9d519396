//! Backends at their worst, over HTTP/2: connections and streams that end at every moment they can, and floods.

use palisade_tests::harness::{Route, TestEdge, Upstream, Versions, polite, within};
use palisade_tests::hostile::frames::{data, frame, headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the backend does once a request's head has come, by the stream's number; then it closes, or goes on.
type Answer = fn(u32) -> (Vec<u8>, bool);

/// A backend that speaks HTTP/2 as badly as `answer` does.
async fn backend(answer: Answer) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    let serve = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(async move { speak(stream, answer).await.ok() });
        }
    });
    (url, serve)
}

async fn speak(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(4, 0, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
        let number = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match (head[3], head[4] & 1) {
            (4, 0) => stream.write_all(&frame(4, 1, 0, &[])).await?,
            (6, 0) => stream.write_all(&frame(6, 1, 0, &payload)).await?,
            (1, _) => {
                let (bytes, goes_on) = answer(number);
                stream.write_all(&bytes).await?;
                if !goes_on {
                    // What is unread when a socket closes resets it, and may take the answer along.
                    stream.shutdown().await?;
                    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
                    return Ok(());
                }
            }
            _ => {}
        }
    }
}

fn ok(stream: u32) -> Vec<u8> {
    [
        headers(stream, false, &[(":status", "200")]),
        data(stream, true, b"ok"),
    ]
    .concat()
}

fn half(stream: u32) -> Vec<u8> {
    [
        headers(stream, false, &[(":status", "200")]),
        data(stream, false, b"half"),
    ]
    .concat()
}

fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(7, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(3, 0, stream, &code.to_be_bytes())
}

fn hints(stream: u32) -> Vec<u8> {
    headers(stream, false, &[(":status", "103"), ("link", "</a>")])
}

/// A name, what the backend does, and the status that clients get; 0 for an answer that is cut off, or 502.
const CASES: &[(&str, Answer, u16)] = &[
    ("sound", |s| (ok(s), true), 200),
    ("closes", |_| (Vec::new(), false), 502),
    ("goes away without having begun", |_| (goaway(0, 0), false), 502),
    ("goes away with an error", |s| (goaway(s, 2), false), 502),
    (
        "goes away, and answers",
        |s| ([goaway(s, 0), ok(s)].concat(), false),
        200,
    ),
    (
        "answers, and goes away",
        |s| ([ok(s), goaway(s, 0)].concat(), false),
        200,
    ),
    (
        "announces to go away, and answers",
        |s| ([goaway(0x7fff_ffff, 0), ok(s)].concat(), true),
        200,
    ),
    (
        "goes away within the answer",
        |s| ([half(s), goaway(0, 0)].concat(), false),
        0,
    ),
    ("closes within the answer", |s| (half(s), false), 0),
    ("refuses every stream", |s| (reset(s, 7), true), 502),
    ("cancels", |s| (reset(s, 8), true), 502),
    ("fails", |s| (reset(s, 2), true), 502),
    ("resets without an error", |s| (reset(s, 0), true), 502),
    (
        "resets for an unknown reason",
        |s| (reset(s, 0xdead_beef), true),
        502,
    ),
    ("wants calm", |s| (reset(s, 11), true), 502),
    (
        "fails within the answer",
        |s| ([half(s), reset(s, 2)].concat(), true),
        0,
    ),
    (
        "refuses within the answer",
        |s| ([half(s), reset(s, 7)].concat(), true),
        0,
    ),
    (
        "answers, and resets what is left",
        |s| ([ok(s), reset(s, 0)].concat(), true),
        200,
    ),
    ("has no status", |s| (headers(s, true, &[("x", "y")]), true), 502),
    (
        "has a word for a status",
        |s| (headers(s, true, &[(":status", "abc")]), true),
        502,
    ),
    (
        "has a name in capitals",
        |s| (headers(s, true, &[(":status", "200"), ("X-A", "y")]), true),
        502,
    ),
    (
        "has a line's end in a value",
        |s| (headers(s, true, &[(":status", "200"), ("x", "a\r\nb: c")]), true),
        502,
    ),
    ("promises more", |s| (promise(s, "100"), true), 0),
    ("promises less", |s| (promise(s, "1"), true), 0),
    ("promises what is no number", |s| (promise(s, "-1"), true), 0),
    (
        "sends a field block that is none",
        |s| (frame(1, 4, s, &[0xff; 5]), true),
        502,
    ),
    ("begins with a body", |s| (data(s, true, b"ok"), true), 502),
    ("answers on another stream", |s| (ok(s + 2), true), 502),
    (
        "pushes",
        |s| ([frame(5, 4, s, &[0, 0, 0, 2, 0x82]), ok(s)].concat(), true),
        502,
    ),
    (
        "sends a frame that is too long",
        |s| ([half(s), data(s, true, &[0; 100_000])].concat(), true),
        0,
    ),
    (
        "switches protocols",
        |s| (headers(s, true, &[(":status", "101")]), true),
        502,
    ),
    ("gives hints first", |s| ([hints(s), ok(s)].concat(), true), 200),
    ("gives hints without end", |s| (hints(s).repeat(5000), true), 504),
    (
        "sends a head that is too long",
        |s| {
            (
                [
                    headers(s, false, &[(":status", "200"), ("x", LONG)]),
                    data(s, true, b"ok"),
                ]
                .concat(),
                true,
            )
        },
        200,
    ),
    ("sends a head that is far too long", |s| (long_head(s), true), 502),
    (
        "knows frames that nobody knows",
        |s| ([frame(0x77, 0xff, s, b"x"), ok(s)].concat(), true),
        200,
    ),
    (
        "has trailers only",
        |s| {
            (
                headers(
                    s,
                    true,
                    &[
                        (":status", "200"),
                        ("content-type", "application/grpc"),
                        ("grpc-status", "7"),
                    ],
                ),
                true,
            )
        },
        200,
    ),
];

const LONG: &str = "0123456789012345678901234567890123456789012345678901234567890123456789";

fn promise(stream: u32, length: &str) -> Vec<u8> {
    let fields = [(":status", "200"), ("content-length", length)];
    [headers(stream, false, &fields), data(stream, true, b"ok")].concat()
}

/// HEADERS and CONTINUATION, 160 KiB of fields together.
fn long_head(stream: u32) -> Vec<u8> {
    use palisade_tests::hostile::frames::block;
    let value = "a".repeat(16_000);
    let mut frames = frame(1, 0, stream, &block(&[(":status", "200")]));
    for _ in 0..10 {
        frames.extend(frame(9, 0, stream, &block(&[("x", &value)])));
    }
    frames.extend(frame(9, 4, stream, &[]));
    frames.extend(data(stream, true, b"ok"));
    frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_connections_may_end_at_any_moment() {
    let sound = Upstream::echo("sound").await;
    let mut routes = vec![Route::new("sound").to(&sound).unguarded()];
    let mut backends = Vec::new();
    for (number, (_, answer, _)) in CASES.iter().enumerate() {
        let (url, serve) = backend(*answer).await;
        let route = Route::new(&format!("evil-{number}"))
            .to(&url.as_str())
            .line("first_byte_timeout = \"5s\"")
            .unguarded()
            .and("[routes.ejection]\nfailures = 1000\nconnect_failures = 1000\n");
        routes.push(route);
        backends.push(serve);
    }
    let edge = TestEdge::with(None, &routes).await;
    for versions in [Versions::Http1, Versions::Http2] {
        let client = edge.client_of(versions);
        for (number, (name, _, wanted)) in CASES.iter().enumerate() {
            // On a connection that is new, and on one that was used.
            for time in 0..if *wanted == 200 { 6 } else { 2 } {
                let url = format!("https://evil-{number}.test/");
                let got = match polite::try_send(client.get(url)).await {
                    Ok(answer) => answer.status,
                    Err(error) if error.is_timeout() => panic!("{name}: no answer"),
                    Err(_) => 0,
                };
                let fits = got == *wanted || (*wanted == 0 && got == 502);
                assert!(fits, "{name}: {got} instead of {wanted}; {versions:?}, {time}");
            }
            within("another route", edge.get("https://sound.test/"))
                .await
                .expect(200);
        }
    }
    let status = edge.admin_get("/status").await.json();
    for number in 0..CASES.len() {
        let backend = &status["backends"][format!("evil-{number}")][0];
        assert_eq!(backend["in_flight"], 0, "{}: {status}", CASES[number].0);
    }
    backends.iter().for_each(JoinHandle::abort);
}
