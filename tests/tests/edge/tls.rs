//! Handshakes: versions, names, certificates, protocols.

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Tls, Versions, eventually, polite, replace};
use rustls::ProtocolVersion;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::version::{TLS12, TLS13};

async fn edge() -> TestEdge {
    TestEdge::with(None, &[Route::new("app").unguarded()]).await
}

/// GET over an open connection.
async fn works(connection: &mut Connection) {
    connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
    connection.answer().await.unwrap().expect(200);
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let edge = edge().await;
    for (offered, expected) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut connection = Connection::tls(edge.https(), "app.test", &Tls::only(offered))
            .await
            .unwrap();
        assert_eq!(connection.handshake.as_ref().unwrap().version, Some(expected));
        works(&mut connection).await;
    }
}

#[tokio::test]
async fn tls_1_1_is_refused_with_an_alert() {
    let edge = edge().await;
    let mut connection = Connection::plain(edge.https()).await.unwrap();
    connection
        .send(client_hello_of_tls_1_1("app.test"))
        .await
        .unwrap();
    let answer = connection.rest().await;
    // A record of type alert (21): fatal (2), protocol_version (70) or handshake_failure (40).
    assert_eq!(answer.first(), Some(&21), "{answer:?}");
    assert!(matches!(&answer[5..7], [2, 70 | 40]), "{answer:?}");
}

#[tokio::test]
async fn tls_1_2_is_refused_where_the_operator_wants_1_3() {
    let edge = TestEdge::builder()
        .tls("min_version = \"1.3\"")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    assert!(
        Connection::tls(edge.https(), "app.test", &Tls::only(&TLS12))
            .await
            .is_err()
    );
    works(
        &mut Connection::tls(edge.https(), "app.test", &Tls::only(&TLS13))
            .await
            .unwrap(),
    )
    .await;
}

#[tokio::test]
async fn the_key_exchange_is_post_quantum_where_the_client_can() {
    let edge = edge().await;
    let group = async |groups: Vec<_>| {
        let tls = Tls {
            groups: Some(groups),
            ..Tls::default()
        };
        let connection = Connection::tls(edge.https(), "app.test", &tls).await.unwrap();
        connection.handshake.unwrap().group.unwrap()
    };
    assert_eq!(
        group(vec![kx_group::X25519MLKEM768, kx_group::X25519]).await,
        "X25519MLKEM768"
    );
    // A client of last year.
    assert_eq!(group(vec![kx_group::X25519]).await, "X25519");
    assert_eq!(group(vec![kx_group::SECP256R1]).await, "secp256r1");
}

#[tokio::test]
async fn the_name_in_the_handshake_picks_the_certificate() {
    let edge = TestEdge::builder()
        .certificate("blog", &["blog.example"])
        .certificate("one", &["one.test"])
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    let shown = async |name: &str| {
        let connection = Connection::tls(edge.https(), name, &Tls::default())
            .await
            .unwrap();
        names_of(&connection)
    };
    assert_eq!(shown("blog.example").await, "blog.example");
    assert_eq!(shown("BLOG.example").await, "blog.example");
    assert_eq!(shown("anything.test").await, "*.test");
    // The exact name over the wildcard.
    assert_eq!(shown("one.test").await, "one.test");
}

#[tokio::test]
async fn an_unknown_name_gets_the_first_certificate() {
    let edge = edge().await;
    let unknown = Connection::tls(edge.https(), "nobody.example", &Tls::default())
        .await
        .unwrap();
    assert_eq!(names_of(&unknown), "*.test");
    let without = Tls {
        sni: false,
        ..Tls::default()
    };
    let without = Connection::tls(edge.https(), "app.test", &without).await.unwrap();
    assert_eq!(names_of(&without), "*.test");
}

#[tokio::test]
async fn an_unknown_name_is_refused_where_the_operator_says_so() {
    let edge = TestEdge::builder()
        .tls("unknown_sni = \"reject\"")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    let unknown = Connection::tls(edge.https(), "nobody.example", &Tls::default()).await;
    assert!(
        unknown.err().unwrap().to_string().contains("alert"),
        "a fatal alert"
    );
    let without = Tls {
        sni: false,
        ..Tls::default()
    };
    assert!(Connection::tls(edge.https(), "app.test", &without).await.is_err());
    works(&mut edge.connect("app.test").await.unwrap()).await;
}

#[tokio::test]
async fn http_2_and_http_1_are_negotiated() {
    let edge = edge().await;
    for (offered, expected) in [
        (vec!["h2", "http/1.1"], Some("h2")),
        (vec!["http/1.1", "h2"], Some("h2")),
        (vec!["http/1.1"], Some("http/1.1")),
        (vec!["http/1.0"], Some("http/1.0")),
        (vec![], None),
    ] {
        let tls = Tls {
            alpn: offered.clone(),
            ..Tls::default()
        };
        let connection = Connection::tls(edge.https(), "app.test", &tls).await.unwrap();
        assert_eq!(
            connection.handshake.unwrap().alpn.as_deref(),
            expected,
            "{offered:?}"
        );
    }
    for versions in [Versions::Both, Versions::Http1, Versions::Http2] {
        let client = edge.client_of(versions);
        polite::send(client.get("https://app.test/")).await.expect(200);
    }
}

