//! Requests of real applications and their users, by what they do. Each passes at paranoia level 1 with no exclusion.

use palisade_tests::harness::Ask;

/// What it does, and the request.
pub(crate) type Ordinary = (&'static str, Ask);

/// Pages, logins, searches.
pub(crate) fn pages() -> Vec<Ordinary> {
    vec![
        ("the home page", Ask::get("/")),
        (
            "a page of results",
            Ask::get("/shop/search?q=winter+jacket&size=M&page=3&sort=price_asc"),
        ),
        (
            "a search with accents",
            Ask::get("/search?q=caf%C3%A9+M%C3%BCnchen+%E2%82%AC20"),
        ),
        (
            "a search with Japanese",
            Ask::get("/search?q=%E6%9D%B1%E4%BA%AC%E3%82%BF%E3%83%AF%E3%83%BC"),
        ),
        (
            "an Irish surname",
            Ask::form("/contacts", "first=Sin%C3%A9ad&last=O%27Brien&city=Cork"),
        ),
        ("a login", {
            Ask::form(
                "/login",
                "username=jane.doe%40example.org&password=correct-horse-7&remember=on&csrf=Zm9vYmFy",
            )
        }),
        (
            "a file by its name",
            Ask::get("/assets/js/app.4f2a9c1b.min.js").header("Referer", "https://app.test/"),
        ),
        (
            "a font",
            Ask::get("/fonts/inter-v13-latin-700.woff2").header("Origin", "https://app.test"),
        ),
        ("a favicon with a condition", {
            Ask::get("/favicon.ico")
                .header("If-Modified-Since", "Tue, 21 Oct 2025 07:28:00 GMT")
                .header("If-None-Match", "\"5f3a-62b1\"")
        }),
        (
            "a part of a video",
            Ask::get("/media/talk.mp4").header("Range", "bytes=1048576-2097151"),
        ),
        (
            "HEAD of a monitor",
            Ask::new("HEAD", "/").header("User-Agent", "Uptime-Kuma/1.23.16"),
        ),
        ("a preflight", {
            Ask::new("OPTIONS", "/api/items")
                .header("Origin", "https://app.test")
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type,x-requested-with")
        }),
        (
            "a date range",
            Ask::get("/calendar?from=2026-11-01T00:00:00%2B01:00&to=2026-11-30T23:59:59%2B01:00"),
        ),
        (
            "a long path",
            Ask::get("/docs/v2.14/reference/api/projects/issues/boards/lists/index.html"),
        ),
        (
            "a feed reader",
            Ask::get("/feed.xml").header("User-Agent", "NetNewsWire (RSS Reader; https://netnewswire.com/)"),
        ),
    ]
}

/// What people write.
pub(crate) fn words() -> Vec<Ordinary> {
    vec![
        ("a comment that selects", {
            let text = "Please+select+the+blue+one+from+the+list+and+update+my+order+where+possible";
            Ask::form("/comments", format!("post=17&text={text}"))
        }),
        ("a comment about a union", {
            Ask::form(
                "/comments",
                "text=The+trade+union+will+vote+on+Friday%2C+so+come+to+the+table+at+the+door.",
            )
        }),
        ("Markdown", {
            let text = "# Release notes\n\n* **fixed**: the login page\n* see [the issue](https://git.example.org/a/b/issues/4)\n\n> thanks to all\n\n1. one\n2. two\n";
            Ask::form("/wiki/edit", format!("title=Notes&body={}", encoded(text)))
        }),
        (
            "mathematics",
            Ask::form(
                "/forum",
                "text=If+a+%3C+b+and+b+%3C+c+then+a+%3C+c%2C+so+1+%2B+1+%3D+2.",
            ),
        ),
        (
            "an emoji and a smile",
            Ask::json("/api/chat", r#"{"text":"see you at 8 🎉 ;-) <3"}"#),
        ),
        ("a letter", {
            let text = "Dear Sir or Madam,\n\nI'd like to return order no. 4711 (it's too small). Can you send me a label?\n\nBest regards,\nJ. O'Neil -- sent from my phone";
            Ask::form("/contact", format!("subject=Return&message={}", encoded(text)))
        }),
        ("an address", {
            Ask::form(
                "/checkout",
                "street=12+%26+14+Rue+de+l%27%C3%89glise&zip=75015&city=Paris&country=FR&phone=%2B33+1+23+45+67+89",
            )
        }),
        (
            "a password of symbols",
            Ask::form("/login", "username=sam&password=x%23K9!p%25Lq%24r%26T"),
        ),
    ]
}

/// APIs.
pub(crate) fn apis() -> Vec<Ordinary> {
    let bearer = "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkphbmUifQ.\
        c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pcy1ub3QtcmVhbA";
    vec![
        (
            "a JSON object",
            Ask::json(
                "/api/items",
                r#"{"name":"Lamp","price":39.9,"tags":["home","light"],"stock":null}"#,
            ),
        ),
        (
            "a JSON array",
            Ask::json("/api/batch", r#"[{"id":1,"done":true},{"id":2,"done":false}]"#),
        ),
        ("an empty JSON object", Ask::json("/api/ping", "{}")),
        (
            "with a token",
            Ask::get("/api/me").header("Authorization", bearer).accept_json(),
        ),
        ("a GraphQL mutation", {
            let query = "mutation Rename($id: ID!, $name: String!) { rename(id: $id, name: $name) { ok item { id } } }";
            let body = serde_json::json!({"query": query, "variables": {"id": "MTc", "name": "Blue lamp"}});
            Ask::json("/graphql", body.to_string())
        }),
        (
            "a filter in a query",
            Ask::get("/api/items?filter[status]=open&filter[label][]=bug&fields=id,title&limit=50"),
        ),
        ("a UUID and a cursor", {
            Ask::get(
                "/api/v1/orders/0b9f9f0e-5d0c-4b55-9a3f-1f6a5d1c0f11/lines?cursor=eyJpZCI6NDIsImRpciI6Im5leHQifQ%3D%3D",
            )
        }),
        ("a web hook", {
            Ask::json(
                "/hooks/ci",
                r#"{"ref":"refs/heads/main","commits":[{"id":"9f2c1b7","message":"Fix the build"}]}"#,
            )
            .header("User-Agent", "GitHub-Hookshot/4f1c2ab")
            .header("X-GitHub-Event", "push")
            .header(
                "X-Hub-Signature-256",
                "sha256=8f1e0c1a7b0c9f0a5f1e0c1a7b0c9f0a5f1e0c1a7b0c9f0a5f1e0c1a7b0c9f0a",
            )
        }),
        (
            "XML",
            Ask::xml(
                "/xml",
                "<?xml version=\"1.0\"?><order><item sku=\"A-17\">2</item><note>soon</note></order>",
            ),
        ),
        ("JSON with a charset", {
            Ask::post(
                "/api/items",
                "application/json;charset=UTF-8",
                r#"{"name":"Lampe à pétrole"}"#,
            )
        }),
        ("a form with a charset", {
            Ask::post(
                "/api/items",
                "application/x-www-form-urlencoded; charset=UTF-8",
                "name=Lamp&n=1",
            )
        }),
        ("a JSON string by itself", Ask::json("/api/echo", "\"hello\"")),
        (
            "PUT",
            Ask::new("PUT", "/api/items/17")
                .header("Content-Type", "application/json")
                .body(r#"{"stock":3}"#),
        ),
        (
            "PATCH",
            Ask::new("PATCH", "/api/items/17")
                .header("Content-Type", "application/json")
                .body(r#"{"stock":4}"#),
        ),
        ("DELETE", Ask::new("DELETE", "/api/items/17")),
        ("XML with a charset", {
            Ask::post(
                "/api/items",
                "text/xml; charset=utf-8",
                "<order><item sku=\"A-17\">2</item></order>",
            )
        }),
    ]
}

/// Uploads.
pub(crate) fn uploads() -> Vec<Ordinary> {
    let png = "\u{89}PNG\r\n\u{1a}\n not much of a picture";
    vec![
        ("a picture", {
            let part = "name=\"avatar\"; filename=\"me at the sea.png\"\r\nContent-Type: image/png";
            Ask::multipart("/profile", &[("name=\"csrf\"", "c3VyZQ"), (part, png)])
        }),
        ("a table", {
            let part = "name=\"file\"; filename=\"addresses.csv\"\r\nContent-Type: text/csv";
            Ask::multipart(
                "/import",
                &[
                    (part, "name;street;city\nJane O'Hara;Main St 1;Cork\n"),
                    ("name=\"mode\"", "append"),
                ],
            )
        }),
        ("a text whose lines are SQL", {
            let part = "name=\"file\"; filename=\"notes.txt\"\r\nContent-Type: text/plain";
            Ask::multipart(
                "/import",
                &[(part, "SELECT name FROM people WHERE id = 7;\nDROP TABLE old;\n")],
            )
        }),
        ("several files and an empty field", {
            let one = "name=\"files[]\"; filename=\"one.pdf\"\r\nContent-Type: application/pdf";
            let two = "name=\"files[]\"; filename=\"two.pdf\"\r\nContent-Type: application/pdf";
            Ask::multipart(
                "/files",
                &[
                    (one, "%PDF-1.7 one"),
                    (two, "%PDF-1.7 two"),
                    ("name=\"comment\"", ""),
                ],
            )
        }),
        ("a quoted boundary", {
            let body = "--=_a1\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nhello\r\n--=_a1--\r\n";
            Ask::post("/upload", "multipart/form-data; boundary=\"=_a1\"", body)
        }),
        (
            "an empty file",
            Ask::multipart(
                "/upload",
                &[(
                    "name=\"f\"; filename=\"empty.txt\"\r\nContent-Type: text/plain",
                    "",
                )],
            ),
        ),
        ("no file chosen", {
            let none = "name=\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream";
            Ask::multipart("/upload", &[(none, ""), ("name=\"title\"", "later")])
        }),
    ]
}

/// Sign-in by a third party.
pub(crate) fn oidc() -> Vec<Ordinary> {
    let code = "M.C507_BAY.2.U.".to_owned() + &"a8Fq-Zk3_9".repeat(60);
    vec![
        ("the way out", {
            Ask::get(
                "/authorize?response_type=code&client_id=s6BhdRkqt3&redirect_uri=https%3A%2F%2Fapp.test%2Foidc%2Fcallback&scope=openid%20profile%20email&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
            )
        }),
        ("the way back, with a long code", {
            Ask::get(format!("/oidc/callback?code={code}&state=af0ifjsldkj&session_state=5b1f8b9c-7a0e&iss=https%3A%2F%2Fidp.test"))
                .header("Referer", "https://idp.test/")
        }),
        ("the way back as a form", {
            Ask::form(
                "/oidc/callback",
                format!("code={code}&state=af0ifjsldkj&id_token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2ln"),
            )
            .header("Origin", "https://idp.test")
        }),
        ("the token", {
            Ask::form("/token", format!("grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
                .header("Authorization", "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3")
        }),
        ("a logout that comes back", {
            Ask::get(
                "/logout?post_logout_redirect_uri=https%3A%2F%2Fapp.test%2F&id_token_hint=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2ln",
            )
        }),
    ]
}

/// What the applications of a home or a small office send.
pub(crate) fn applications() -> Vec<Ordinary> {
    vec![
        ("Grafana queries a data source", {
            let body = r#"{"queries":[{"refId":"A","expr":"sum(rate(http_requests_total{job=\"web\"}[5m])) by (code)","range":true,"datasource":{"type":"prometheus","uid":"P1809F7CD0C75ACF3"},"intervalMs":15000,"maxDataPoints":1100}],"from":"1763900000000","to":"1763903600000"}"#;
            Ask::json("/api/ds/query?ds_type=prometheus&requestId=Q100", body)
                .header("X-Grafana-Org-Id", "1")
                .header("X-Dashboard-Uid", "adk3vqz")
                .header(
                    "Cookie",
                    "grafana_session=2b1c7f0a9d3e4f5a6b7c8d9e0f1a2b3c; grafana_session_expiry=1763904200",
                )
        }),
        (
            "Grafana loads a dashboard",
            Ask::get("/api/dashboards/uid/adk3vqz").header("X-Grafana-Device-Id", "6f1a"),
        ),
        (
            "Vaultwarden asks for keys",
            Ask::json("/identity/accounts/prelogin", r#"{"email":"jane@example.org"}"#),
        ),
        ("Vaultwarden signs in", {
            let form = "grant_type=password&username=jane%40example.org&password=8b0Qd1yq2m6mVtZ0n3m5x7wH9bq1d0c4f6e8a2b4c6d%3D&scope=api%20offline_access&client_id=web&deviceType=10&deviceIdentifier=7c5f2f9e-3b1d-4e6a-9c8b-1a2b3c4d5e6f&deviceName=firefox";
            Ask::form("/identity/connect/token", form)
                .header("Device-Type", "10")
                .header("Bitwarden-Client-Version", "2025.10.0")
        }),
        ("Vaultwarden stores an entry", {
            let body = r#"{"type":1,"folderId":null,"name":"2.Tn0Cq8l1bq0y2mH1r6y4wA==|9kqf7bH4n2b1x0m8w3vQpA==|q0l8v2m4x6z8a1c3e5g7i9k1m3o5q7s9u1w3y5A7C9E=","notes":null,"favorite":false,"login":{"uris":[{"match":null,"uri":"2.Pq8s|b1|c2"}],"username":"2.aa|bb|cc","password":"2.dd|ee|ff","totp":null},"reprompt":0}"#;
            Ask::json("/api/ciphers", body)
        }),
        ("Home Assistant calls a service", {
            Ask::json(
                "/api/services/light/turn_on",
                r#"{"entity_id":"light.living_room","brightness":180,"rgb_color":[255,200,120]}"#,
            )
            .header(
                "Authorization",
                "Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhYmMifQ.c2lnbmF0dXJl",
            )
        }),
        ("Home Assistant reads history", {
            Ask::get(
                "/api/history/period/2026-11-22T23:00:00.000Z?filter_entity_id=sensor.outdoor_temperature&minimal_response&no_attributes&end_time=2026-11-23T23:00:00.000Z",
            )
        }),
        (
            "Gitea's pages",
            Ask::get("/palisade/edge/src/branch/main/README.md").header(
                "Cookie",
                "i_like_gitea=8c1f0a2b3c4d5e6f; lang=en-US; _csrf=Q1sXk0",
            ),
        ),
        ("Nextcloud's status", {
            Ask::get("/status.php").header(
                "User-Agent",
                "Mozilla/5.0 (Linux) mirall/3.16.6git (Nextcloud, ubuntu-6.8)",
            )
        }),
        ("Nextcloud's notifications", {
            Ask::get("/ocs/v2.php/apps/notifications/api/v2/notifications?format=json")
                .header("OCS-APIRequest", "true")
                .header("Cookie", "oc_sessionPassphrase=Qb0u%2F7sXl%2Bk1; nc_sameSiteCookielax=true; nc_sameSiteCookiestrict=true; ocyv5g8q1m3z=6b1f0c2d3e4f")
                .header("requesttoken", "Wq0b9v7s5r3p1n==:Xk2c4e6g8i0k==")
        }),
        ("a container client pulls", {
            Ask::get("/v2/library/app/manifests/1.4.2")
                .header("User-Agent", "containerd/2.1.4")
                .header("Accept", "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*")
        }),
        ("Prometheus scrapes", {
            Ask::get("/metrics")
                .header("User-Agent", "Prometheus/3.6.0")
                .header(
                    "Accept",
                    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                )
                .header("X-Prometheus-Scrape-Timeout-Seconds", "10")
        }),
        ("Jellyfin reports its progress", {
            Ask::json("/Sessions/Playing/Progress", r#"{"ItemId":"f1c2","PositionTicks":1234500000,"IsPaused":false,"PlayMethod":"DirectPlay","EventName":"timeupdate"}"#)
                .header("X-Emby-Authorization", "MediaBrowser Client=\"Jellyfin Web\", Device=\"Firefox\", DeviceId=\"TW96aWxsYQ==\", Version=\"10.11.0\", Token=\"0f1e2d3c\"")
        }),
        (
            "Matrix syncs",
            Ask::get("/_matrix/client/v3/sync?filter=1&timeout=30000&since=s72595_4483_1934_381_113"),
        ),
        ("Immich uploads", {
            let part = "name=\"assetData\"; filename=\"IMG_20261123_101530.jpg\"\r\nContent-Type: application/octet-stream";
            Ask::multipart(
                "/api/assets",
                &[
                    ("name=\"deviceAssetId\"", "IMG_20261123_101530.jpg-3511233"),
                    ("name=\"fileCreatedAt\"", "2026-11-23T10:15:30.000Z"),
                    (part, "\u{ff}\u{d8}\u{ff}\u{e0} pretend"),
                ],
            )
        }),
        (
            "Paperless searches",
            Ask::get(
                "/api/documents/?query=invoice%202026&page=1&page_size=50&ordering=-created&truncate_content=true",
            ),
        ),
    ]
}

/// Cookies of common applications.
pub(crate) fn cookies() -> Vec<Ordinary> {
    let with = |cookie: &str| Ask::get("/").header("Cookie", cookie);
    vec![
        (
            "analytics",
            with("_ga=GA1.2.1234567890.1700000000; _gid=GA1.2.987654321.1700000001; _gat=1"),
        ),
        (
            "a consent",
            with(
                "cookieconsent_status=dismiss; euconsent-v2=CPzxyz0Pzxyz0AcABBENDXCgAAAAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA",
            ),
        ),
        (
            "WordPress",
            with(
                "wordpress_test_cookie=WP%20Cookie%20check; wp-settings-1=libraryContent%3Dbrowse; wp-settings-time-1=1763900000",
            ),
        ),
        (
            "Django",
            with("csrftoken=8kq0Zt1b7m3c5v9x2n4Q6w8e0r1t3y5u; sessionid=4f9a1b2c3d4e5f6a7b8c9d0e1f2a3b4c"),
        ),
        ("PHP", with("PHPSESSID=r2t5uvjq435r4q7ib3vtdjq120; lang=de_DE")),
        (
            "Java",
            with("JSESSIONID=6F4C0F0A5E1B2C3D4E5F60718293A4B5.node1; theme=dark"),
        ),
        (
            "ASP.NET",
            with(".AspNetCore.Antiforgery.Vy8k=CfDJ8Nq1xYb2; .AspNetCore.Session=CfDJ8K3v%2BabQ%3D%3D"),
        ),
        (
            "Keycloak",
            with(
                "KEYCLOAK_IDENTITY=eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2ln; AUTH_SESSION_ID=5b1f8b9c.kc-0; KC_RESTART=eyJhbGciOiJkaXIifQ..a.b.c",
            ),
        ),
        (
            "Laravel",
            with(
                "XSRF-TOKEN=eyJpdiI6IkQwIiwidmFsdWUiOiJhIiwibWFjIjoiYiJ9; laravel_session=eyJpdiI6InEiLCJ2YWx1ZSI6IngifQ%3D%3D",
            ),
        ),
    ]
}

/// As a browser encodes a field of a form.
fn encoded(text: &str) -> String {
    let encode = |byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}
