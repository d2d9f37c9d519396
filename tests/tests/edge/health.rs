//! Backends are asked whether they are well, and nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use palisade_tests::harness::upstream::{DeadPort, full};
use palisade_tests::harness::{Backend, Route, TestEdge, Upstream, eventually, polite, within};

/// An application that tells how it is, and counts its visitors.
#[derive(Default)]
struct Patient {
    ill: AtomicBool,
    visitors: AtomicUsize,
}

async fn patient(state: &Arc<Patient>) -> Upstream {
    let state = Arc::clone(state);
    Upstream::serve(move |request, journal| {
        let state = Arc::clone(&state);
        async move {
            let (parts, _) = request.into_parts();
            journal.request(&parts);
            if parts.uri.path() != "/healthz" {
                state.visitors.fetch_add(1, Ordering::SeqCst);
                return Response::new(full("a page\n"));
            }
            match state.ill.load(Ordering::SeqCst) {
                true => Response::new(full("not well\n")),
                false => Response::new(full("status: fine\n")),
            }
        }
    })
    .await
}

const CHECK: &str = "[routes.health]\npath = \"/healthz\"\nbody = \"fine\"\ninterval = \"100ms\"\ndown = 2\nup = 2\n\
    [routes.ejection]\nslow_start = \"0s\"\n";

fn series(backend: &impl Backend) -> String {
    let url = backend.backend();
    let address = url.rsplit('/').next().unwrap();
    format!("palisade_backend_up{{route=\"app\",backend=\"{url}\",address=\"{address}\"}}")
}

