//! How the WAF is set, route by route.

use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, crs_rules, world};

const ATTACK: &str = "/item?id=7'%20OR%20'x'='x'--%20";

#[tokio::test]
async fn detection_only_lets_attacks_pass_and_says_so() {
    let Some(world) = world() else { return };
    let ask = Ask::get("/watched?id=7'%20OR%20'x'='x'--%20");
    world.edge.ask("detect.test", &ask).await.expect(200);
    assert!(world.echo.saw(&ask.probe));
    let line = world.edge.accessed("/watched").await;
    assert_eq!(
        (&line["waf"], &line["status"]),
        (&"detected".into(), &200.into()),
        "{line}"
    );
    assert!(line["score"].as_u64().unwrap() >= 5);
    let id = line["incident"].as_str().unwrap().to_owned();
    let record = world
        .edge
        .audit_log()
        .line("the incident", |line| line["id"] == id.as_str())
        .await;
    assert_eq!(
        (&record["outcome"], &record["status"]),
        (&"detected".into(), &200.into()),
        "{record}"
    );
    assert!(crate::waf_blocks::rules_of(&record).contains(&942_100));
}

#[tokio::test]
async fn detection_only_lets_bodies_pass_whole() {
    let Some(world) = world() else { return };
    let body = format!("a={}&id=1'+or+'1'%3d'1'--+", "x".repeat(100_000));
    let answer = world
        .edge
        .ask("detect.test", &Ask::form("/save", &body))
        .await
        .expect(200);
    assert_eq!(answer.json()["body_bytes"], body.len());
}

#[tokio::test]
async fn off_does_not_look() {
    let Some(world) = world() else { return };
    let ask = Ask::get("/unwatched?id=7'%20OR%20'x'='x'--%20");
    world.edge.ask("off.test", &ask).await.expect(200);
    let line = world.edge.accessed("/unwatched").await;
    assert_eq!(line["waf"], "off", "{line}");
    assert!(line["score"].is_null() && line["incident"].is_null(), "{line}");
}

#[tokio::test]
async fn a_route_may_be_stricter() {
    let Some(world) = world() else { return };
    // A sentence with a little too much punctuation: fine at level 1.
    let ask = Ask::form("/c", "text=well+--+I+mean+'this'+(or+that)+%7e%7e+%23%23+!!");
    world.edge.ask("app.test", &ask).await.expect(200);
    world.edge.ask("strict.test", &ask).await.expect(403);
    // And lets pass what is plain.
    world
        .edge
        .ask("strict.test", &Ask::form("/c", "text=hello&page=3"))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_threshold_is_what_it_takes_to_be_stopped() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let patient = Route::new("patient").to(&upstream).waf("inbound_threshold = 8");
    let strict = Route::new("strict").to(&upstream).waf("inbound_threshold = 3");
    let edge = TestEdge::with(Some(rules), &[Route::new("app").to(&upstream), patient, strict]).await;
    // One critical match: 5. A contradiction in Connection: one warning, 3.
    let critical = Ask::get("/").header("User-Agent", "sqlmap/1.9");
    for (host, status) in [("app.test", 403), ("patient.test", 200), ("strict.test", 403)] {
        let answer = edge.ask(host, &critical).await;
        assert_eq!(answer.status, status, "{host}: {}", edge.audit_log().text());
    }
    let warning = Ask::get("/").header("Connection", "keep-alive, close");
    for (host, status) in [("app.test", 200), ("patient.test", 200), ("strict.test", 403)] {
        edge.ask(host, &warning).await.expect(status);
    }
    let line = edge
        .access_log()
        .line("the patient route", |line| line["host"] == "patient.test")
        .await;
    assert_eq!(
        (&line["waf"], &line["score"]),
        (&"passed".into(), &5.into()),
        "{line}"
    );
}

#[tokio::test]
async fn rules_above_the_blocking_level_can_be_watched() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .waf("paranoia_level = 1")
        .waf("detection_paranoia_level = 2");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    let ask = Ask::form("/c", "text=well+--+I+mean+'this'+(or+that)+%7e%7e+%23%23+!!");
    edge.ask("app.test", &ask).await.expect(200);
    edge.ask("app.test", &Ask::get(ATTACK)).await.expect(403);
}

