//! openssl s_client: what the handshake agrees on, and what it refuses.

use palisade_tests::harness::TestCa;

use crate::ground::Ground;
use crate::program::{Session, run_with};

const GET: &str = "GET /off/page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

pub(crate) async fn check() -> String {
    let ground = Ground::new().await;
    versions(&ground).await;
    sessions(&ground).await;
    names(&ground).await;
    certificates(&ground).await;
    "versions, ALPN, renegotiation refused, key updates, tickets, other names, client certificates".to_owned()
}

async fn versions(ground: &Ground) {
    let alpn = ["-alpn", "h2,http/1.1"];
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let told = s_client(ground, "localhost", &[&[version], &alpn[..]].concat(), "").await;
        assert!(told.contains(&format!("New, {name}")), "{told}");
        assert!(
            told.contains("ALPN protocol: h2") && told.contains("Verify return code: 0 (ok)"),
            "{told}"
        );
    }
    for version in ["-tls1", "-tls1_1"] {
        let old = [version, "-cipher", "ALL:@SECLEVEL=0"];
        let told = s_client(ground, "localhost", &old, "").await;
        assert!(
            told.contains("alert number") && told.contains("Cipher is (NONE)"),
            "{version}: {told}"
        );
    }
    let told = s_client(ground, "localhost", &["-alpn", "http/1.1"], GET).await;
    assert!(
        told.contains("ALPN protocol: http/1.1") && told.contains("HTTP/1.1 200"),
        "{told}"
    );
    let told = s_client(ground, "localhost", &["-alpn", "spdy/3"], "").await;
    assert!(told.contains("alert no application protocol"), "{told}");
}

async fn sessions(ground: &Ground) {
    let (ca, address) = (ground.ca(), ground.https.to_string());
    let common = [
        "s_client",
        "-connect",
        &address,
        "-CAfile",
        &ca,
        "-servername",
        "localhost",
    ];
    // A line of one R asks for another handshake, one of K for new keys of both sides.
    let mut session = Session::start("openssl", &[&common[..], &["-tls1_2"]].concat());
    session.hear("Verify return code: 0").await;
    session.say("R\n").await;
    session.hear("no renegotiation").await;
    let mut session = Session::start("openssl", &[&common[..], &["-tls1_3"]].concat());
    session.hear("Verify return code: 0").await;
    session.say("K\n").await;
    session.hear("KEYUPDATE").await;
    session.say(GET).await;
    session.hear("HTTP/1.1 200").await;
    for version in ["-tls1_2", "-tls1_3"] {
        let ticket = ground.path(&format!("ticket{version}"));
        let told = s_client(ground, "localhost", &[version, "-sess_out", &ticket], GET).await;
        assert!(
            told.contains("New, TLS") && told.contains("HTTP/1.1 200"),
            "{told}"
        );
        let told = s_client(ground, "localhost", &[version, "-sess_in", &ticket], GET).await;
        assert!(
            told.contains("Reused, TLS") && told.contains("HTTP/1.1 200"),
            "{version}: {told}"
        );
    }
}

async fn names(ground: &Ground) {
    let elsewhere = GET.replace("localhost", "elsewhere.example");
    let told = s_client(ground, "localhost", &[], &elsewhere).await;
    assert!(
        told.contains("HTTP/1.1 421"),
        "the name of one host, the Host of another: {told}"
    );
    let told = s_client(ground, "elsewhere.example", &[], &elsewhere).await;
    assert!(
        told.contains("CN = *.test") && told.contains("HTTP/1.1 404"),
        "an unknown name: {told}"
    );
    let told = s_client(ground, "", &["-noservername"], GET).await;
    assert!(told.contains("HTTP/1.1 200"), "no name: {told}");
}

async fn certificates(ground: &Ground) {
    let folder = ground.files.folder();
    let get = GET.replace("localhost", "mtls.test");
    let told = s_client(ground, "mtls.test", &[], &get).await;
    assert!(told.contains("HTTP/1.1 403"), "no certificate: {told}");
    let (anna, key) = ground.clients.issue_client("anna", 7).write(folder, "anna");
    let shown = ["-cert", anna.to_str().unwrap(), "-key", key.to_str().unwrap()];
    let told = s_client(ground, "mtls.test", &shown, &get).await;
    assert!(told.contains("HTTP/1.1 200"), "anna's: {told}");
    let (stranger, key) = TestCa::new().issue_client("anna", 7).write(folder, "stranger");
    let shown = ["-cert", stranger.to_str().unwrap(), "-key", key.to_str().unwrap()];
    let told = s_client(ground, "mtls.test", &shown, &get).await;
    assert!(
        told.contains("SSL alert number") && !told.contains("HTTP/1.1"),
        "a stranger's: {told}"
    );
}

/// Shakes hands for `name`, sends, and reads until the edge is done.
async fn s_client(ground: &Ground, name: &str, arguments: &[&str], input: &str) -> String {
    let (ca, address) = (ground.ca(), ground.https.to_string());
    let named = ["-servername", name];
    let named = if name.is_empty() { &[][..] } else { &named };
    // A Q is the end; with -ign_eof it would be sent.
    let (input, stay) = match input {
        "" => ("Q\n", &[][..]),
        _ => (input, &["-ign_eof"][..]),
    };
    let arguments = [
        &["s_client", "-connect", &address, "-CAfile", &ca],
        named,
        arguments,
        stay,
    ]
    .concat();
    run_with("openssl", &arguments, input.as_bytes()).await.said
}
