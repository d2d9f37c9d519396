//! One edge with every rule loaded, for all scenarios that only ask.
//!
//! Loading the CRS takes most of a second of a core: scenarios that change nothing share this world. It lives
//! on a thread of its own, because each test's reactor ends with the test.

use std::sync::OnceLock;

use super::rules::crs_rules;
use super::upstream::answering;
use super::{Route, TestEdge, Upstream};

/// The shared edge and its upstreams.
pub struct World {
    /// Routes: `app.test` (On), `detect.test` (DetectionOnly), `off.test`, `strict.test` (paranoia level 2),
    /// `inspected.test` (answers too), `leak.test` (an application that shows database errors, inspected),
    /// `socket.test` (WebSockets).
    pub edge: TestEdge,
    /// Behind the others.
    pub echo: Upstream,
    /// Behind `leak.test`.
    pub leak: Upstream,
    /// Behind `socket.test`.
    pub socket: Upstream,
}

/// What the database's driver says on a page of an application that shows its errors.
pub const SQL_ERROR_PAGE: &str = "<html><body><h1>Oops</h1><p>You have an error in your SQL syntax; check the \
    manual that corresponds to your MySQL server version for the right syntax to use near ''1''' at line 1</p>\
    </body></html>";

/// The shared world; `None`, said aloud, if no rule set is installed.
pub fn world() -> Option<&'static World> {
    static WORLD: OnceLock<World> = OnceLock::new();
    crs_rules()?;
    Some(WORLD.get_or_init(start))
}

fn start() -> World {
    let (sender, receiver) = std::sync::mpsc::channel();
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            sender.send(build().await).ok();
            std::future::pending::<()>().await
        })
    };
    std::thread::Builder::new()
        .name("shared edge".to_owned())
        .spawn(serve)
        .unwrap();
    receiver.recv().expect("the shared edge starts")
}

async fn build() -> World {
    let echo = Upstream::echo("echo").await;
    let leak = Upstream::serve(answering(200, "text/html; charset=utf-8", SQL_ERROR_PAGE)).await;
    let socket = Upstream::websocket().await;
    let routes = [
        Route::new("app").to(&echo),
        Route::new("detect").to(&echo).waf(r#"mode = "detection-only""#),
        Route::new("off").to(&echo).unguarded(),
        Route::new("strict").to(&echo).waf("paranoia_level = 2"),
        Route::new("inspected").to(&echo).waf("inspect_responses = true"),
        Route::new("leak").to(&leak).waf("inspect_responses = true"),
        Route::new("socket").to(&socket),
    ];
    let edge = TestEdge::with(crs_rules(), &routes).await;
    World {
        edge,
        echo,
        leak,
        socket,
    }
}