#[tokio::test]
async fn an_experts_own_rules_are_read() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .rules(rules)
        .file("own.conf", "SecRule ARGS:coupon \"@streq FREE100\" \"id:10001,phase:2,deny,status:403,msg:'no such coupon'\"\n")
        .file("drop.conf", "SecRuleRemoveById 942290\n")
        .route(&Route::new("app").to(&upstream).waf("seclang_before = [\"own.conf\"]"))
        .route(&Route::new("mongo").to(&upstream).waf("seclang_after = [\"drop.conf\"]"))
        .start()
        .await;
    edge.ask("app.test", &Ask::form("/buy", "coupon=FREE10"))
        .await
        .expect(200);
    edge.ask("app.test", &Ask::form("/buy", "coupon=FREE100"))
        .await
        .expect(403);
    edge.ask("mongo.test", &Ask::form("/buy", "coupon=FREE100"))
        .await
        .expect(200);
    let query = Ask::json("/find", r#"{"user":{"$ne":null}}"#);
    edge.ask("app.test", &query).await.expect(403);
    edge.ask("mongo.test", &query).await.expect(200);
}

#[tokio::test]
async fn an_experts_mistake_names_its_line() {
    let Some(rules) = crs_rules() else { return };
    let builder = TestEdge::builder()
        .rules(rules)
        .file("own.conf", "# fine\nSecRule ARGS \"@rxx a\" \"id:1,deny\"\n");
    let route = Route::new("app").waf("seclang_before = [\"own.conf\"]");
    let error = builder
        .route(&route)
        .try_start()
        .await
        .err()
        .expect("not to start");
    assert!(error.contains("own.conf:2") && error.contains("rxx"), "{error}");
}

#[tokio::test]
async fn a_policy_that_would_not_protect_is_refused() {
    let Some(rules) = crs_rules() else { return };
    for (what, file) in [
        ("the engine switched off", "SecRuleEngine Off\n"),
        ("no rule left", "SecRuleRemoveById 900000-999999\n"),
        ("no SQL rule left", "SecRuleRemoveByTag attack-sqli\n"),
        (
            "everybody allowed",
            "SecAction \"id:10001,phase:1,pass,nolog,ctl:ruleEngine=Off\"\n",
        ),
    ] {
        let builder = TestEdge::builder().rules(&rules).file("own.conf", file);
        let key = if file.starts_with("SecAction") {
            "seclang_before"
        } else {
            "seclang_after"
        };
        let route = Route::new("app").waf(&format!("{key} = [\"own.conf\"]"));
        let error = builder.route(&route).try_start().await.err();
        let error = error.unwrap_or_else(|| panic!("{what}: it starts"));
        assert!(
            error.contains("app") && error.contains("attack"),
            "{what}: {error}"
        );
    }
    // And one that stops everybody.
    let builder = TestEdge::builder()
        .rules(&rules)
        .file("own.conf", "SecAction \"id:10001,phase:1,deny,status:403\"\n");
    let route = Route::new("app").waf("seclang_before = [\"own.conf\"]");
    let error = builder
        .route(&route)
        .try_start()
        .await
        .err()
        .expect("not to start");
    assert!(error.contains("ordinary") && error.contains("10001"), "{error}");
}

#[tokio::test]
async fn a_policy_that_would_not_protect_is_not_reloaded() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let builder = TestEdge::builder()
        .rules(rules)
        .file("own.conf", "# nothing yet\n");
    let edge = builder
        .route(
            &Route::new("app")
                .to(&upstream)
                .waf("seclang_after = [\"own.conf\"]"),
        )
        .start()
        .await;
    edge.files().write("own.conf", "SecRuleEngine Off\n");
    assert!(edge.reload().await.is_err());
    edge.ask("app.test", &Ask::get(ATTACK)).await.expect(403);
    assert_eq!(edge.metric("palisade_config_last_reload_successful").await, 0.0);
}

