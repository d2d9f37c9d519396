//! What can be written, what cannot, and batches.

use super::*;

#[tokio::test]
async fn dns_fake_makes_changes_and_deletes_a_record() {
    let fake = fake().await;
    let body = json!({"type": "A", "name": "WWW", "content": "192.0.2.1", "ttl": 120, "comment": "mine"});
    let made = post(&fake, body).await;
    let record = made.result();
    let id = made.id();
    assert_eq!(id.len(), 32);
    for (field, value) in [
        ("name", json!("www.example.com")),
        ("type", json!("A")),
        ("content", json!("192.0.2.1")),
        ("ttl", json!(120)),
        ("proxied", json!(false)),
        ("proxiable", json!(true)),
        ("comment", json!("mine")),
        ("tags", json!([])),
        ("meta", json!({})),
    ] {
        assert_eq!(record[field], value, "{field}");
    }
    let path = records(&fake, &format!("/{id}"));
    assert_eq!(get(&fake, &path).await.result(), record);

    let patched = ask(&fake, "PATCH", &path, Some(json!({"content": "192.0.2.2"}))).await;
    assert_eq!(patched.result()["content"], "192.0.2.2");
    assert_eq!(
        patched.result()["comment"],
        "mine",
        "a PATCH leaves what it does not name"
    );
    assert_eq!(patched.result()["ttl"], 120);

    let put = ask(&fake, "PUT", &path, Some(a("www.example.com", "192.0.2.3"))).await;
    assert_eq!(put.result()["comment"], Value::Null, "a PUT leaves nothing");
    assert_eq!(put.result()["id"], id);
    assert_eq!(put.result()["created_on"], record["created_on"]);

    let deleted = ask(&fake, "DELETE", &path, None).await;
    assert_eq!(*deleted.result(), json!({"id": id}));
    assert!(fake.records(ZONE).is_empty());
    assert_eq!(ask(&fake, "DELETE", &path, None).await.codes(), [81_044]);
}

#[tokio::test]
async fn dns_fake_takes_names_as_the_api_does() {
    let fake = fake().await;
    let long = format!("{}.example.com", "a".repeat(64));
    let table = [
        ("www", "www.example.com"),
        ("WWW.Example.COM", "www.example.com"),
        ("www.example.com.", "www.example.com"),
        ("@", "example.com"),
        ("example.com", "example.com"),
        ("*.example.com", "*.example.com"),
        ("a-*", "a-*.example.com"),
        ("www.example.org", "www.example.org.example.com"),
        ("notexample.com", "notexample.com.example.com"),
        ("", ""),
        ("a..b", ""),
        ("white space", ""),
        ("bücher", ""),
        (&long, ""),
    ];
    for (given, kept) in table {
        let told = post(&fake, a(given, "192.0.2.1")).await;
        if kept.is_empty() {
            assert_eq!(told.codes(), [9000], "{given}");
            continue;
        }
        assert_eq!(told.result()["name"], kept, "{given}");
        fake.remove(ZONE, &told.id());
    }
}

#[tokio::test]
async fn dns_fake_refuses_invalid_records_by_the_real_codes() {
    let fake = fake().await;
    let with = |mut record: Value, field: &str, value: Value| {
        record[field] = value;
        record
    };
    let www = || a("www", "192.0.2.1");
    let aaaa = |content: &str| json!({"type": "AAAA", "name": "www", "content": content});
    let table: Vec<(Value, Vec<u64>)> = vec![
        (a("www", "300.1.1.1"), vec![9005]),
        (a("www", "2001:db8::1"), vec![9005]),
        (aaaa("192.0.2.1"), vec![9006]),
        (aaaa("2001:DB8:0::1"), vec![]),
        (cname("alias", "192.0.2.1"), vec![9007]),
        (cname("alias", "not a name"), vec![9007]),
        (cname("alias", "target.example.net."), vec![]),
        (txt("text", ""), vec![9008]),
        (txt("text", &"x".repeat(2049)), vec![9008]),
        (txt("text", "\"open"), vec![9008]),
        (with(www(), "ttl", json!(0)), vec![1004, 9021]),
        (with(www(), "ttl", json!(59)), vec![1004, 9021]),
        (with(www(), "ttl", json!(86_401)), vec![1004, 9021]),
        (with(www(), "ttl", json!(86_400)), vec![]),
        (with(a("low", "192.0.2.1"), "ttl", json!(1)), vec![]),
        (with(txt("text", "x"), "proxied", json!(true)), vec![1004, 9004]),
        (with(a("lan", "192.168.1.1"), "proxied", json!(true)), vec![9003]),
        (with(a("lan", "100.64.0.1"), "proxied", json!(true)), vec![9003]),
        (a("lan", "192.168.1.1"), vec![]),
        (with(www(), "tags", json!(["a:b"])), vec![1004, 9300]),
        (with(www(), "comment", json!("x".repeat(101))), vec![9207]),
        (json!({"type": "A", "name": "www"}), vec![9207]),
        (
            json!({"type": "MX", "name": "@", "content": "mx.example.net"}),
            vec![9207],
        ),
    ];
    for (body, codes) in table {
        let told = post(&fake, body.clone()).await;
        match codes.is_empty() {
            true => assert_eq!(told.status, 200, "{body}: {}", told.body),
            false => assert_eq!((told.status, told.codes()), (400, codes), "{body}"),
        }
    }
    assert_eq!(fake.contents(ZONE, "www.example.com", "AAAA"), ["2001:db8::1"]);
    assert_eq!(
        fake.contents(ZONE, "alias.example.com", "CNAME"),
        ["target.example.net"]
    );
    let proxied = post(
        &fake,
        json!({"type": "A", "name": "p", "content": "198.51.100.1", "ttl": 60, "proxied": true}),
    );
    assert_eq!(proxied.await.result()["ttl"], 1, "the proxy's TTL is automatic");
}

