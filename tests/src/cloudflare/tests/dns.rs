//! What the name servers answer.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use palisade::nameserver::{AskError, ask as ask_dns};

use super::*;
use crate::cloudflare::Behaviour;

const PATIENCE: Duration = Duration::from_secs(5);

async fn question(server: SocketAddr, name: &str, kind: &str) -> Result<Message, AskError> {
    let kind: RecordType = kind.parse().unwrap();
    let query = Query::query(Name::from_ascii(format!("{name}.")).unwrap(), kind);
    ask_dns(server, &query, false, PATIENCE).await
}

/// The answers as `name data`, sorted.
async fn answers(fake: &FakeCloudflare, name: &str, kind: &str) -> Vec<String> {
    let message = question(fake.dns(), name, kind).await.unwrap();
    shown(&message)
}

fn shown(message: &Message) -> Vec<String> {
    let record = |record: &hickory_proto::rr::Record| format!("{} {}", record.name, record.data);
    let mut shown: Vec<String> = message.answers.iter().map(record).collect();
    shown.sort();
    shown
}

#[tokio::test]
async fn dns_fake_answers_from_the_records() {
    let fake = fake().await;
    fake.seed(ZONE, a("www", "192.0.2.1"));
    fake.seed(ZONE, a("www", "192.0.2.2"));
    fake.seed(
        ZONE,
        json!({"type": "AAAA", "name": "www", "content": "2001:db8::1"}),
    );
    fake.seed(ZONE, cname("alias", "www.example.com"));
    fake.seed(ZONE, cname("out", "elsewhere.example.net"));
    fake.seed(ZONE, cname("loop", "loop.example.com"));
    fake.seed(ZONE, a("*.wild", "192.0.2.3"));
    fake.seed(ZONE, a("a.deep.wild", "192.0.2.4"));
    fake.seed(
        ZONE,
        txt("text", "\"heritage=external-dns,external-dns/owner=default\""),
    );
    fake.seed(ZONE, txt("two", "\"one\" \"two\\\"\""));
    fake.seed(ZONE, txt("plain", "no quotes"));
    fake.seed(ZONE, cname("@", "www.example.com"));
    fake.seed(
        ZONE,
        json!({"type": "A", "name": "proxied", "content": "198.51.100.1", "proxied": true}),
    );
    let caa = json!({"flags": 0, "tag": "issue", "value": "letsencrypt.org"});
    fake.seed(ZONE, json!({"type": "CAA", "name": "www", "data": caa}));
    let table: [(&str, &str, &[&str]); 16] = [
        (
            "www.example.com",
            "A",
            &["www.example.com. 192.0.2.1", "www.example.com. 192.0.2.2"],
        ),
        ("www.example.com", "AAAA", &["www.example.com. 2001:db8::1"]),
        ("WWW.example.com", "AAAA", &["WWW.example.com. 2001:db8::1"]),
        (
            "alias.example.com",
            "AAAA",
            &[
                "alias.example.com. www.example.com.",
                "www.example.com. 2001:db8::1",
            ],
        ),
        (
            "alias.example.com",
            "CNAME",
            &["alias.example.com. www.example.com."],
        ),
        (
            "out.example.com",
            "A",
            &["out.example.com. elsewhere.example.net."],
        ),
        ("example.com", "AAAA", &["example.com. 2001:db8::1"]),
        ("example.com", "CNAME", &[]),
        ("any.wild.example.com", "A", &["any.wild.example.com. 192.0.2.3"]),
        (
            "x.any.wild.example.com",
            "A",
            &["x.any.wild.example.com. 192.0.2.3"],
        ),
        (
            "text.example.com",
            "TXT",
            &["text.example.com. heritage=external-dns,external-dns/owner=default"],
        ),
        ("two.example.com", "TXT", &["two.example.com. onetwo\""]),
        ("plain.example.com", "TXT", &["plain.example.com. no quotes"]),
        ("proxied.example.com", "A", &["proxied.example.com. 104.16.0.1"]),
        ("example.com", "NS", &["example.com. ns1.example.com."]),
        ("ns1.example.com", "A", &["ns1.example.com. 127.0.0.1"]),
    ];
    for (name, kind, expected) in table {
        assert_eq!(answers(&fake, name, kind).await, expected, "{name} {kind}");
    }
    let caa = answers(&fake, "www.example.com", "CAA").await;
    assert!(caa.len() == 1 && caa[0].contains("letsencrypt.org"), "{caa:?}");
    assert_eq!(answers(&fake, "loop.example.com", "A").await.len(), 8);
    let soa = answers(&fake, "example.com", "SOA").await;
    assert!(
        soa[0].starts_with("example.com. ns1.example.com. dns.example.com."),
        "{soa:?}"
    );
}