async fn until(edge: &TestEdge, backend: &impl Backend, up: f64) {
    let series = series(backend);
    eventually("the backend's state", || async {
        (edge.metric(&series).await == up).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_backend_that_says_it_is_not_well_gets_no_requests_until_it_is() {
    let (one, two) = (Arc::<Patient>::default(), Arc::<Patient>::default());
    let (first, second) = (patient(&one).await, patient(&two).await);
    let route = Route::new("app").to(&first).to(&second).unguarded().and(CHECK);
    let edge = TestEdge::with(None, &[route]).await;
    let client = edge.client();
    let visit = async || {
        polite::send(client.get("https://app.test/")).await.expect(200);
    };
    until(&edge, &first, 1.0).await;
    one.ill.store(true, Ordering::SeqCst);
    until(&edge, &first, 0.0).await;
    let status = edge.admin_get("/status").await.json();
    assert_eq!(status["backends"]["app"][0]["state"], "down", "{status}");
    assert_eq!(
        status["backends"]["app"][0]["trouble"], "the expected text is not in the body",
        "{status}"
    );
    let before = one.visitors.load(Ordering::SeqCst);
    for _ in 0..10 {
        visit().await;
    }
    assert_eq!(one.visitors.load(Ordering::SeqCst), before);
    assert_eq!(two.visitors.load(Ordering::SeqCst), 10);
    // A reload does not make it well.
    edge.files().edit("grace = \"10s\"", "grace = \"9s\"");
    edge.reload().await.unwrap();
    visit().await;
    assert_eq!(one.visitors.load(Ordering::SeqCst), before);

    one.ill.store(false, Ordering::SeqCst);
    until(&edge, &first, 1.0).await;
    for _ in 0..4 {
        visit().await;
    }
    assert!(one.visitors.load(Ordering::SeqCst) > before);
}

#[tokio::test]
async fn while_all_are_down_they_are_tried_or_refused_as_configured() {
    let state = Arc::<Patient>::default();
    state.ill.store(true, Ordering::SeqCst);
    let backend = patient(&state).await;
    for (line, status) in [("all_down = \"try\"", 200), ("all_down = \"refuse\"", 503)] {
        let route = Route::new("app").to(&backend).line(line).unguarded().and(CHECK);
        let edge = TestEdge::with(None, &[route]).await;
        until(&edge, &backend, 0.0).await;
        edge.get("https://app.test/").await.expect(status);
    }
}

#[tokio::test]
async fn a_backend_that_was_down_is_found_by_its_port() {
    let dead = DeadPort::new();
    let url = dead.url();
    let route = Route::new("app")
        .to(&dead)
        .line("all_down = \"refuse\"")
        .unguarded()
        .and("[routes.health]\ninterval = \"100ms\"\ndown = 1\nup = 1");
    let edge = TestEdge::with(None, &[route]).await;
    until(&edge, &url.as_str(), 0.0).await;
    edge.get("https://app.test/").await.expect(503);
    let _back = Upstream::echo_at(dead).await;
    until(&edge, &url.as_str(), 1.0).await;
    edge.get("https://app.test/").await.expect(200);
}

#[tokio::test]
async fn a_check_that_hangs_is_on_nobodys_way() {
    let (hangs, _gate) = Upstream::held().await;
    let sound = Upstream::echo("sound").await;
    let hanging = Route::new("hangs")
        .to(&hangs)
        .unguarded()
        .and("[routes.health]\npath = \"/\"\ninterval = \"100ms\"\ntimeout = \"10m\"");
    let edge = TestEdge::with(None, &[hanging, Route::new("app").to(&sound).unguarded()]).await;
    hangs.journal().await_hits(1).await;
    for _ in 0..20 {
        within("an answer", edge.get("https://app.test/"))
            .await
            .expect(200);
    }
    // And it was asked once: the next check waits for this one.
    assert_eq!(hangs.hits(), 1);
}

#[tokio::test]
async fn a_name_with_several_addresses_is_served_by_those_that_answer() {
    // `localhost` is ::1 as well on most machines; the upstream is at 127.0.0.1 only.
    let upstream = Upstream::echo("app").await;
    let url = format!("http://localhost:{}", upstream.address().port());
    let edge = TestEdge::with(None, &[Route::new("app").to(&url.as_str()).unguarded()]).await;
    for _ in 0..6 {
        edge.get("https://app.test/").await.expect(200);
    }
    let status = edge.admin_get("/status").await.json();
    let backends = status["backends"]["app"].as_array().unwrap();
    assert!(
        backends.iter().any(|backend| backend["state"] == "up"),
        "{status}"
    );
    assert!(edge.access_log().text().contains("localhost:"));
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_503_and_told() {
    let route = Route::new("app").to(&"http://no-such-name.invalid").unguarded();
    let edge = TestEdge::with(None, &[route]).await;
    edge.get("https://app.test/").await.expect(503);
    let status = edge.admin_get("/status").await.json();
    assert_eq!(status["backends"]["app"][0]["state"], "unknown", "{status}");
}

/// A service of gRPC that tells by grpc.health.v1 how it is, in `ill`, and counts its visitors.
async fn service(state: &Arc<Patient>) -> Upstream {
    let state = Arc::clone(state);
    Upstream::serve(move |request, journal| {
        let state = Arc::clone(&state);
        async move {
            let (parts, body) = request.into_parts();
            journal.request(&parts);
            if parts.uri.path() != "/grpc.health.v1.Health/Check" {
                state.visitors.fetch_add(1, Ordering::SeqCst);
                return Response::new(full("a page\n"));
            }
            let asked = body.collect().await.unwrap().to_bytes();
            // A frame, and in it field 1: the name.
            let message = match &asked[..] {
                [0, 0, 0, 0, 8, 10, 6, name @ ..] if name == b"a.Shop" => {
                    [8, 1 + u8::from(state.ill.load(Ordering::SeqCst))]
                }
                _ => [8, 3],
            };
            let frame = Bytes::from([&[0, 0, 0, 0, 2][..], &message].concat());
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
            let frames = [Ok(Frame::data(frame)), Ok(Frame::trailers(trailers))];
            let body = StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
            let answer = Response::builder().header("content-type", "application/grpc");
            answer.body(body).unwrap()
        }
    })
    .await
}

#[tokio::test]
async fn a_service_of_grpc_says_itself_how_it_is() {
    let (one, two) = (Arc::<Patient>::default(), Arc::<Patient>::default());
    let (first, second) = (service(&one).await, service(&two).await);
    let urls = [&first, &second].map(|upstream| format!("h2c://{}", upstream.address()));
    let check = "[routes.health]\ngrpc = \"a.Shop\"\ninterval = \"100ms\"\ndown = 2\nup = 2\n\
        [routes.ejection]\nslow_start = \"0s\"\n";
    let route = Route::new("app")
        .to(&urls[0].as_str())
        .to(&urls[1].as_str())
        .unguarded();
    let unknown = Route::new("other")
        .to(&urls[0].as_str())
        .unguarded()
        .and("[routes.health]\ngrpc = \"\"\ninterval = \"100ms\"\ndown = 1");
    let edge = TestEdge::with(None, &[route.and(check), unknown]).await;
    one.ill.store(true, Ordering::SeqCst);
    until(&edge, &urls[0].as_str(), 0.0).await;
    let status = edge.admin_get("/status").await.json();
    assert_eq!(status["backends"]["app"][0]["trouble"], "NOT_SERVING", "{status}");
    let client = edge.client();
    for _ in 0..6 {
        polite::send(client.get("https://app.test/")).await.expect(200);
    }
    assert_eq!(one.visitors.load(Ordering::SeqCst), 0);
    one.ill.store(false, Ordering::SeqCst);
    until(&edge, &urls[0].as_str(), 1.0).await;
    for _ in 0..4 {
        polite::send(client.get("https://app.test/")).await.expect(200);
    }
    assert!(one.visitors.load(Ordering::SeqCst) > 0);
    eventually("the service that is not known", || async {
        let status = edge.admin_get("/status").await.json();
        let trouble = status["backends"]["other"][0]["trouble"].as_str()?.to_owned();
        trouble.contains("SERVICE_UNKNOWN").then_some(())
    })
    .await;
}
