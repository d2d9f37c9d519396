//! The client against a socket that says what a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::secret::Secret;

const TOKEN: &str = "t0k3n-of-nobody";

/// A server that gives one answer after the other, and what it was asked.
struct Server {
    client: Client,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn saying(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/client/v4", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !whole(&request) {
                    assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
                }
                log.lock().unwrap().push(String::from_utf8(request).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self {
            client: Client::new(&base, Secret::new(TOKEN)),
            asked,
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn request_line(&self, nth: usize) -> String {
        self.asked()[nth].lines().next().unwrap().to_owned()
    }

    fn body(&self, nth: usize) -> Value {
        serde_json::from_str(self.asked()[nth].split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

fn ok(result: Value) -> String {
    http(
        "200 OK",
        "",
        &json!({"success": true, "errors": [], "result": result}).to_string(),
    )
}

fn page(records: &[Value], pages: u64, total: u64) -> String {
    let body = json!({"success": true, "result": records, "result_info": {"total_pages": pages, "total_count": total}});
    http("200 OK", "", &body.to_string())
}

fn refusal(status: &str, errors: Value) -> String {
    // A refusal's result has any form.
    http(
        status,
        "",
        &json!({"success": false, "errors": errors, "result": {}}).to_string(),
    )
}

fn record(id: &str, kind: &str, name: &str, content: &str) -> Value {
    json!({"id": id, "type": kind, "name": name, "content": content, "ttl": 1, "proxied": false, "comment": null, "tags": [], "meta": {}})
}

#[tokio::test]
async fn dns_a_zone_is_found_by_its_name_and_the_token_is_sent() {
    let zone = json!({"id": "z1", "name": "example.com", "status": "active", "name_servers": ["a.ns", "b.ns"], "plan": {"legacy_id": "free"}});
    let server = Server::saying(vec![ok(json!([zone])), ok(json!([]))]).await;
    let found = server.client.zone("example.com").await.unwrap();
    assert_eq!((found.id.as_str(), found.name_servers.len()), ("z1", 2));
    assert_eq!(
        server.request_line(0),
        "GET /client/v4/zones?name=example.com HTTP/1.1"
    );
    assert!(server.asked()[0].contains(&format!("authorization: Bearer {TOKEN}\r\n")));

    let missing = server.client.zone("example.org").await.unwrap_err();
    assert_eq!(missing.to_string(), "the token sees no zone example.org");
    assert!(missing.advice().unwrap().contains("Zone / Zone / Read"));
}

#[tokio::test]
async fn dns_unknown_types_never_fail_a_list() {
    let caa = json!({"id": "c", "type": "CAA", "name": "example.com", "data": {"flags": 0, "tag": "issue", "value": "ca.test"}, "ttl": 1});
    let strange = json!({"type": "NEXT", "ttl": "long"});
    let mut www = record("a", "A", "WWW.example.com", "203.0.113.5");
    www["comment"] = json!("the door");
    www["tags"] = json!(["team:web"]);
    let server = Server::saying(vec![ok(json!([caa, www, strange]))]).await;
    let records = server.client.records("z").await.unwrap();
    assert_eq!(records[0].kind, RecordType::Other("CAA".to_owned()));
    assert_eq!(records[0].raw, Some(caa));
    assert_eq!(
        (
            records[1].name.as_str(),
            records[1].comment.as_deref(),
            records[1].tags.len()
        ),
        ("www.example.com", Some("the door"), 1)
    );
    assert_eq!(records[2].raw, Some(strange));
}

#[tokio::test]
async fn dns_pages_are_put_together_and_listed_anew_if_they_do_not_fit() {
    let of = |id: &str| record(id, "A", &format!("{id}.example.com"), "203.0.113.5");
    // Between the pages of the first go a record goes: c moves to page 1 and would be missed.
    let server = Server::saying(vec![
        page(&[of("a"), of("b")], 2, 3),
        page(&[], 1, 2),
        page(&[of("b"), of("c")], 2, 3),
        page(&[of("d")], 2, 3),
    ])
    .await;
    let records = server.client.records("z").await.unwrap();
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["b", "c", "d"]);
    assert!(server.request_line(3).contains("page=2&per_page=1000&"));

    let restless = (0..3)
        .flat_map(|_| [page(&[of("a")], 2, 2), page(&[of("a")], 2, 2)])
        .collect();
    let server = Server::saying(restless).await;
    let error = server.client.records("z").await.unwrap_err();
    assert!(matches!(error, ApiError::Unstable) && error.is_transient());
}

#[tokio::test]
async fn dns_writes_say_only_what_they_mean() {
    let made = record("n", "TXT", "a-www.example.com", "x");
    let server = Server::saying(vec![
        ok(made.clone()),
        ok(made),
        ok(json!({"id": "n"})),
        refusal(
            "404 Not Found",
            json!([{"code": 81044, "message": "Record does not exist."}]),
        ),
        ok(json!({"deletes": [], "patches": [], "posts": []})),
    ])
    .await;
    let post = NewRecord {
        name: "a-www.example.com".to_owned(),
        kind: RecordType::Txt,
        content: "x".to_owned(),
        ttl: 1,
        proxied: None,
        comment: None,
    };
    let patch = RecordPatch {
        content: Some("203.0.113.6".to_owned()),
        ..RecordPatch::default()
    };
    server.client.create("z", &post).await.unwrap();
    server.client.patch("z", "r", &patch).await.unwrap();
    server.client.delete("z", "r").await.unwrap();
    server.client.delete("z", "gone").await.unwrap();
    let batch = Batch {
        deletes: vec!["d".to_owned()],
        patches: vec![("p".to_owned(), patch)],
        posts: vec![post],
    };
    server.client.batch("z", &batch).await.unwrap();

    let txt = json!({"name": "a-www.example.com", "type": "TXT", "content": "x", "ttl": 1});
    assert_eq!(
        server.request_line(0),
        "POST /client/v4/zones/z/dns_records HTTP/1.1"
    );
    assert_eq!(server.body(0), txt);
    assert_eq!(
        server.request_line(1),
        "PATCH /client/v4/zones/z/dns_records/r HTTP/1.1"
    );
    assert_eq!(server.body(1), json!({"content": "203.0.113.6"}));
    assert_eq!(
        server.request_line(2),
        "DELETE /client/v4/zones/z/dns_records/r HTTP/1.1"
    );
    assert_eq!(
        server.request_line(4),
        "POST /client/v4/zones/z/dns_records/batch HTTP/1.1"
    );
    let body =
        json!({"deletes": [{"id": "d"}], "patches": [{"id": "p", "content": "203.0.113.6"}], "posts": [txt]});
    assert_eq!(server.body(4), body);
}

#[tokio::test]
async fn dns_past_the_limit_nothing_is_sent() {
    let server = Server::saying(vec![
        http(
            "200 OK",
            "ratelimit: \"default\";r=7;t=30\r\n",
            r#"{"success": true, "result": []}"#,
        ),
        http("429 Too Many Requests", "retry-after: 120\r\n", "slow down"),
    ])
    .await;
    server.client.records("z").await.unwrap();
    assert_eq!(server.client.quota().remaining, Some(7));
    for _ in 0..3 {
        let error = server.client.records("z").await.unwrap_err();
        let ApiError::RateLimited { retry_after } = error else {
            panic!("{error}");
        };
        assert!(retry_after > Duration::from_secs(110) && retry_after <= Duration::from_secs(120));
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn dns_errors_say_what_to_do() {
    let private = json!([{"code": 9003, "message": "Content for A record is invalid."}]);
    let ttl = json!([{"code": 1004, "message": "DNS Validation Error", "error_chain": [{"code": 9021, "message": "Invalid TTL."}]}]);
    let table: [(&str, Value, &str, bool, bool); 8] = [
        ("400 Bad Request", private, "private address", false, false),
        ("400 Bad Request", ttl, "60 to 86400", false, false),
        (
            "400 Bad Request",
            json!([{"code": 81053, "message": "x"}]),
            "has this name already",
            false,
            false,
        ),
        (
            "400 Bad Request",
            json!([{"code": 81058, "message": "x"}]),
            "not ours",
            false,
            false,
        ),
        (
            "403 Forbidden",
            json!([{"code": 10000, "message": "Authentication error"}]),
            "DNS / Edit",
            true,
            false,
        ),
        (
            "400 Bad Request",
            json!([{"code": 6003, "message": "Invalid request headers"}]),
            "DNS / Edit",
            true,
            false,
        ),
        (
            "404 Not Found",
            json!([{"code": 7003, "message": "Could not route"}]),
            "looked up anew",
            false,
            false,
        ),
        (
            "500 Internal Server Error",
            json!([{"code": 1, "message": "x"}]),
            "",
            false,
            true,
        ),
    ];
    let answers = table
        .iter()
        .map(|(status, errors, ..)| refusal(status, errors.clone()))
        .collect();
    let server = Server::saying(answers).await;
    for (status, errors, advice, auth, transient) in table {
        let error = server.client.verify_token().await.unwrap_err();
        assert!(error.advice().unwrap_or_default().contains(advice), "{errors}");
        assert_eq!(
            (error.is_auth(), error.is_transient()),
            (auth, transient),
            "{errors}"
        );
        assert!(
            error.to_string().contains(status.split_once(' ').unwrap().0),
            "{error}"
        );
    }
}

#[tokio::test]
async fn dns_nonsense_is_told_and_the_token_never() {
    let whole = ok(json!([]));
    let cut = whole[..whole.len() - 5].to_owned();
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_owned() + &" ".repeat(2 << 20);
    let redirect = http("302 Found", "location: http://127.0.0.1:9/\r\n", "");
    let server = Server::saying(vec![
        http("502 Bad Gateway", "", "<html>"),
        http("200 OK", "", "{"),
        http("200 OK", "", "[]"),
        ok(json!({"id": 7})),
        cut,
        String::new(),
        endless,
        redirect,
    ])
    .await;
    let mut told = Vec::new();
    for _ in 0..8 {
        let error = server.client.verify_token().await.unwrap_err();
        assert!(
            error.is_transient() || matches!(error, ApiError::TooLarge { .. }),
            "{error:?}"
        );
        told.push(format!("{error} {error:?} {:?}", server.client));
    }
    assert!(told[6].contains("larger than 1048576 bytes"), "{}", told[6]);
    assert!(told.iter().all(|text| !text.contains(TOKEN)), "{told:?}");

    let broken = Client::new("http://127.0.0.1:9", Secret::new("two\nlines"));
    let error = broken.verify_token().await.unwrap_err();
    assert!(error.is_auth() && !format!("{error:?}{error}").contains("two"));
}

#[tokio::test]
async fn dns_of_zones_with_one_name_the_active_one_is_taken() {
    let zone = |id: &str, status: &str| json!({"id": id, "name": "ex.com", "status": status});
    let table = [
        (
            vec![zone("1", "moved"), zone("2", "active"), zone("3", "active")],
            "2",
        ),
        (vec![zone("1", "pending"), zone("2", "moved")], "1"),
    ];
    for (zones, id) in table {
        let server = Server::saying(vec![ok(json!(zones))]).await;
        assert_eq!(server.client.zone("ex.com").await.unwrap().id, id);
    }
}
