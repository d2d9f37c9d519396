//! Faults on demand: what the client sees, and whether it was done.

use std::time::{Duration, Instant};

use super::*;
use crate::cloudflare::{Fault, FaultKind};

#[tokio::test]
async fn dns_fake_fails_on_demand() {
    // What the client sees (a status, or none), and whether the record is there afterwards.
    let table = [
        (FaultKind::Status(500), Some(500), false),
        (FaultKind::Status(502), Some(502), false),
        (FaultKind::Status(429), Some(429), false),
        (FaultKind::ResetBefore, None, false),
        (FaultKind::ResetAfter, None, true),
        (FaultKind::Truncated, None, true),
        (FaultKind::Garbage, Some(200), true),
        (FaultKind::Oversize(1 << 20), Some(200), true),
    ];
    for (kind, status, done) in table {
        let fake = fake().await;
        fake.fault(Fault::new(kind.clone()).on("POST", "/dns_records"));
        assert_eq!(
            get(&fake, &records(&fake, "")).await.status,
            200,
            "the fault is for POST"
        );
        let bearer = format!("Bearer {}", fake.token());
        let body = || Some(a("www", "192.0.2.1").to_string());
        let told = send(&fake, "POST", &records(&fake, ""), &bearer, body()).await;
        assert_eq!(told.as_ref().ok().map(|told| told.status), status, "{kind:?}");
        assert_eq!(fake.records(ZONE).len(), usize::from(done), "{kind:?}");
        if let Ok(told) = told {
            let is_json = !told.body.is_null();
            assert_eq!(is_json, kind != FaultKind::Garbage, "{kind:?}");
            assert_eq!(
                told.headers.contains_key("retry-after"),
                status == Some(429),
                "{kind:?}"
            );
        }
        assert!(fake.calls()[1].faulted);
        let again = send(&fake, "POST", &records(&fake, ""), &bearer, body())
            .await
            .unwrap();
        let expected = if done { 400 } else { 200 };
        assert_eq!(again.status, expected, "{kind:?}: once only");
    }
}

#[tokio::test]
async fn dns_fake_hangs_and_lingers_on_demand() {
    let fake = fake().await;
    fake.fault(Fault::new(FaultKind::Slow(Duration::from_millis(300))).times(2));
    for _ in 0..2 {
        let start = Instant::now();
        assert_eq!(get(&fake, "/zones").await.status, 200);
        assert!(start.elapsed() >= Duration::from_millis(300));
    }
    fake.fault(Fault::new(FaultKind::Hang));
    tokio::select! {
        told = get(&fake, "/zones") => panic!("it was answered: {}", told.body),
        () = fake.await_count("GET", "/zones", 3) => {}
    }
    assert_eq!(get(&fake, "/zones").await.status, 200);
    assert_eq!(fake.calls()[2].status, 0);

    fake.fault(Fault::new(FaultKind::HangAfter));
    let bearer = format!("Bearer {}", fake.token());
    let (body, path) = (a("www", "192.0.2.1").to_string(), records(&fake, ""));
    tokio::select! {
        told = send(&fake, "POST", &path, &bearer, Some(body)) => panic!("it was answered: {}", told.is_ok()),
        () = fake.await_count("POST", "/dns_records", 1) => {}
    }
    assert_eq!(fake.records(ZONE).len(), 1, "it was done");
}