#[tokio::test]
async fn webdav_works_where_the_route_allows_it() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("dav").await;
    let methods = r#"allowed_methods = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "MKCOL", "MOVE", "COPY", "LOCK", "UNLOCK", "REPORT"]"#;
    let types = r#"allowed_content_types = ["application/xml", "text/xml", "text/calendar", "application/octet-stream"]"#;
    let dav = Route::new("dav").to(&upstream).waf(methods).waf(types);
    let edge = TestEdge::with(Some(rules), &[dav, Route::new("app").to(&upstream)]).await;
    let xml = |method: &str, body: &str| {
        Ask::new(method, "/remote.php/dav/files/jane/")
            .header("Content-Type", "application/xml; charset=utf-8")
            .header("Depth", "1")
            .body(format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{body}"))
    };
    let propfind =
        "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:getetag/><d:getcontenttype/></d:prop></d:propfind>";
    let event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:7c5f2f9e\r\nSUMMARY:Dentist\r\n\
        DTSTART:20261124T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let requests = [
        ("a list of files", xml("PROPFIND", propfind)),
        (
            "a query of a calendar",
            xml(
                "REPORT",
                "<c:calendar-query xmlns:c=\"urn:ietf:params:xml:ns:caldav\"/>",
            ),
        ),
        (
            "a folder",
            Ask::new("MKCOL", "/remote.php/dav/files/jane/Photos%202026/"),
        ),
        ("a file", {
            let ask = Ask::new("PUT", "/remote.php/dav/files/jane/Photos%202026/IMG_0001.jpg");
            ask.header("Content-Type", "application/octet-stream")
                .body([0xff, 0xd8, 0xff, 0xe0, 0x10, 0x80])
        }),
        ("an event", {
            let ask = Ask::new("PUT", "/remote.php/dav/calendars/jane/personal/7c5f2f9e.ics");
            ask.header("Content-Type", "text/calendar; charset=utf-8")
                .body(event)
        }),
        ("another name", {
            let to = "https://dav.test/remote.php/dav/files/jane/Photos%202026/first.jpg";
            Ask::new("MOVE", "/remote.php/dav/files/jane/IMG_0001.jpg")
                .header("Destination", to)
                .header("Overwrite", "F")
        }),
        (
            "away with it",
            Ask::new("DELETE", "/remote.php/dav/files/jane/old.txt"),
        ),
    ];
    for (name, ask) in requests {
        let answer = edge.ask("dav.test", &ask.clone().accept_json()).await;
        assert_eq!(answer.status, 200, "{name}: {}", edge.audit_log().text());
        assert_eq!(upstream.journal().find(&ask.probe).unwrap().method, ask.method);
    }
    for (name, ask) in [
        (
            "a path that climbs",
            Ask::new("PROPFIND", "/remote.php/dav/..%2f..%2f..%2fetc/passwd"),
        ),
        (
            "a name that is a script",
            Ask::new("MKCOL", "/dav/%3Cscript%3Ealert(1)%3C/script%3E"),
        ),
        (
            "entities from elsewhere",
            xml(
                "PROPFIND",
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>../../../etc/passwd</x>",
            ),
        ),
    ] {
        let status = edge.ask("dav.test", &ask).await.status;
        assert!(matches!(status, 400 | 403), "{name}: {status}");
        assert!(!upstream.saw(&ask.probe), "{name}");
    }
    // What one route allows, another does not.
    edge.ask("app.test", &Ask::new("PROPFIND", "/")).await.expect(403);
}

#[tokio::test]
async fn every_mode_and_level_can_stand_side_by_side() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let levels = (1..=4).map(|level| {
        Route::new(&format!("level{level}"))
            .to(&upstream)
            .waf(&format!("paranoia_level = {level}"))
    });
    let edge = TestEdge::with(Some(rules), &levels.collect::<Vec<_>>()).await;
    for level in 1..=4 {
        let host = format!("level{level}.test");
        edge.ask(&host, &Ask::get("/")).await.expect(200);
        edge.ask(&host, &Ask::get(ATTACK)).await.expect(403);
    }
}