#[tokio::test]
async fn a_client_without_alpn_or_of_http_1_0_speaks_http_1() {
    let edge = edge().await;
    for alpn in [vec![], vec!["http/1.0"]] {
        let tls = Tls {
            alpn,
            ..Tls::default()
        };
        works(&mut Connection::tls(edge.https(), "app.test", &tls).await.unwrap()).await;
    }
}

#[tokio::test]
async fn ipv6_is_served() {
    let builder = TestEdge::builder().listen("https = [\"127.0.0.1:0\", \"[::1]:0\"]");
    let edge = builder.route(&Route::new("app").unguarded()).start().await;
    let [v4, v6] = edge.addresses().https[..] else {
        panic!("{:?}", edge.addresses().https)
    };
    assert!(v4.is_ipv4() && v6.is_ipv6());
    for address in [v4, v6] {
        works(
            &mut Connection::tls(address, "app.test", &Tls::default())
                .await
                .unwrap(),
        )
        .await;
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_made_once_and_kept() {
    let builder = TestEdge::builder()
        .without_certificates()
        .tls("self_signed = [\"*.localhost\", \"localhost\"]");
    let edge = builder
        .route(&Route::new("app").hosts(&["app.localhost"]).unguarded())
        .start()
        .await;
    let shown = async |edge: &TestEdge| {
        let connection = Connection::tls(edge.https(), "app.localhost", &Tls::default())
            .await
            .unwrap();
        connection.handshake.unwrap().certificates[0].clone()
    };
    let first = shown(&edge).await;
    let names = names_in(&first);
    assert!(
        names.contains("*.localhost") && names.contains("localhost"),
        "{names}"
    );
    let edge = TestEdge::restart(edge.stop().await).await;
    assert_eq!(shown(&edge).await, first);
}

#[tokio::test]
async fn a_new_certificate_file_is_served_from_the_next_handshake_on() {
    let edge = edge().await;
    let mut old = edge.connect("app.test").await.unwrap();
    let before = old.handshake.as_ref().unwrap().certificates[0].clone();

    let renewed = edge.files().ca.issue(&["*.test"]);
    renewed.write(edge.files().folder(), "wildcard");
    eventually("the new certificate", || async {
        let connection = edge.connect("app.test").await.unwrap();
        let shown = connection.handshake.unwrap().certificates[0].clone();
        assert!(
            shown == before || shown == renewed.der,
            "neither the old nor the new one"
        );
        (shown == renewed.der).then_some(())
    })
    .await;
    // Who was connected stays.
    works(&mut old).await;
}

#[tokio::test]
async fn a_broken_certificate_file_leaves_the_old_one_served() {
    let edge = edge().await;
    let before = edge
        .connect("app.test")
        .await
        .unwrap()
        .handshake
        .unwrap()
        .certificates[0]
        .clone();
    replace(
        &edge.files().folder().join("wildcard.pem"),
        "-----BEGIN CERTIFICATE-----\nnonsense\n",
    );
    eventually("the failure in the metrics", || async {
        (edge.metric("palisade_config_last_reload_successful").await == 0.0).then_some(())
    })
    .await;
    let mut connection = edge.connect("app.test").await.unwrap();
    assert_eq!(connection.handshake.as_ref().unwrap().certificates[0], before);
    works(&mut connection).await;
}

/// The common name of the certificate that was shown: the harness writes the first name there.
fn names_of(connection: &Connection) -> String {
    let der = &connection.handshake.as_ref().unwrap().certificates[0];
    let text = names_in(der);
    ["blog.example", "one.test", "*.test"]
        .into_iter()
        .find(|name| text.contains(name))
        .unwrap()
        .to_owned()
}

/// The readable part of a certificate: names stand in it as ASCII.
fn names_in(der: &[u8]) -> String {
    der.iter()
        .map(|byte| {
            if byte.is_ascii_graphic() {
                char::from(*byte)
            } else {
                ' '
            }
        })
        .collect()
}

/// By hand: no library of today offers it.
fn client_hello_of_tls_1_1(name: &str) -> Vec<u8> {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let mut sni = vec![0];
    sni.extend(length(name.as_bytes()));
    sni.extend(name.as_bytes());
    let mut extensions = vec![0, 0];
    extensions.extend(u16::try_from(sni.len() + 2).unwrap().to_be_bytes());
    extensions.extend(length(&sni));
    extensions.extend(sni);
    // supported_groups: secp256r1, secp384r1; ec_point_formats: uncompressed.
    extensions.extend([0, 10, 0, 6, 0, 4, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0]);
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.push(0);
    // ECDHE-ECDSA and ECDHE-RSA with AES-CBC and SHA-1, RSA likewise.
    hello.extend([0, 6, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f]);
    hello.extend([1, 0]);
    hello.extend(length(&extensions));
    hello.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(hello.len() + 4).unwrap().to_be_bytes());
    record.extend([1, 0]);
    record.extend(length(&hello));
    record.extend(hello);
    record
}