#[tokio::test]
async fn dns_fake_refuses_conflicts() {
    let fake = fake().await;
    fake.seed(ZONE, a("host", "192.0.2.1"));
    fake.seed(ZONE, cname("alias", "host.example.com"));
    fake.seed(ZONE, txt("text", "\"quoted\""));
    fake.seed(
        ZONE,
        json!({"type": "NS", "name": "sub", "content": "ns.example.net"}),
    );
    let table = [
        (a("host", "192.0.2.1"), 81_058),
        (
            json!({"type": "A", "name": "host", "content": "192.0.2.1", "ttl": 300, "proxied": true}),
            81_058,
        ),
        (cname("alias", "HOST.example.com."), 81_058),
        (txt("text", "quoted"), 81_058),
        (cname("host", "elsewhere.example.net"), 81_053),
        (cname("alias", "elsewhere.example.net"), 81_053),
        (a("alias", "192.0.2.1"), 81_054),
        (a("sub", "192.0.2.1"), 81_056),
        (a("host", "192.0.2.2"), 0),
        (txt("host", "x"), 0),
        (txt("alias", "x"), 0),
        (
            json!({"type": "AAAA", "name": "host", "content": "2001:db8::1"}),
            0,
        ),
    ];
    for (body, code) in table {
        let told = post(&fake, body.clone()).await;
        match code {
            0 => assert_eq!(told.status, 200, "{body}: {}", told.body),
            code => assert_eq!((told.status, told.codes()), (400, vec![code]), "{body}"),
        }
    }
}

#[tokio::test]
async fn dns_fake_holds_no_more_than_the_plan_allows() {
    let options = FakeOptions {
        record_quota: 2,
        batch_limit: 3,
        ..FakeOptions::zones(&[ZONE])
    };
    let fake = FakeCloudflare::start(options).await;
    let first = post(&fake, a("a", "192.0.2.1")).await.id();
    post(&fake, a("b", "192.0.2.1")).await.result();
    assert_eq!(post(&fake, a("c", "192.0.2.1")).await.codes(), [81_045]);
    let swap = json!({"posts": [a("c", "192.0.2.1")], "deletes": [{"id": first}]});
    ask(&fake, "POST", &records(&fake, "/batch"), Some(swap))
        .await
        .result();
    let long = json!({"posts": [a("d", "1.1.1.1"), a("e", "1.1.1.1"), a("f", "1.1.1.1"), a("g", "1.1.1.1")]});
    assert_eq!(
        ask(&fake, "POST", &records(&fake, "/batch"), Some(long))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn dns_fake_does_a_batch_in_the_documented_order() {
    let fake = fake().await;
    let gone = fake.seed(ZONE, cname("www", "old.example.net"));
    let patched = fake.seed(
        ZONE,
        json!({"type": "A", "name": "p", "content": "192.0.2.1", "comment": "kept"}),
    );
    let replaced = fake.seed(
        ZONE,
        json!({"type": "A", "name": "r", "content": "192.0.2.1", "comment": "lost"}),
    );
    let mut put = a("r", "192.0.2.9");
    put["id"] = json!(replaced);
    // The body has the posts first: they succeed only after the deletes.
    let body = json!({
        "posts": [a("www", "192.0.2.1"), txt("www", "x")],
        "puts": [put],
        "patches": [{"id": patched, "content": "192.0.2.8"}],
        "deletes": [{"id": gone}],
    });
    let told = ask(&fake, "POST", &records(&fake, "/batch"), Some(body)).await;
    let result = told.result();
    assert_eq!(result["deletes"][0]["id"], gone);
    assert_eq!(result["deletes"][0]["type"], "CNAME");
    assert_eq!(result["patches"][0]["comment"], "kept");
    assert_eq!(result["puts"][0]["comment"], Value::Null);
    assert_eq!(result["posts"].as_array().unwrap().len(), 2);
    assert_eq!(fake.contents(ZONE, "www.example.com", "A"), ["192.0.2.1"]);
    assert_eq!(fake.contents(ZONE, "p.example.com", "A"), ["192.0.2.8"]);
}

#[tokio::test]
async fn dns_fake_does_all_of_a_batch_or_nothing() {
    let fake = fake().await;
    let kept = fake.seed(ZONE, a("kept", "192.0.2.1"));
    let before = fake.records(ZONE);
    let table = [
        (
            json!({"deletes": [{"id": kept}], "posts": [a("new", "192.0.2.1"), a("bad", "x")]}),
            9005,
        ),
        (json!({"deletes": [{"id": kept}, {"id": kept}]}), 81_044),
        (
            json!({"posts": [a("new", "192.0.2.1"), a("new", "192.0.2.1")]}),
            81_058,
        ),
        (json!({"patches": [{"id": "f".repeat(32), "ttl": 60}]}), 81_044),
    ];
    for (body, code) in table {
        let told = ask(&fake, "POST", &records(&fake, "/batch"), Some(body.clone())).await;
        assert_eq!(told.codes(), [code], "{body}");
        assert_eq!(fake.records(ZONE), before, "{body}");
    }
}
