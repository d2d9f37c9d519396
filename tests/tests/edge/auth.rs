//! Passwords, and the word of another service.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use palisade_tests::harness::upstream::{Body, Journal, Seen, full};
use palisade_tests::harness::{
    Ask, Backend, Route, TestCa, TestEdge, Upstream, binary, eventually, upstream,
};
use tokio_tungstenite::tungstenite::Message;

/// What `palisade hash-password` prints for this password.
fn hashed(arguments: &[&str], password: &str) -> String {
    let mut child = Command::new(binary())
        .arg("hash-password")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn with_password(path: &str, user: &str, password: &str) -> Ask {
    let token = STANDARD.encode(format!("{user}:{password}"));
    Ask::get(path)
        .accept_json()
        .header("Authorization", format!("Basic {token}"))
}

#[tokio::test]
async fn a_password_lets_its_user_in_and_the_application_is_told_who_it_is() {
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app").to(&upstream).unguarded().and(
        "[routes.basic_auth]\nrealm = \"The office\"\nfile = \"users\"\nattempts = 3\nexcept = [\"/open\"]",
    );
    let line = hashed(&["--user", "anna"], "correct horse");
    assert!(line.starts_with("anna:$argon2id$"), "{line}");
    let edge = TestEdge::builder()
        .file("users", &format!("# us\n{line}\n"))
        .route(&route)
        .start()
        .await;

    let refused = edge.ask("app.test", &Ask::get("/none")).await.expect(401);
    let challenge = refused.header("www-authenticate");
    assert_eq!(challenge, Some("Basic realm=\"The office\", charset=\"UTF-8\""));
    assert_eq!(edge.accessed("/none").await["refused"], "basic_auth");
    for (user, password) in [("anna", "wrong"), ("otto", "correct horse")] {
        edge.ask("app.test", &with_password("/", user, password))
            .await
            .expect(401);
    }
    assert_eq!(upstream.hits(), 0);

    // What a client says of itself counts nowhere, in no spelling, with or without a password.
    let spoofed = |ask: Ask| ask.header("X-Auth-User", "root").header("X_Auth_User", "root");
    for _ in 0..4 {
        let ask = spoofed(with_password("/in", "anna", "correct horse"));
        let answer = edge.ask("app.test", &ask).await.expect(200);
        assert_eq!(answer.echoed("x-auth-user"), ["anna"]);
        assert!(answer.echoed("x_auth_user").is_empty());
        assert!(answer.echoed("authorization").is_empty());
    }
    assert_eq!(edge.accessed("/in").await["user"], "anna");
    let open = edge
        .ask("app.test", &spoofed(Ask::get("/open")))
        .await
        .expect(200);
    assert!(open.echoed("x-auth-user").is_empty());

    // Three were tried, and the fourth waits; a password that is remembered does not.
    let waits = edge
        .ask("app.test", &with_password("/many", "anna", "wrong"))
        .await
        .expect(429);
    assert!(waits.header("retry-after").is_some());
    edge.ask("app.test", &with_password("/", "anna", "correct horse"))
        .await
        .expect(200);

    // A user who is taken from the file is out with the next request.
    edge.files()
        .write("users", &format!("{}\n", line.replace("anna", "otto")));
    eventually("the file", || async {
        let answer = edge
            .ask("app.test", &with_password("/", "anna", "correct horse"))
            .await;
        (answer.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_users_file_that_is_wrong_is_told_without_its_hashes() {
    let hash = hashed(&[], "x");
    let route = Route::new("app")
        .unguarded()
        .and("[routes.basic_auth]\nfile = \"users\"");
    let text = format!("anna:{hash}\notto:{{SHA}}c2VjcmV0\nanna:{hash}\n");
    let Err(error) = TestEdge::builder()
        .file("users", &text)
        .route(&route)
        .try_start()
        .await
    else {
        panic!("it starts")
    };
    assert!(
        error.contains("users:2:1: routes.basic_auth.file: neither an argon2 nor a bcrypt hash"),
        "{error}"
    );
    assert!(
        error.contains("users:3:1: routes.basic_auth.file: this user already stands in line 1"),
        "{error}"
    );
    assert!(
        !error.contains("argon2id") && !error.contains("c2VjcmV0"),
        "{error}"
    );
}

/// A service that knows one session: who has it passes, who has not is sent to log in.
async fn auth_service() -> Upstream {
    Upstream::serve(
        |request: hyper::Request<hyper::body::Incoming>, journal: Journal| async move {
            let (parts, _) = request.into_parts();
            let header = |name: &str| {
                let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
                value.unwrap_or_default().to_owned()
            };
            let headers = parts.headers.iter();
            journal.seen(Seen {
                method: parts.method.to_string(),
                uri: parts.uri.to_string(),
                headers: headers
                    .map(|(name, value)| {
                        (
                            name.to_string(),
                            String::from_utf8_lossy(value.as_bytes()).into_owned(),
                        )
                    })
                    .collect(),
            });
            let response = hyper::Response::builder();
            let response: hyper::Response<Body> = if header("cookie").contains("session=good") {
                response
                    .status(200)
                    .header("Remote-User", "anna")
                    .header("Remote-Groups", "admins")
                    .header("Set-Cookie", "session=good; Max-Age=600")
                    .header("Set-Cookie", "seen=1")
                    .header("X-Internal", "secret")
                    .body(full("welcome"))
                    .unwrap()
            } else {
                let back = format!(
                    "https://auth.test/?rd=https://{}{}",
                    header("x-forwarded-host"),
                    header("x-forwarded-uri")
                );
                response
                    .status(302)
                    .header("Location", back)
                    .header("Set-Cookie", "csrf=1")
                    .body(full("log in"))
                    .unwrap()
            };
            response
        },
    )
    .await
}

fn guarded(route: Route, service: &impl Backend) -> Route {
    let url = service.backend();
    route.unguarded().and(&format!(
        "[routes.forward_auth]\nurl = \"{url}/api/verify\"\nrequest_headers = [\"Remote-User\", \"Remote-Groups\"]\n\
         except = [\"/public\"]"
    ))
}

#[tokio::test]
async fn an_auth_service_lets_pass_or_answers_itself() {
    let (service, upstream) = (auth_service().await, Upstream::echo("app").await);
    let edge = TestEdge::with(None, &[guarded(Route::new("app").to(&upstream), &service)]).await;
    for h2 in [false, true] {
        let ask = Ask::form("/private?a=b", "c=d").header("X-Forwarded-Uri", "/public");
        let answer = if h2 {
            edge.ask_h2("app.test", &ask).await
        } else {
            edge.ask("app.test", &ask).await
        };
        let answer = answer.expect(302);
        assert_eq!(
            answer.header("location"),
            Some("https://auth.test/?rd=https://app.test/private?a=b")
        );
        assert_eq!(answer.header("set-cookie"), Some("csrf=1"));
        assert_eq!(answer.text(), "log in");
        assert_eq!(upstream.hits(), 0);
        let asked = service.journal().find(&ask.probe).unwrap();
        assert_eq!(
            (asked.method.as_str(), asked.uri.as_str()),
            ("GET", "/api/verify")
        );
        assert_eq!(asked.header("x-forwarded-method"), ["POST"]);
        assert_eq!(asked.header("x-forwarded-proto"), ["https"]);
        assert_eq!(asked.header("x-forwarded-for"), ["127.0.0.1"]);
        assert!(asked.header("content-length").is_empty());
    }
    assert_eq!(edge.accessed("/private").await["refused"], "forward_auth");

    let with_session = |ask: Ask| ask.header("Cookie", "session=good").header("Remote-User", "root");
    let ask = with_session(Ask::get("/in").accept_json()).header("Remote_Groups", "root");
    let answer = edge.ask("app.test", &ask).await.expect(200);
    assert_eq!(answer.echoed("remote-user"), ["anna"]);
    assert_eq!(answer.echoed("remote-groups"), ["admins"]);
    assert!(answer.echoed("remote_groups").is_empty() && answer.echoed("x-internal").is_empty());
    let cookies: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert_eq!(edge.accessed("/in").await["user"], "anna");

    // An upload goes to the application, whole, and the service sees none of it.
    let body = vec![b'x'; 3 << 20];
    let upload = with_session(Ask::post("/upload", "application/octet-stream", &body).accept_json());
    let answer = edge.ask("app.test", &upload).await.expect(200);
    assert_eq!(answer.json()["body_sum"], upstream::checksum(&body));
    assert_eq!(service.journal().body_bytes(), 0);

    // Where nobody is asked the names are still the service's own.
    let before = service.hits();
    let open = edge
        .ask("app.test", &Ask::get("/public/a").header("Remote-User", "root"))
        .await
        .expect(200);
    assert!(open.echoed("remote-user").is_empty());
    assert_eq!(service.hits(), before);
    for path in [
        "/public/../private",
        "/public/..%2fprivate",
        "/public/..;/private",
    ] {
        let answer = edge.ask("app.test", &Ask::get(path)).await;
        assert_ne!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_websocket_passes_the_auth_service() {
    let (service, upstream) = (auth_service().await, Upstream::websocket().await);
    let edge = TestEdge::with(None, &[guarded(Route::new("app").to(&upstream), &service)]).await;
    let refused = edge.websocket("app.test", "/socket").await.err().unwrap();
    assert!(refused.contains("302"), "{refused}");
    let open = Route::new("open").to(&upstream);
    let (service, edge) = (
        auth_service().await,
        TestEdge::with(None, &[guarded(open, &service)]).await,
    );
    drop(service);
    let mut socket = edge.websocket("open.test", "/public/socket").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let echoed = socket.next().await.unwrap().unwrap();
    assert_eq!(echoed, Message::text("hello"));
}

#[tokio::test]
async fn nobody_passes_while_the_auth_service_is_down_and_it_is_asked_again_when_it_is_back() {
    let upstream = Upstream::echo("app").await;
    let port = upstream::DeadPort::new();
    let edge = TestEdge::with(None, &[guarded(Route::new("app").to(&upstream), &port)]).await;
    edge.ask("app.test", &Ask::get("/down").header("Cookie", "session=good"))
        .await
        .expect(503);
    let line = edge.accessed("/down").await;
    assert_eq!(line["refused"], "auth_unavailable");
    assert!(
        line["error"]
            .as_str()
            .unwrap()
            .contains("the auth service cannot be asked"),
        "{line}"
    );
    assert_eq!(upstream.hits(), 0);
    // The echo lets everybody pass.
    let _service = Upstream::echo_at(port).await;
    edge.ask("app.test", &Ask::get("/up")).await.expect(200);
    assert_eq!(upstream.hits(), 1);
}

#[tokio::test]
async fn an_auth_service_by_https_is_trusted_by_its_own_ca_only() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let service = Upstream::echo_over_tls("auth", &ca.issue(&["127.0.0.1"])).await;
    let table = |ca: &str| {
        format!(
            "[routes.forward_auth]\nurl = \"{}/\"\nca = \"{ca}\"",
            service.url()
        )
    };
    let edge = TestEdge::builder()
        .file("right.pem", &ca.pem())
        .file("wrong.pem", &TestCa::new().pem())
        .route(
            &Route::new("right")
                .to(&upstream)
                .unguarded()
                .and(&table("right.pem")),
        )
        .route(
            &Route::new("wrong")
                .to(&upstream)
                .unguarded()
                .and(&table("wrong.pem")),
        )
        .start()
        .await;
    edge.ask("right.test", &Ask::get("/")).await.expect(200);
    edge.ask("wrong.test", &Ask::get("/")).await.expect(503);
    assert_eq!(upstream.hits(), 1);
}
