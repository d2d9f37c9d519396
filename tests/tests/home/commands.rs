//! `palisade dns` and `palisade ip`, as they are typed.

use std::net::{Ipv4Addr, SocketAddr};

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record};
use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions};
use palisade_tests::harness::upstream::{DeadPort, answering};
use palisade_tests::harness::{EdgeFiles, Route, TestEdge, Upstream};
use serde_json::json;
use tokio::net::UdpSocket;

use crate::desk::{palisade, token_is_nowhere, untouched, writes};
use crate::house::ZONE;

const FIXED: &str = "[ddns]\nipv4 = [\"203.0.113.7\"]\n";

/// A zone with records of others in it.
async fn zone() -> FakeCloudflare {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    for record in [
        json!({"type": "A", "name": "mail.example.com", "content": "198.51.100.1", "ttl": 300}),
        json!({"type": "TXT", "name": "example.com", "content": "\"v=spf1 -all\"", "ttl": 1}),
        json!({"type": "CAA", "name": "example.com", "ttl": 1, "data": {"flags": 0, "tag": "issue", "value": "ca.example"}}),
    ] {
        fake.seed(ZONE, record);
    }
    fake
}

/// A configuration with these hosts, whose records only are looked after.
fn files(fake: &FakeCloudflare, hosts: &[&str], ddns: &str) -> EdgeFiles {
    let zone = format!(
        "[[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\ncertificates = []\n",
        fake.base_url()
    );
    TestEdge::builder()
        .without_certificates()
        .route(&Route::new("app").hosts(hosts).unguarded())
        .file("token", fake.token())
        .and(&zone)
        .and(ddns)
        .write()
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_plan_tells_what_apply_then_does_once() {
    let fake = zone().await;
    let files = files(&fake, &["app.example.com", "mail.example.com"], FIXED);
    let before = fake.records(ZONE);

    let plan = palisade(&files, "dns plan").await;
    plan.expect(
        0,
        &[
            "example.com:\n",
            "  + ",
            "app.example.com",
            "203.0.113.7",
            "a-app.example.com",
            "A mail.example.com is there and not ours: left as it is",
        ],
    );
    assert_eq!(writes(&fake), 0);
    assert_eq!(fake.records(ZONE), before);

    let apply = palisade(&files, "dns apply").await;
    apply.expect(0, &["203.0.113.7", "example.com: 2 of 2 changes made"]);
    assert_eq!(fake.contents(ZONE, "app.example.com", "A"), ["203.0.113.7"]);
    untouched(&before, &fake.records(ZONE));
    assert_eq!(fake.records(ZONE).len(), before.len() + 2);

    fake.forget_calls();
    let again = palisade(&files, "dns apply").await;
    again.expect(0, &["nothing to do", "example.com: 0 of 0 changes made"]);
    assert_eq!(writes(&fake), 0, "{:#?}", fake.calls());
    token_is_nowhere(&files, fake.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_apply_refuses_to_delete_most_of_it_until_it_is_told_to() {
    let fake = zone().await;
    let before = fake.records(ZONE);
    let hosts = ["a.example.com", "b.example.com", "c.example.com", "d.example.com"];
    let files = files(&fake, &hosts, FIXED);
    palisade(&files, "dns apply")
        .await
        .expect(0, &["8 of 8 changes made"]);

    files.edit(", \"b.example.com\", \"c.example.com\", \"d.example.com\"", "");
    fake.forget_calls();
    let refused = [
        "refused to delete 3 of our 4 records, more than 50 % (max_delete_percent)",
        "b.example.com",
        "c.example.com",
        "d.example.com",
    ];
    palisade(&files, "dns plan").await.expect(1, &refused);
    palisade(&files, "dns apply").await.expect(1, &refused);
    assert_eq!(writes(&fake), 0);

    let told = palisade(&files, "dns apply --allow-deletes").await;
    told.expect(0, &["example.com: 6 of 6 changes made"]);
    assert_eq!(fake.contents(ZONE, "a.example.com", "A"), ["203.0.113.7"]);
    for host in &hosts[1..] {
        assert_eq!(fake.contents(ZONE, host, "A"), [""; 0]);
    }
    untouched(&before, &fake.records(ZONE));
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_commands_say_what_to_do_about_a_token_that_is_wrong_or_missing() {
    let fake = zone().await;
    let before = fake.records(ZONE);
    let files = files(&fake, &["app.example.com"], FIXED);
    files.write("token", "wrong-token_0123456789abcdefghijklmnopqr");
    for command in ["dns plan", "dns apply"] {
        let wrong = palisade(&files, command).await;
        wrong.expect(
            1,
            &[
                "example.com: could not be read, so nothing was planned or changed",
                "error: example.com: the API refused",
                "-> the token is wrong, expired or may not do this: it needs Zone / Zone / Read and Zone / DNS / Edit",
            ],
        );
    }
    std::fs::remove_file(files.folder().join("token")).unwrap();
    palisade(&files, "dns apply")
        .await
        .expect(1, &["token", "No such file"]);
    assert_eq!(fake.records(ZONE), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ddns_ip_tells_a_fixed_address() {
    let fake = zone().await;
    let files = files(&fake, &["app.example.com"], FIXED);
    let told = palisade(&files, "ip").await;
    told.expect(0, &["IPv4: publish 203.0.113.7", "IPv6: no method is configured"]);
    assert_eq!(fake.calls().len(), 0);
}

/// A trace page that tells this.
async fn page(address: &str) -> Upstream {
    let text = format!("fl=1\nh=127.0.0.1\nip={address}\nwarp=off\n");
    Upstream::serve(answering(200, "text/plain", text)).await
}

/// A name server that tells this to whoever asks.
async fn responder(address: Ipv4Addr) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        loop {
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            let request = Message::from_vec(&packet[..length]).unwrap();
            let query = request.queries[0].clone();
            let mut answer = Message::response(request.metadata.id, OpCode::Query);
            answer.add_answer(Record::from_rdata(
                query.name().clone(),
                0,
                RData::A(A::from(address)),
            ));
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        }
    });
    server
}

fn asking(page: &str, responder: SocketAddr) -> String {
    format!(
        "[ddns]\nipv4 = [\"https\", \"dns\"]\ntimeout = \"5s\"\ntrace = [\"{page}/cdn-cgi/trace\"]\n\
         whoami = [\"opendns@{responder}\"]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn ddns_ip_tells_what_methods_say_and_whether_they_agree() {
    let fake = zone().await;
    let cases: [(&str, [u8; 4], i32, &[&str]); 3] = [
        ("8.8.8.8", [8, 8, 8, 8], 0, &["IPv4: publish 8.8.8.8"]),
        (
            "8.8.8.8",
            [9, 9, 9, 9],
            1,
            &["8.8.8.8", "9.9.9.9", "there is doubt: what is published stays"],
        ),
        (
            "100.64.1.1",
            [8, 8, 8, 8],
            1,
            &["100.64.1.1, rejected: carrier-grade NAT", "1 of 2 methods"],
        ),
    ];
    for (told, answered, code, says) in cases {
        let (page, server) = (page(told).await, responder(answered.into()).await);
        let files = files(&fake, &["app.example.com"], &asking(&page.url(), server));
        palisade(&files, "ip").await.expect(code, says);
    }
    assert_eq!(fake.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ddns_doubt_is_told_and_no_reason_to_change_anything() {
    let fake = zone().await;
    let files = files(&fake, &["app.example.com"], FIXED);
    palisade(&files, "dns apply").await.expect(0, &[]);
    let before = fake.records(ZONE);

    // A page that is a portal's, and a name server that is not there.
    let portal = Upstream::serve(answering(200, "text/html", "<h1>Welcome, please log in</h1>")).await;
    let gone = UdpSocket::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    files.edit(FIXED, &asking(&portal.url(), gone));
    palisade(&files, "ip")
        .await
        .expect(1, &["no answer", "there is doubt"]);
    for command in ["dns plan", "dns apply"] {
        palisade(&files, command).await.expect(
            1,
            &[
                "the address for A records is not known now: they stay as they are",
                "error: the address is not known (`palisade ip` tells why)",
            ],
        );
    }
    let nowhere = DeadPort::new();
    files.edit(
        &portal.url(),
        &palisade_tests::harness::Backend::backend(&nowhere),
    );
    palisade(&files, "ip")
        .await
        .expect(1, &["no answer", "there is doubt"]);
    assert_eq!(fake.records(ZONE), before);
}
