//! What the tests share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions};
use palisade_tests::harness::{EdgeBuilder, Route, TestEdge, eventually};
use palisade_tests::pebble::{Front, Pebble, PebbleOptions, Toll};
use reqwest::Client;
use serde_json::Value;

pub(crate) const ZONE: &str = "example.com";

/// The world around a home.
pub(crate) struct House {
    pub(crate) fake: FakeCloudflare,
    pub(crate) pebble: Pebble,
    front: Option<Front>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(true).await
    }

    /// With a CA that looks at challenges some seconds later.
    pub(crate) async fn with_slow_ca() -> Self {
        Self::with(false).await
    }

    async fn with(no_sleep: bool) -> Self {
        let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
        let options = PebbleOptions {
            no_sleep,
            authorization_reuse: Some(0),
            nonce_reject: Some(5),
            ..PebbleOptions::default()
        };
        let pebble = Pebble::start(fake.dns(), options).await;
        Self {
            fake,
            pebble,
            front: None,
        }
    }

    /// With a CA whose way is watched.
    pub(crate) async fn behind(toll: Arc<dyn Toll>) -> Self {
        let mut house = Self::new().await;
        house.front = Some(Front::before(&house.pebble, toll).await);
        house
    }

    /// The CA as the configuration names it.
    pub(crate) fn directory(&self) -> String {
        let front = self.front.as_ref().map(Front::directory_url);
        front.unwrap_or_else(|| self.pebble.directory_url())
    }

    /// `[[zones]]` and `[acme]`; what is more in `[[zones]]` follows.
    pub(crate) fn toml(&self, token: &str, zone: &str) -> String {
        format!(
            "[acme]\ndirectory = {:?}\nroot = \"./ca-root.pem\"\nnameservers = [\"{}\"]\npropagation_timeout = \"20s\"\n\
             [[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = {token:?}\n{zone}\n",
            self.directory(),
            self.fake.dns(),
            self.fake.base_url(),
        )
    }

    /// An edge with `app.example.com`, and no certificate of its own.
    pub(crate) async fn edge(&self, zone: &str, more: &str) -> TestEdge {
        self.builder(zone, more).start().await
    }

    /// The same before its start.
    pub(crate) fn builder(&self, zone: &str, more: &str) -> EdgeBuilder {
        let route = Route::new("app").hosts(&["app.example.com"]).unguarded();
        let builder = TestEdge::builder().without_certificates().route(&route);
        let root = std::fs::read_to_string(self.pebble.root_pem_path()).unwrap();
        let builder = builder
            .file("token", self.fake.token())
            .file("ca-root.pem", &root);
        builder.and(&self.toml("./token", zone)).and(more)
    }

    /// A client that trusts the CA alone.
    pub(crate) async fn client(&self, edge: SocketAddr) -> Client {
        let root = self.pebble.issuer_roots().await;
        let root = reqwest::Certificate::from_pem(root.as_bytes()).unwrap();
        let builder = Client::builder().no_proxy().tls_certs_only([root]);
        let builder = builder.pool_max_idle_per_host(0).timeout(Duration::from_secs(10));
        builder.resolve("app.example.com", edge).build().unwrap()
    }
}

/// How a service stands, as soon as `good` says so.
pub(crate) async fn service(edge: &TestEdge, name: &str, good: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        let status: Value =
            serde_json::from_str(&edge.admin_get("/status").await.expect(200).text()).unwrap();
        last = status["services"][name].clone();
        if good(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the service {name} stands like this: {last:#}");
}

/// Whether the edge presents a certificate that the CA signed.
pub(crate) async fn is_trusted(client: &Client) -> bool {
    client.get("https://app.example.com/").send().await.is_ok()
}

pub(crate) async fn trusted(client: &Client) {
    eventually("a certificate of the CA", async || {
        is_trusted(client).await.then_some(())
    })
    .await;
}
