//! Lists, filters and pages.

use super::*;

#[tokio::test]
async fn dns_fake_lists_zones_that_the_token_reads() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE, "example.org"])).await;
    fake.add_zone("foreign.example");
    let all = get(&fake, "/zones?page=1&per_page=5").await;
    let names: Vec<&Value> = all
        .result()
        .as_array()
        .unwrap()
        .iter()
        .map(|z| &z["name"])
        .collect();
    assert_eq!(names, [ZONE, "example.org"]);
    let info = json!({"page": 1, "per_page": 5, "count": 2, "total_count": 2, "total_pages": 1});
    assert_eq!(all.body["result_info"], info);
    let one = get(&fake, "/zones?name=example.org").await;
    let zone = &one.result()[0];
    assert_eq!(zone["id"], fake.zone_id("example.org"));
    assert_eq!(zone["status"], "active");
    assert_eq!(zone["name_servers"], json!(["ns1.example.org"]));
    let same = get(&fake, &format!("/zones/{}", fake.zone_id("example.org"))).await;
    assert_eq!(same.result(), zone);
    assert_eq!(
        *get(&fake, "/zones?name=foreign.example").await.result(),
        json!([])
    );
}

#[tokio::test]
async fn dns_fake_pages_records() {
    let fake = fake().await;
    for number in 0..150 {
        fake.seed(ZONE, txt(&format!("t{number:03}"), "x"));
    }
    let table = [
        ("", 100, 2, "t000"),
        ("?page=2", 50, 2, "t100"),
        ("?page=3", 0, 2, ""),
        ("?page=4&per_page=40", 30, 4, "t120"),
        ("?per_page=5000000", 150, 1, "t000"),
        ("?order=name&direction=desc", 100, 2, "t149"),
    ];
    for (query, count, pages, first) in table {
        let told = get(&fake, &records(&fake, query)).await;
        let shown = told.result().as_array().unwrap();
        assert_eq!(shown.len(), count, "{query}");
        let info = &told.body["result_info"];
        assert_eq!(info["count"], count, "{query}");
        assert_eq!(info["total_count"], 150, "{query}");
        assert_eq!(info["total_pages"], pages, "{query}");
        if let Some(record) = shown.first() {
            assert_eq!(record["name"], format!("{first}.{ZONE}"), "{query}");
        }
    }
}

#[tokio::test]
async fn dns_fake_filters_records() {
    let fake = fake().await;
    fake.seed(ZONE, a("www", "192.0.2.1"));
    fake.seed(ZONE, a("api", "192.0.2.2"));
    fake.seed(
        ZONE,
        json!({"type": "TXT", "name": "www", "content": "\"hello\"", "comment": "By Palisade"}),
    );
    fake.seed(
        ZONE,
        json!({"type": "AAAA", "name": "api", "content": "2001:db8::1", "proxied": true}),
    );
    let table = [
        ("", 4),
        ("?type=A", 2),
        ("?name=www.example.com", 2),
        ("?name=WWW.example.com&type=TXT", 1),
        ("?name.exact=api.example.com", 2),
        ("?name=www", 0),
        ("?name.startswith=www", 2),
        ("?name.endswith=.example.com", 4),
        ("?content=192.0.2.1", 1),
        ("?content.contains=192.0.2", 2),
        ("?content=%22hello%22", 1),
        ("?comment=by+palisade", 1),
        ("?comment.contains=palisade", 1),
        ("?comment.present=true", 1),
        ("?comment.absent", 3),
        ("?proxied=true", 1),
        ("?type=A&name=api.example.com", 1),
        ("?type=A&name=api.example.com&match=any", 3),
    ];
    for (query, count) in table {
        let told = get(&fake, &records(&fake, query)).await;
        assert_eq!(told.result().as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn dns_fake_lists_types_that_it_does_not_serve() {
    let fake = fake().await;
    let caa = json!({"flags": 0, "tag": "issue", "value": "letsencrypt.org"});
    fake.seed(ZONE, json!({"type": "CAA", "name": "@", "data": caa}));
    let https = json!({"priority": 1, "target": ".", "value": "alpn=\"h2\""});
    fake.seed(ZONE, json!({"type": "HTTPS", "name": "www", "data": https}));
    let srv = json!({"priority": 1, "weight": 2, "port": 443, "target": "www.example.com"});
    fake.seed(
        ZONE,
        json!({"type": "SRV", "name": "_https._tcp", "data": srv, "priority": 1}),
    );
    fake.seed(
        ZONE,
        json!({"type": "MX", "name": "@", "content": "mx.example.net", "priority": 10}),
    );
    let told = get(&fake, &records(&fake, "")).await;
    let shown = told.result().as_array().unwrap();
    let contents: Vec<&Value> = shown.iter().map(|record| &record["content"]).collect();
    assert_eq!(
        contents,
        [
            "0 issue \"letsencrypt.org\"",
            "1 . alpn=\"h2\"",
            "2 443 www.example.com",
            "mx.example.net"
        ]
    );
    assert_eq!(shown[0]["data"], caa);
    assert_eq!(shown[3]["priority"], 10);
}
