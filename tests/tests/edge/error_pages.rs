//! The edge's own answers, in the form that clients ask for.

use palisade_tests::harness::{Ask, Route, TestEdge, eventually};

use crate::filters::{BOTH, send};

#[tokio::test]
async fn the_edges_own_answers_have_the_form_that_the_client_asks_for() {
    let dead = palisade_tests::harness::upstream::DeadPort::new();
    let edge = TestEdge::builder()
        .file(
            "pages/404.html",
            "<h1>Nobody lives here</h1> ${status} ${request_id} ${theirs}",
        )
        .route(&Route::new("app").to(&dead).unguarded())
        .and("[errors]\npages = { 404 = \"pages/404.html\" }")
        .start()
        .await;
    for versions in BOTH {
        for (accept, content_type, begin) in [
            ("text/html", "text/html; charset=utf-8", "<!doctype html>"),
            ("application/json", "application/json", "{\"status\":503,"),
            (
                "text/plain, text/html;q=0.5",
                "text/plain; charset=utf-8",
                "503: The application is not available\n",
            ),
            ("*/*", "application/json", "{"),
        ] {
            for method in ["GET", "HEAD"] {
                let ask = Ask::new(method, "/").header("Accept", accept);
                let answer = send(&edge, versions, "app.test", &ask).await.expect(503);
                assert_eq!(answer.header("content-type"), Some(content_type));
                assert!(
                    method == "HEAD" || answer.text().starts_with(begin),
                    "{}",
                    answer.text()
                );
                assert_eq!(answer.body.is_empty(), method == "HEAD");
            }
        }
        let answer = send(&edge, versions, "nobody.test", &Ask::get("/"))
            .await
            .expect(404);
        let text = answer.text();
        assert!(text.starts_with("<h1>Nobody lives here</h1> 404 "), "{text}");
        assert!(text.ends_with(" ${theirs}"), "{text}");
        let json = send(&edge, versions, "nobody.test", &Ask::get("/").accept_json()).await;
        assert_eq!(json.json()["status"], 404);
    }
    // The page is watched like the rest of the configuration, and a failure names the request that the log has.
    let answer = edge
        .ask("app.test", &Ask::get("/failing").accept_json())
        .await
        .expect(503);
    assert_eq!(
        edge.accessed("/failing").await["request_id"],
        answer.json()["request_id"]
    );
}

#[tokio::test]
async fn a_page_that_changes_is_shown_and_one_that_is_gone_changes_nothing() {
    let edge = TestEdge::builder()
        .file("pages/404.html", "<h1>The first</h1>")
        .route(&Route::new("app").unguarded())
        .and("[errors]\npages = { \"4xx\" = \"pages/404.html\" }")
        .start()
        .await;
    let shown = async || edge.ask("nobody.test", &Ask::get("/")).await.expect(404).text();
    assert_eq!(shown().await, "<h1>The first</h1>");
    edge.files().write("pages/404.html", "<h1>The second</h1>");
    eventually("the new page", || async {
        (shown().await == "<h1>The second</h1>").then_some(())
    })
    .await;
    std::fs::remove_file(edge.files().folder().join("pages/404.html")).unwrap();
    let told = edge.reload().await.unwrap_err();
    assert!(told.contains("404.html"), "{told}");
    assert_eq!(shown().await, "<h1>The second</h1>");
}
