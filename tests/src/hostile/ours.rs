//! The edge, as it is compared: its defaults, with deadlines that nobody has to wait for.

use crate::harness::{Route, TestEdge};

use super::{HOST, Recorder};

/// An edge in front of `recorder`.
pub async fn edge(recorder: &Recorder) -> TestEdge {
    TestEdge::builder()
        .listen("request_head_timeout = \"1s\"\nrequest_body_timeout = \"1s\"\nkeepalive_timeout = \"2s\"")
        .certificate("elsewhere", &["app.elsewhere"])
        .route(&Route::new("app").hosts(&[HOST]).to(recorder).unguarded())
        .route(
            &Route::new("private")
                .hosts(&[HOST])
                .paths("[\"/private\"]")
                .unguarded(),
        )
        // Not by `route`, which would give its host to the first certificate.
        .and(
            &Route::new("elsewhere")
                .hosts(&["app.elsewhere"])
                .unguarded()
                .toml(),
        )
        .start()
        .await
}