#[tokio::test]
async fn dns_fake_says_what_is_not_there() {
    let fake = fake().await;
    fake.seed(ZONE, a("www", "192.0.2.1"));
    fake.seed(ZONE, a("*.wild", "192.0.2.3"));
    fake.seed(ZONE, a("a.deep.wild", "192.0.2.4"));
    fake.seed(ZONE, cname("dangling", "gone.example.com"));
    fake.seed(
        ZONE,
        json!({"type": "HTTPS", "name": "svc", "data": {"priority": 1, "target": ".", "value": ""}}),
    );
    let nodata = ResponseCode::NoError;
    let table = [
        ("gone.example.com", "A", ResponseCode::NXDomain),
        ("www.example.com", "AAAA", nodata),
        ("www.example.com", "CAA", nodata),
        ("svc.example.com", "A", nodata),
        // An empty non-terminal exists, and keeps the wildcard away from what is below it.
        ("deep.wild.example.com", "A", nodata),
        ("b.deep.wild.example.com", "A", ResponseCode::NXDomain),
        ("wild.example.com", "A", nodata),
        ("any.wild.example.com", "TXT", nodata),
        ("dangling.example.com", "A", ResponseCode::NXDomain),
    ];
    for (name, kind, code) in table {
        let answer = question(fake.dns(), name, kind).await.unwrap();
        assert_eq!(answer.metadata.response_code, code, "{name} {kind}");
        assert!(answer.metadata.authoritative, "{name} {kind}");
        assert_eq!(
            answer.authorities[0].record_type(),
            RecordType::SOA,
            "{name} {kind}"
        );
    }
    let refused = question(fake.dns(), "www.example.org", "A").await.unwrap_err();
    assert!(refused.to_string().contains("Refused"), "{refused}");
}

#[tokio::test]
async fn dns_fake_refers_to_where_a_name_is_delegated() {
    let fake = fake().await;
    fake.seed(
        ZONE,
        json!({"type": "NS", "name": "sub", "content": "ns.example.net"}),
    );
    let answer = question(fake.dns(), "www.sub.example.com", "A").await.unwrap();
    assert!(answer.answers.is_empty() && !answer.metadata.authoritative);
    assert_eq!(answer.authorities[0].data.to_string(), "ns.example.net.");
}

#[tokio::test]
async fn dns_fake_cuts_what_does_not_fit_into_a_packet() {
    let fake = fake().await;
    let long: Vec<String> = (0..4).map(|n| format!("{n}{}", "x".repeat(599))).collect();
    for text in &long {
        fake.seed(ZONE, txt("long", text));
    }
    let message = question(fake.dns(), "long.example.com", "TXT").await.unwrap();
    let texts: Vec<String> = message
        .answers
        .iter()
        .map(|record| record.data.to_string())
        .collect();
    assert_eq!(
        texts, long,
        "texts of more than 255 bytes are cut and put together again"
    );
    let asked: Vec<bool> = fake.questions().iter().map(|question| question.tcp).collect();
    assert_eq!(asked, [false, true]);
    assert_eq!(fake.questions()[0].kind, "TXT");
}

#[tokio::test]
async fn dns_fake_shows_changes_after_a_while() {
    let delays = vec![Duration::ZERO, Duration::MAX, Duration::MAX];
    let options = FakeOptions {
        name_servers: delays,
        ..FakeOptions::zones(&[ZONE])
    };
    let fake = FakeCloudflare::start(options).await;
    let servers = fake.name_servers().to_vec();
    assert_eq!(answers(&fake, ZONE, "NS").await.len(), 3);
    assert_eq!(
        answers(&fake, "ns3.example.com", "A").await,
        ["ns3.example.com. 127.0.0.3"]
    );
    fake.seed(ZONE, txt("seeded", "x"));
    post(&fake, txt("made", "x")).await.result();
    let seen = async |name: &str| {
        let mut seen = Vec::new();
        for server in &servers {
            let answer = question(*server, name, "TXT").await.unwrap();
            seen.push(answer.answers.len());
        }
        seen
    };
    assert_eq!(seen("seeded.example.com").await, [1, 1, 1]);
    assert_eq!(seen("made.example.com").await, [1, 0, 0]);
    fake.set_propagation(1, Duration::from_millis(300));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(seen("made.example.com").await, [1, 1, 0]);
    fake.set_propagation(2, Duration::ZERO);
    assert_eq!(seen("made.example.com").await, [1, 1, 1]);
}

#[tokio::test]
async fn dns_fake_servers_can_fail() {
    let fake = fake().await;
    for (behaviour, told) in [
        (Behaviour::Refuses, "Refused"),
        (Behaviour::Fails, "Server Failure"),
    ] {
        fake.set_behaviour(0, behaviour);
        let error = question(fake.dns(), ZONE, "SOA").await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    fake.set_behaviour(0, Behaviour::Silent);
    let query = Query::query(Name::from_ascii("example.com.").unwrap(), RecordType::SOA);
    let error = ask_dns(fake.dns(), &query, false, Duration::from_millis(300)).await;
    assert!(matches!(error, Err(AskError::Timeout { .. })));
}
