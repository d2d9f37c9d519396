//! Requests that come to nothing at the listener: the operator sees them as any other, and may count them.

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Tls, Upstream, eventually, tls_stream};
use palisade_tests::hostile::frames;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SPACE: &str = "GET /space?secret=1 HTTP/1.1\r\nHost : app.test\r\n\r\n";

async fn edge(lines: &str, more: &str) -> (TestEdge, Upstream) {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .listen(lines)
        .route(&Route::new("app").to(&upstream).unguarded())
        .and(more)
        .start()
        .await;
    (edge, upstream)
}

/// Sends bytes over TLS and returns the first line of what comes back.
async fn told(edge: &TestEdge, bytes: &[u8]) -> String {
    let mut connection = edge.connect("app.test").await.unwrap();
    // The answer may come before all was sent.
    let _ = connection.send(bytes).await;
    let answer = connection.rest().await;
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

#[tokio::test]
async fn each_is_logged_and_counted_once() {
    let (edge, upstream) = edge("request_head_timeout = \"500ms\"", "").await;
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000));
    let large = format!("GET /large HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(70_000));
    let cases = [
        (SPACE, 400, "syntax", "/space"),
        (
            "POST /both HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "framing",
            "/both",
        ),
        (
            "POST /lf HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello",
            400,
            "framing",
            "/lf",
        ),
        (
            "POST /gzip HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            501,
            "transfer_coding",
            "/gzip",
        ),
        ("GET /three HTTP/3.0\r\n\r\n", 505, "version", "/three"),
        ("GET /nine\r\n", 0, "version", "/nine"),
        (&long, 414, "target_length", ""),
        (&large, 431, "head_size", "/large"),
        ("GET /slow HTTP/1.1\r\nHost: app", 408, "head_timeout", "/slow"),
    ];
    for (sent, status, reason, path) in &cases {
        let told = told(&edge, sent.as_bytes()).await;
        let wanted = match status {
            0 => String::new(),
            status => format!("HTTP/1.1 {status} "),
        };
        assert!(told.starts_with(&wanted), "{told}");
        let line = edge
            .access_log()
            .line(path, |line| {
                line["refused"] == *reason && (path.is_empty() || line["path"] == *path)
            })
            .await;
        assert_eq!(line["status"], *status, "{line}");
        assert_eq!(line["client"], "127.0.0.1");
        assert_eq!(line["tls"], "TLSv1.3");
        assert_eq!(line["route"], serde_json::Value::Null);
        assert!(line["request_id"].as_str().unwrap().len() == 24);
        assert!(!line["error"].as_str().unwrap().is_empty());
    }
    // A query may hold a secret.
    assert!(!edge.access_log().text().contains("secret"));
    // The log and the metrics tell the same.
    let lines = edge.access_log().lines();
    assert_eq!(lines.len(), cases.len());
    for status in [400, 501, 505, 0, 414, 431, 408] {
        let logged = lines.iter().filter(|line| line["status"] == status).count();
        let series = format!("palisade_requests_total{{route=\"\",code=\"{status}\"}}");
        edge.metric_is(&series, logged as f64).await;
    }
    for reason in ["syntax", "framing", "transfer_coding", "version", "head_timeout"] {
        let logged = lines.iter().filter(|line| line["refused"] == reason).count();
        let series = format!("palisade_listener_refusals_total{{reason=\"{reason}\"}}");
        edge.metric_is(&series, logged as f64).await;
    }
    assert_eq!(upstream.hits(), 0);
}

#[tokio::test]
async fn on_port_80_too_and_for_whom_the_proxy_protocol_names() {
    let (edge, _upstream) = edge("trusted_proxies = [\"127.0.0.1/32\"]\nproxy_protocol = true", "").await;
    let mut connection = Connection::plain(edge.http()).await.unwrap();
    let header = "PROXY TCP4 192.0.2.7 198.51.100.1 5000 80\r\n";
    connection.send(format!("{header}{SPACE}")).await.unwrap();
    connection.answer().await.unwrap().expect(400);
    let line = edge.accessed("/space").await;
    assert_eq!(line["client"], "192.0.2.7");
    assert_eq!(line["tls"], serde_json::Value::Null);
}

