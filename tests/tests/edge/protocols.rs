//! What is spoken with backends: HTTP/2 in the clear and over TLS, client certificates, upgrades, interim answers.

use std::net::SocketAddr;

use palisade_tests::harness::{
    Ask, Backend, Route, TestCa, TestEdge, Upstream, Versions, eventually, polite, within,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A backend that says what the test says.
struct ByHand(TcpListener);

impl Backend for ByHand {
    fn backend(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

impl ByHand {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The next connection, and the head of its request.
    async fn accept(&self) -> (TcpStream, String) {
        let (mut stream, _) = within("a connection", self.0.accept()).await.unwrap();
        let mut head = Vec::new();
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(within("a head", stream.read_buf(&mut head)).await.unwrap() > 0);
        }
        (stream, String::from_utf8(head).unwrap().to_lowercase())
    }
}

async fn over(route: Route) -> TestEdge {
    TestEdge::with(None, &[route.unguarded()]).await
}

#[tokio::test]
async fn http2_in_the_clear() {
    let upstream = Upstream::echo("app").await;
    let url = format!("h2c://{}", upstream.address());
    let edge = over(Route::new("app").to(&url.as_str())).await;
    let body = "long ".repeat(100_000);
    for versions in [Versions::Http1, Versions::Http2] {
        let client = edge.client_of(versions);
        let answer = polite::send(client.get("https://app.test/a?b=c"))
            .await
            .expect(200);
        assert_eq!(answer.json()["version"], "HTTP/2.0");
        assert_eq!(answer.echoed("x-forwarded-host"), ["app.test"]);
        let request = client.post("https://app.test/").body(body.clone());
        assert_eq!(
            polite::send(request).await.expect(200).json()["body_bytes"],
            body.len()
        );
    }
    // Many at once.
    let client = edge.client();
    let asked = (0..40).map(|_| tokio::spawn(polite::send(client.get("https://app.test/"))));
    for request in asked.collect::<Vec<_>>() {
        within("an answer", request).await.unwrap().expect(200);
    }
}

#[tokio::test]
async fn http2_over_tls_where_it_is_wished_for() {
    let ca = TestCa::new();
    let upstream = Upstream::echo_over_tls("app", &ca.issue(&["backend.internal"])).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let tls = format!("tls = {{ ca = {path:?}, server_name = \"backend.internal\" }}");
    let plain = Route::new("plain").to(&upstream).line(&tls).unguarded();
    let wished = Route::new("wished")
        .to(&upstream)
        .line(&tls)
        .line("http2 = true")
        .unguarded();
    let edge = TestEdge::with(None, &[plain, wished]).await;
    for (host, version) in [
        ("plain", "HTTP/1.1"),
        ("wished", "HTTP/2.0"),
        ("plain", "HTTP/1.1"),
    ] {
        let answer = edge.get(&format!("https://{host}.test/")).await.expect(200);
        assert_eq!(answer.json()["version"], version, "{host}");
    }
}

#[tokio::test]
async fn a_backend_may_ask_who_the_edge_is() {
    let (ca, clients) = (TestCa::new(), TestCa::new());
    let upstream = Upstream::echo_for_clients_of("app", &ca.issue(&["backend.internal"]), &clients).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let (certificate, key) = clients.issue(&["edge"]).write(folder.path(), "edge");
    let known = format!("ca = {path:?}, server_name = \"backend.internal\"");
    let shown = format!("tls = {{ {known}, certificate = {certificate:?}, key = {key:?} }}");
    let shows = Route::new("shows").to(&upstream).line(&shown).unguarded();
    let hides = Route::new("hides")
        .to(&upstream)
        .line(&format!("tls = {{ {known} }}"))
        .unguarded();
    let edge = TestEdge::with(None, &[shows, hides]).await;
    edge.get("https://shows.test/").await.expect(200);
    let status = edge.get("https://hides.test/").await.status;
    assert!(matches!(status, 502 | 503), "{status}");
    // Another certificate takes over without a restart, and one that is not of this CA is refused.
    TestCa::new().issue(&["edge"]).write(folder.path(), "edge");
    eventually("the other certificate to be shown", || async {
        (edge.get("https://shows.test/").await.status != 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn other_upgrades_are_for_routes_that_allow_them() {
    let backend = ByHand::new().await;
    let allows = "upgrades = [\"websocket\", \"Own-Protocol\"]";
    let routes = [
        Route::new("allows").to(&backend).line(allows).unguarded(),
        Route::new("ignores").to(&backend).unguarded(),
    ];
    let edge = TestEdge::with(None, &routes).await;
    let ask = |host: &str| {
        format!(
            "GET /up HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, Keep-Alive\r\nUpgrade: own-protocol\r\nTE: gzip\r\n\r\n"
        )
    };
    let mut client = edge.connect("allows.test").await.unwrap();
    client.send(ask("allows.test")).await.unwrap();
    let (mut stream, head) = backend.accept().await;
    assert!(head.contains("\r\nupgrade: own-protocol\r\n"), "{head}");
    assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    assert!(!head.contains("\r\nte:"), "{head}");
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own-protocol\r\n\r\n";
    stream.write_all(switch.as_bytes()).await.unwrap();
    assert_eq!(client.head().await.unwrap().status, 101);
    for word in ["one", "two"] {
        client.send(word).await.unwrap();
        let mut got = [0; 3];
        within("the client's word", stream.read_exact(&mut got))
            .await
            .unwrap();
        assert_eq!(got, word.as_bytes());
        stream.write_all(&got).await.unwrap();
        assert_eq!(client.some().await.unwrap(), word.as_bytes());
    }
    drop((client, stream));

    let mut client = edge.connect("ignores.test").await.unwrap();
    client.send(ask("ignores.test")).await.unwrap();
    let (mut stream, head) = backend.accept().await;
    assert!(!head.contains("upgrade"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await
        .unwrap();
    assert_eq!(client.answer().await.unwrap().expect(200).text(), "ok");
}

#[tokio::test]
async fn a_switch_is_to_what_was_asked_for_or_none() {
    for (fields, status) in [
        ("Connection: Upgrade\r\nUpgrade: websocket\r\n", 101),
        (
            "Connection: Upgrade\r\nUpgrade: WebSocket\r\nContent-Length: 5\r\n",
            101,
        ),
        ("Connection: Upgrade\r\nUpgrade: tunnel\r\n", 502),
        ("", 502),
    ] {
        let backend = ByHand::new().await;
        let edge = over(Route::new("app").to(&backend)).await;
        let mut client = edge.connect("app.test").await.unwrap();
        let ask = "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        client.send(ask).await.unwrap();
        let (mut stream, _) = backend.accept().await;
        let switch = format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n");
        stream.write_all(switch.as_bytes()).await.unwrap();
        let head = client.head().await.unwrap();
        assert_eq!(head.status, status, "{fields}");
        assert!(
            status != 101 || head.header("content-length").is_none(),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn interim_answers_reach_the_client() {
    let backend = ByHand::new().await;
    let edge = over(Route::new("app").to(&backend)).await;
    let mut client = edge.connect("app.test").await.unwrap();
    client.send(Ask::get("/").bytes("app.test")).await.unwrap();
    let (mut stream, _) = backend.accept().await;
    stream
        .write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        .await
        .unwrap();
    let hints = client.head().await.unwrap();
    assert_eq!(hints.status, 103);
    assert!(hints.header("link").unwrap().contains("a.css"));
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await
        .unwrap();
    assert_eq!(client.answer().await.unwrap().expect(200).text(), "ok");
}

#[tokio::test]
async fn head_and_ranges_are_the_backends() {
    let backend = ByHand::new().await;
    let edge = over(Route::new("app").to(&backend)).await;
    let mut client = edge.connect("app.test").await.unwrap();
    client
        .send(Ask::new("HEAD", "/big.iso").bytes("app.test"))
        .await
        .unwrap();
    let (mut stream, head) = backend.accept().await;
    assert!(head.starts_with("head /big.iso "), "{head}");
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.unwrap();
    let head = client.head().await.unwrap();
    assert_eq!(head.header("content-length"), Some("5000000000"));

    assert!(client.rest().await.is_empty());

    let mut client = edge.connect("app.test").await.unwrap();
    let ask = Ask::get("/big.iso").header("Range", "bytes=4999999998-");
    client.send(ask.bytes("app.test")).await.unwrap();
    let (mut stream, head) = backend.accept().await;
    assert!(head.contains("\r\nrange: bytes=4999999998-\r\n"), "{head}");
    let answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\
        Content-Range: bytes 4999999998-4999999999/5000000000\r\n\r\nok";
    stream.write_all(answer.as_bytes()).await.unwrap();
    let answer = client.answer().await.unwrap().expect(206);
    assert_eq!(
        answer.header("content-range"),
        Some("bytes 4999999998-4999999999/5000000000")
    );
    assert_eq!(answer.text(), "ok");
}

#[tokio::test]
async fn an_answer_may_come_before_the_end_of_the_request() {
    let backend = ByHand::new().await;
    let edge = over(Route::new("app").to(&backend)).await;
    let mut client = edge.connect("app.test").await.unwrap();
    let ask = "POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\nthe beginning";
    client.send(ask).await.unwrap();
    let (mut stream, _) = backend.accept().await;
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno\r\n";
    stream.write_all(answer).await.unwrap();
    assert_eq!(client.answer().await.unwrap().expect(403).text(), "no\r\n");
}

#[tokio::test]
async fn what_went_wrong_is_told_apart() {
    let garbage = Upstream::broken("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    let (slow, _gate) = Upstream::held().await;
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let routes = [
        Route::new("garbage").to(&garbage).unguarded(),
        Route::new("slow")
            .to(&slow)
            .line("first_byte_timeout = \"300ms\"")
            .unguarded(),
        Route::new("gone")
            .to(&format!("http://{nobody}").as_str())
            .unguarded(),
    ];
    let edge = TestEdge::with(None, &routes).await;
    for (host, status) in [("garbage", 502), ("gone", 503), ("slow", 504)] {
        edge.get(&format!("https://{host}.test/")).await.expect(status);
    }
}
