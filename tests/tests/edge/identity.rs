//! Who asks: trusted proxies, their headers and the PROXY protocol.

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Upstream};

const TRUSTING: &str = "trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]";
const V1: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 5000 443\r\n";
/// The same, as version 2.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x13\x88\x01\xbb";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

async fn edge(listen: &str) -> (TestEdge, Upstream) {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .listen(listen)
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    (edge, upstream)
}

#[tokio::test]
async fn nobody_is_believed_by_default() {
    let (edge, _upstream) = edge("").await;
    let ask = Ask::get("/nobody")
        .header("X-Forwarded-For", "6.6.6.6")
        .header("X-Forwarded-Proto", "http")
        .header("Forwarded", "for=6.6.6.6");
    let answer = edge.ask("app.test", &ask).await.expect(200);
    assert_eq!(answer.echoed("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(answer.echoed("x-forwarded-proto"), ["https"]);
    assert!(answer.echoed("forwarded").is_empty());
    assert_eq!(edge.accessed("/nobody").await["client"], "127.0.0.1");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_the_client_is() {
    let (edge, _upstream) = edge(TRUSTING).await;
    let ask = Ask::get("/trusted")
        .header("X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.1.2.3")
        .header("X-Forwarded-Proto", "http")
        .header("X-Forwarded-Host", "shop.example")
        .header("Forwarded", "for=6.6.6.6");
    for answer in [
        edge.ask("app.test", &ask).await.expect(200),
        edge.ask_h2("app.test", &ask).await.expect(200),
    ] {
        assert_eq!(answer.echoed("x-forwarded-for"), ["192.0.2.7"]);
        assert_eq!(answer.echoed("x-real-ip"), ["192.0.2.7"]);
        assert_eq!(answer.echoed("x-forwarded-proto"), ["http"]);
        assert_eq!(answer.echoed("x-forwarded-host"), ["shop.example"]);
        assert!(answer.echoed("forwarded").is_empty());
    }
    assert_eq!(edge.accessed("/trusted").await["client"], "192.0.2.7");
}

#[tokio::test]
async fn one_kind_of_header_counts() {
    let (edge, _upstream) = edge(&format!("{TRUSTING}\nforwarding_headers = \"forwarded\"")).await;
    let ask = Ask::get("/forwarded")
        .header("X-Forwarded-For", "6.6.6.6")
        .header(
            "Forwarded",
            "for=6.6.6.6, for=\"[2001:db8::7]:99\";proto=https;host=a.example",
        );
    let answer = edge.ask("app.test", &ask).await.expect(200);
    assert_eq!(answer.echoed("x-forwarded-for"), ["2001:db8::7"]);
    let written = "for=\"[2001:db8::7]\";proto=https;host=\"a.example\"";
    assert_eq!(answer.echoed("forwarded"), [written]);
    assert_eq!(edge.accessed("/forwarded").await["client"], "2001:db8::7");
}

#[tokio::test]
async fn the_proxy_protocol_in_both_versions_in_front_of_tls() {
    let (edge, upstream) = edge(&format!("{TRUSTING}\nproxy_protocol = true")).await;
    for (header, client) in [(V1, "192.0.2.7"), (V2, "192.0.2.7"), (LOCAL, "127.0.0.1")] {
        let mut connection = Connection::tls_behind(edge.https(), header, "app.test")
            .await
            .unwrap();
        let ask = Ask::get("/").header("X-Forwarded-For", "6.6.6.6, 10.1.2.3");
        connection.send(ask.bytes("app.test")).await.unwrap();
        let answer = connection.answer().await.unwrap().expect(200);
        // Whoever is behind the proxy is no trusted one; and for whom it does not ask it has nothing to tell.
        assert_eq!(answer.echoed("x-forwarded-for"), [client]);
    }
    assert_eq!(upstream.hits(), 3);
}

/// Of version 1, of version 2 without a family, and of a client by a Unix socket.
fn without_an_address() -> [Vec<u8>; 3] {
    let v2 = |rest: &[u8]| [b"\r\n\r\n\0\r\nQUIT\n", rest].concat();
    [
        b"PROXY UNKNOWN 10.1.2.3 10.1.2.4 1 2\r\n".to_vec(),
        v2(&[0x21, 0, 0, 0]),
        v2(&[&[0x21, 0x31, 0, 216][..], &[b'/'; 216]].concat()),
    ]
}

#[tokio::test]
async fn a_client_without_an_address_is_nobody_that_a_list_lets_in() {
    let upstream = Upstream::echo("app").await;
    let home = "[routes.access]\nallow = [\"127.0.0.0/8\", \"10.0.0.0/8\"]";
    let edge = TestEdge::builder()
        .listen(&format!("{TRUSTING}\nproxy_protocol = true"))
        .route(&Route::new("app").to(&upstream).unguarded())
        .route(&Route::new("home").to(&upstream).unguarded().and(home))
        .start()
        .await;
    let ask = async |header: &[u8], host: &str| {
        let mut connection = Connection::tls_behind(edge.https(), header, host).await.unwrap();
        let ask = Ask::get("/").header("X-Forwarded-For", "10.9.9.9");
        connection.send(ask.bytes(host)).await.unwrap();
        connection.answer().await.unwrap()
    };
    for header in without_an_address() {
        let answer = ask(&header, "app.test").await.expect(200);
        assert_eq!(answer.echoed("x-forwarded-for"), ["0.0.0.0"]);
        ask(&header, "home.test").await.expect(403);
    }
    // The proxy's own health check comes from where the proxy is.
    ask(LOCAL, "home.test").await.expect(200);
}

#[tokio::test]
async fn the_proxy_protocol_on_port_80() {
    let (edge, _upstream) = edge(&format!("{TRUSTING}\nproxy_protocol = true")).await;
    let mut connection = Connection::plain(edge.http()).await.unwrap();
    connection.send(V1).await.unwrap();
    connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
    connection.answer().await.unwrap().expect(301);
}

#[tokio::test]
async fn a_trusted_proxy_without_its_header_is_not_served() {
    let listen = format!("{TRUSTING}\nproxy_protocol = true\nproxy_protocol_timeout = \"300ms\"");
    let (edge, upstream) = edge(&listen).await;
    assert!(edge.connect("app.test").await.is_err());
    for sent in [
        &b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n"[..],
        b"PROXY TCP4 not an address\r\n",
        b"PROXY TCP4 192.0.2.7",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"",
    ] {
        for address in [edge.https(), edge.http()] {
            let mut connection = Connection::plain(address).await.unwrap();
            connection.send(sent).await.unwrap();
            assert!(connection.rest().await.is_empty(), "{}", sent.escape_ascii());
        }
    }
    assert_eq!(upstream.hits(), 0);
    let refused = "palisade_listener_refusals_total{reason=\"proxy_protocol\"}";
    edge.metric_reaches(refused, 11.0).await;
}

#[tokio::test]
async fn a_header_from_elsewhere_is_no_header() {
    let (edge, upstream) = edge("trusted_proxies = [\"192.0.2.0/24\"]\nproxy_protocol = true").await;
    edge.ask("app.test", &Ask::get("/")).await.expect(200);
    assert!(
        Connection::tls_behind(edge.https(), V1, "app.test")
            .await
            .is_err()
    );
    assert_eq!(upstream.hits(), 1);
}

#[tokio::test]
async fn a_client_has_so_many_connections_whoever_brings_them() {
    let (edge, _upstream) = edge(&format!(
        "{TRUSTING}\nproxy_protocol = true\nmax_connections_per_client = 2"
    ))
    .await;
    let connect = || Connection::tls_behind(edge.https(), V1, "app.test");
    let one = connect().await.unwrap();
    let _two = connect().await.unwrap();
    assert!(connect().await.is_err());
    // Others are not concerned.
    assert!(
        Connection::tls_behind(edge.https(), LOCAL, "app.test")
            .await
            .is_ok()
    );
    let other = b"PROXY TCP4 192.0.2.8 198.51.100.1 5000 443\r\n";
    assert!(
        Connection::tls_behind(edge.https(), other, "app.test")
            .await
            .is_ok()
    );
    drop(one);
    let again = palisade_tests::harness::eventually("room for one more", || async { connect().await.ok() });
    again.await;
    let refused = "palisade_listener_refusals_total{reason=\"client_connections\"}";
    edge.metric_reaches(refused, 1.0).await;
}