#[tokio::test]
async fn redirects_of_port_80_are_logged_and_counted_as_other_answers() {
    let (edge, upstream) = edge("trusted_proxies = [\"127.0.0.1/32\"]", "").await;
    for (host, path, client, status) in [
        ("app.test", "/to?secret=1", "127.0.0.1", 301),
        ("unknown.example:8080", "/elsewhere", "192.0.2.9", 301),
        ("bad/host", "/nowhere", "127.0.0.1", 400),
    ] {
        let mut connection = Connection::plain(edge.http()).await.unwrap();
        let forwarded = match client {
            "127.0.0.1" => String::new(),
            client => format!("X-Forwarded-For: {client}\r\n"),
        };
        let ask = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{forwarded}\r\n");
        connection.send(ask).await.unwrap();
        connection.answer().await.unwrap().expect(status);
        let path = path.split('?').next().unwrap();
        let line = edge.accessed(path).await;
        assert_eq!(line["status"], status, "{line}");
        assert_eq!(line["client"], client);
        assert_eq!(line["method"], "GET");
        assert_eq!(line["tls"], serde_json::Value::Null);
        assert_eq!(line["route"], serde_json::Value::Null);
        assert_eq!(line["request_id"].as_str().unwrap().len(), 24);
    }
    let line = edge.accessed("/elsewhere").await;
    assert_eq!(line["host"], "unknown.example");
    assert!(!edge.access_log().text().contains("secret"));
    let redirects = "palisade_requests_total{route=\"\",code=\"301\"}";
    assert_eq!(edge.metric(redirects).await, 2.0);
    assert_eq!(edge.access_log().lines().len(), 3);
    assert_eq!(upstream.hits(), 0);
}

/// Whether the client may still come.
async fn is_banned(edge: &TestEdge) -> bool {
    edge.ask("app.test", &Ask::get("/page")).await.status == 403
}

async fn flood(edge: &TestEdge) {
    let tls = Tls {
        alpn: vec!["h2"],
        ..Tls::default()
    };
    let mut stream = tls_stream(edge.https(), "app.test", &tls).await.unwrap();
    let pings = vec![frames::frame(6, 0, 0, &[0; 8]); 100];
    let _ = stream.write_all(&frames::connection(&pings)).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn what_counts_towards_a_ban_is_the_operators_choice() {
    let bans = |lines: &str| format!("[bans]\nenabled = true\nnever = []\nincidents = 3\n{lines}");
    let calm = "[listen.http2]\nmax_control_frames = 20";
    let two_readings = "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: host\r\n\r\n";
    let mid_body = "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    // By default malformed requests and floods do not, and sizes never do.
    for (lines, malformed, flooding) in [
        ("", false, false),
        ("count = [\"malformed\"]", true, false),
        ("count = [\"waf\", \"flood\"]", false, true),
    ] {
        let (edge, _upstream) = edge("", &format!("{}\n{calm}", bans(lines))).await;
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000));
        for _ in 0..4 {
            told(&edge, long.as_bytes()).await;
        }
        assert!(!is_banned(&edge).await, "{lines}");
        told(&edge, SPACE.as_bytes()).await;
        told(&edge, two_readings.as_bytes()).await;
        assert!(!is_banned(&edge).await, "{lines}");
        let mut connection = edge.connect("app.test").await.unwrap();
        connection.send(mid_body).await.unwrap();
        connection.send("5\nhello").await.unwrap();
        connection.rest().await;
        match malformed {
            true => eventually("a ban", || async { is_banned(&edge).await.then_some(()) }).await,
            false => assert!(!is_banned(&edge).await, "{lines}"),
        }
        if malformed {
            continue;
        }
        for _ in 0..3 {
            flood(&edge).await;
        }
        match flooding {
            true => eventually("a ban", || async { is_banned(&edge).await.then_some(()) }).await,
            false => assert!(!is_banned(&edge).await, "{lines}"),
        }
    }
}

#[tokio::test]
async fn too_many_wrong_passwords_may_ban() {
    let upstream = Upstream::echo("app").await;
    let hash = "$2b$04$abcdefghijklmnopqrstuuP1fEtzX0eGS3EoGZlJ0c6jVbqHqzXIW";
    let auth = format!("[routes.basic_auth]\nusers = [\"anna:{hash}\"]\nattempts = 1");
    let edge = TestEdge::builder()
        .route(&Route::new("app").to(&upstream).unguarded().and(&auth))
        .route(&Route::new("open").to(&upstream).unguarded())
        .and("[bans]\nenabled = true\nnever = []\nincidents = 2\ncount = [\"attempts\"]")
        .start()
        .await;
    let guess = Ask::get("/").header("Authorization", "Basic YW5uYTp4");
    edge.ask("app.test", &guess).await.expect(401);
    edge.ask("open.test", &Ask::get("/")).await.expect(200);
    for _ in 0..2 {
        edge.ask("app.test", &guess).await.expect(429);
    }
    eventually("a ban", || async {
        let answer = edge.ask("open.test", &Ask::get("/")).await;
        (answer.status == 403).then_some(())
    })
    .await;
}
