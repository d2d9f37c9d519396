//! Tokens, routes, the rate limit, the journal.

use std::time::Duration;

use super::*;
use crate::cloudflare::{Access, Quota, STRICT};

const STRICT_CODE: u64 = STRICT as u64;

/// Method, path, authorization, body; status and codes.
type Attempt<'a> = (&'a str, &'a str, &'a str, Option<String>, u16, &'a [u64]);

/// Method, path, body; status and codes.
type Mistake = (&'static str, String, Option<String>, u16, Vec<u64>);

#[tokio::test]
async fn dns_fake_tells_good_tokens_from_bad_ones() {
    let fake = fake().await;
    let zone = format!("/zones/{}", fake.zone_id(ZONE));
    let of_zone = records(&fake, "");
    fake.add_zone("other.example");
    fake.add_token("reads-only", &[ZONE], Access::Read);
    fake.add_token("elsewhere", &["other.example"], Access::Edit);
    let body = || Some(a("www", "192.0.2.1").to_string());
    let table: [Attempt<'_>; 13] = [
        ("GET", "/user/tokens/verify", "", None, 400, &[9106]),
        (
            "GET",
            "/user/tokens/verify",
            "Basic abc",
            None,
            400,
            &[6003, 6111],
        ),
        (
            "GET",
            "/user/tokens/verify",
            "Bearer white space",
            None,
            400,
            &[6003, 6111],
        ),
        ("GET", "/user/tokens/verify", "Bearer wrong", None, 401, &[1000]),
        ("GET", "/zones", "Bearer wrong", None, 403, &[9109]),
        ("GET", &of_zone, "Bearer wrong", None, 403, &[9109]),
        ("GET", &zone, "Bearer elsewhere", None, 403, &[9109]),
        ("GET", &of_zone, "Bearer elsewhere", None, 403, &[10_000]),
        ("POST", &of_zone, "Bearer reads-only", body(), 403, &[10_000]),
        ("GET", &of_zone, "Bearer reads-only", None, 200, &[]),
        ("GET", &zone, "Bearer reads-only", None, 200, &[]),
        ("GET", "/user/tokens/verify", "Bearer elsewhere", None, 200, &[]),
        (
            "POST",
            "/user/tokens/verify",
            "Bearer elsewhere",
            None,
            405,
            &[7001],
        ),
    ];
    for (method, path, authorization, body, status, codes) in table {
        let told = send(&fake, method, path, authorization, body).await.unwrap();
        assert_eq!(
            told.status, status,
            "{method} {path} {authorization}: {}",
            told.body
        );
        if status != 200 {
            assert_eq!(told.codes(), codes, "{method} {path} {authorization}");
        }
    }
    assert!(fake.records(ZONE).is_empty());
    fake.revoke_token("elsewhere");
    let told = send(&fake, "GET", "/zones", "Bearer elsewhere", None)
        .await
        .unwrap();
    assert_eq!(told.codes(), [9109]);
}

#[tokio::test]
async fn dns_fake_refuses_what_it_does_not_know() {
    let fake = fake().await;
    let list = records(&fake, "");
    let list = list.as_str();
    let batch = records(&fake, "/batch");
    let unknown_record = records(&fake, &format!("/{}", "0".repeat(32)));
    let record = |fields: Value| {
        let mut record = a("www", "192.0.2.1");
        record
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        Some(record.to_string())
    };
    let table: Vec<Mistake> = vec![
        ("GET", "/zonez".to_owned(), None, 404, vec![7003, 7000]),
        (
            "GET",
            "/zones/example.com".to_owned(),
            None,
            404,
            vec![7003, 7000],
        ),
        ("GET", format!("/zones/{}", "0".repeat(32)), None, 404, vec![1001]),
        (
            "GET",
            format!("/zones/{}/dns_records", "0".repeat(32)),
            None,
            404,
            vec![1001],
        ),
        ("GET", records(&fake, "/www"), None, 404, vec![7003, 7000]),
        ("GET", unknown_record.clone(), None, 404, vec![81_044]),
        ("DELETE", unknown_record.clone(), None, 404, vec![81_044]),
        ("PATCH", unknown_record, Some("{}".to_owned()), 404, vec![81_044]),
        ("DELETE", list.to_owned(), None, 405, vec![7001]),
        ("GET", format!("{list}?nmae=www"), None, 400, vec![STRICT_CODE]),
        ("GET", format!("{list}?per_page=0"), None, 400, vec![STRICT_CODE]),
        (
            "GET",
            format!("{list}?per_page=5000001"),
            None,
            400,
            vec![STRICT_CODE],
        ),
        ("GET", format!("{list}?page=x"), None, 400, vec![STRICT_CODE]),
        ("GET", format!("{list}?order=age"), None, 400, vec![STRICT_CODE]),
        (
            "GET",
            format!("{list}?type=A&type=TXT"),
            None,
            400,
            vec![STRICT_CODE],
        ),
        (
            "GET",
            "/zones?per_page=100".to_owned(),
            None,
            400,
            vec![STRICT_CODE],
        ),
        (
            "POST",
            format!("{list}?x=y"),
            record(json!({})),
            400,
            vec![STRICT_CODE],
        ),
        ("POST", list.to_owned(), None, 400, vec![STRICT_CODE]),
        ("POST", list.to_owned(), Some("{".to_owned()), 400, vec![6007]),
        ("POST", list.to_owned(), Some("[]".to_owned()), 400, vec![9207]),
        ("POST", list.to_owned(), Some("{}".to_owned()), 400, vec![9207]),
        (
            "POST",
            list.to_owned(),
            record(json!({"tll": 60})),
            400,
            vec![STRICT_CODE],
        ),
        (
            "POST",
            list.to_owned(),
            record(json!({"id": "x"})),
            400,
            vec![STRICT_CODE],
        ),
        (
            "POST",
            list.to_owned(),
            record(json!({"ttl": "60"})),
            400,
            vec![9207],
        ),
        (
            "POST",
            list.to_owned(),
            record(json!({"proxied": null})),
            400,
            vec![9207],
        ),
        (
            "POST",
            batch.clone(),
            Some(json!({"gets": []}).to_string()),
            400,
            vec![STRICT_CODE],
        ),
        (
            "POST",
            batch,
            Some(json!({"deletes": ["x"]}).to_string()),
            400,
            vec![9207],
        ),
    ];
    for (method, path, body, status, codes) in table {
        let bearer = format!("Bearer {}", fake.token());
        let told = send(&fake, method, &path, &bearer, body.clone()).await.unwrap();
        assert_eq!(
            (told.status, told.codes()),
            (status, codes),
            "{method} {path} {body:?}"
        );
    }
    assert!(fake.records(ZONE).is_empty());
}

#[tokio::test]
async fn dns_fake_counts_requests_and_blocks_for_a_window() {
    let quota = Quota {
        requests: 2,
        window: Duration::from_millis(2500),
    };
    let options = FakeOptions {
        quota,
        ..FakeOptions::zones(&[ZONE])
    };
    let fake = FakeCloudflare::start(options).await;
    let header = |told: &Told, name: &str| {
        let value = told
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_default()
    };
    let first = get(&fake, "/zones").await;
    assert_eq!(header(&first, "ratelimit"), r#""default";r=1;t=3"#);
    assert_eq!(header(&first, "ratelimit-policy"), r#""default";q=2;w=3"#);
    assert_eq!(header(&first, "retry-after"), "");
    assert_eq!(get(&fake, "/zones").await.status, 200);
    let refused = get(&fake, "/zones").await;
    assert_eq!((refused.status, refused.codes()), (429, vec![971]));
    assert_eq!(header(&refused, "ratelimit"), r#""default";r=0;t=3"#);
    assert_eq!(header(&refused, "retry-after"), "3");
    fake.add_token("another", &[ZONE], Access::Read);
    let another = send(&fake, "GET", "/zones", "Bearer another", None)
        .await
        .unwrap();
    assert_eq!(another.status, 200);
    tokio::time::sleep(Duration::from_millis(2600)).await;
    assert_eq!(get(&fake, "/zones").await.status, 200);
}

#[tokio::test]
async fn dns_fake_remembers_requests() {
    let fake = fake().await;
    get(&fake, "/zones?name=example.com").await;
    post(&fake, a("www", "192.0.2.1")).await;
    post(&fake, a("www", "300.0.2.1")).await;
    let calls = fake.calls();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.method.as_str(), call.status))
        .collect();
    assert_eq!(told, [("GET", 200), ("POST", 200), ("POST", 400)]);
    assert_eq!(calls[0].path, "/client/v4/zones");
    assert_eq!(calls[0].query, "name=example.com");
    assert_eq!(calls[1].json()["content"], "192.0.2.1");
    assert_eq!(fake.count("POST", "/dns_records"), 2);
    assert_eq!(fake.count("", ""), 3);
    fake.forget_calls();
    assert_eq!(fake.count("", ""), 0);
}
