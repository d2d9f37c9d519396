//! What ends a certificate or an account before its time, with the real binary: it is mended by itself, and no
//! handshake fails meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use instant_acme::{Account, RevocationRequest};
use palisade_tests::harness::{EdgeFiles, EdgeProcess, eventually};
use palisade_tests::pebble;
use reqwest::Client;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::desk::{Told, palisade, reachable, token_is_nowhere};
use crate::house::{House, ZONE, trusted};
use crate::standing::told;

const NO_RECORDS: &str = "records = false";
const CHALLENGE: &str = "_acme-challenge.example.com";

/// An edge with a certificate of the CA's.
struct Certified {
    house: House,
    files: EdgeFiles,
    edge: EdgeProcess,
    client: Client,
}

impl Certified {
    async fn new() -> Self {
        let house = House::new().await;
        let files = reachable(house.builder(NO_RECORDS, "")).write();
        let edge = EdgeProcess::start(&files);
        let client = house.client(edge.https().await).await;
        trusted(&client).await;
        // Stored, and the CA was asked when it is due.
        told(&files, "certs --json", |certs| {
            certs["issued"][0]["phase"] == "valid" && certs["issued"][0]["next"].is_string()
        })
        .await;
        Self {
            house,
            files,
            edge,
            client,
        }
    }

    async fn restart(&mut self) {
        // The one before has the admin port.
        self.edge.signal("TERM");
        self.edge.ended().await;
        self.edge = EdgeProcess::start(&self.files);
        self.client = self.house.client(self.edge.https().await).await;
        trusted(&self.client).await;
    }

    fn chain(&self) -> String {
        std::fs::read_to_string(self.files.folder().join("data/certificates/example.com/tls.crt")).unwrap()
    }

    /// The folder of the account.
    fn ca_folder(&self) -> std::path::PathBuf {
        let mut folders = std::fs::read_dir(self.files.folder().join("data/acme")).unwrap();
        folders.next().unwrap().unwrap().path()
    }

    fn stored(&self, document: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.ca_folder().join(document)).unwrap()).unwrap()
    }

    async fn revoke(&self) {
        let stored = self.stored("account.json");
        let credentials =
            json!({"id": stored["id"], "key_pkcs8": stored["key"], "directory": stored["directory"]});
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .ok();
        let builder = Account::builder_with_root(self.house.pebble.root_pem_path()).unwrap();
        let credentials = serde_json::from_value(credentials).unwrap();
        let account = builder.from_credentials(credentials).await.unwrap();
        let certificate = leaf(&self.chain());
        let request = RevocationRequest {
            certificate: &certificate,
            reason: None,
        };
        account.revoke(&request).await.unwrap();
    }

    async fn retry(&self) -> Told {
        palisade(&self.files, "certs retry").await
    }

    /// Until handshakes present another certificate than this, which the CA signed and which is stored.
    async fn replaced(&self, chain: &str) -> String {
        let before = leaf(chain);
        let edge = self.edge.https().await;
        let roots = self.house.pebble.issuer_roots().await;
        eventually("another certificate to serve", async || {
            let presented = presented(edge, &roots).await?;
            (presented != *before).then_some(())
        })
        .await;
        told(&self.files, "certs --json", |certs| {
            certs["issued"][0]["phase"] == "valid" && certs["issued"][0]["failure"].is_null()
        })
        .await;
        assert_eq!(self.house.fake.contents(ZONE, CHALLENGE, "TXT"), [""; 0]);
        self.chain()
    }

    async fn ca_says(&self, chain: &str) -> Value {
        let leaf = leaf(chain);
        let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
        let serial = leaf.raw_serial_as_string().replace(':', "");
        self.house.pebble.status(serial.trim_start_matches("00")).await["Status"].clone()
    }
}

fn leaf(chain: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()
}

/// The leaf that the edge presents, if the CA signed it.
async fn presented(edge: SocketAddr, roots: &str) -> Option<Vec<u8>> {
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(leaf(roots)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(edge).await.ok()?;
    let name = ServerName::try_from("app.example.com").unwrap();
    let stream = connector.connect(name, stream).await.ok()?;
    let (_, session) = stream.get_ref();
    Some(session.peer_certificates()?.first()?.to_vec())
}

/// Handshakes beside each other, each on a connection of its own, until it is ended.
struct Handshakes {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    tasks: JoinSet<Vec<String>>,
}

impl Handshakes {
    fn with(client: &Client) -> Self {
        let (stop, good) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let (stop, good, client) = (Arc::clone(&stop), Arc::clone(&good), client.clone());
            tasks.spawn(async move {
                let mut bad = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match client.get("https://app.example.com/").send().await {
                        Ok(_) => drop(good.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => bad.push(format!("{error:?}")),
                    }
                }
                bad
            });
        }
        Self { stop, good, tasks }
    }

    /// Some more, with what is served now; then none of all may have failed.
    async fn end(mut self) {
        let before = self.good.load(Ordering::Relaxed);
        eventually("handshakes", async || {
            let more = self.good.load(Ordering::Relaxed) >= before + 20;
            (more || self.tasks.is_empty()).then_some(())
        })
        .await;
        self.stop.store(true, Ordering::Relaxed);
        while let Some(bad) = self.tasks.join_next().await {
            assert_eq!(bad.unwrap(), [""; 0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_the_ca_wants_renewed_early_are_under_load_without_a_failed_handshake() {
    if !pebble::available() {
        return;
    }
    let home = Certified::new().await;
    let first = home.chain();
    let load = Handshakes::with(&home.client);
    let past = |hours| {
        (OffsetDateTime::now_utc() - Duration::hours(hours))
            .format(&Rfc3339)
            .unwrap()
    };
    let window = json!({"suggestedWindow": {"start": past(3), "end": past(2)}});
    home.house
        .pebble
        .set_renewal_info(&first, &window.to_string())
        .await;
    home.retry().await.expect(0, &["tried again now"]);
    let second = home.replaced(&first).await;
    load.end().await;
    assert_eq!(home.ca_says(&second).await, "Valid");
    assert_eq!(home.stored("orders.json")["orders"].as_array().unwrap().len(), 2);
    token_is_nowhere(&home.files, home.house.fake.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_revoked_are_replaced_under_load_without_a_failed_handshake() {
    if !pebble::available() {
        return;
    }
    let home = Certified::new().await;
    let first = home.chain();
    home.revoke().await;
    assert_eq!(home.ca_says(&first).await, "Revoked");
    let load = Handshakes::with(&home.client);
    // Somebody who heard of it; else it is seen when the CA is asked again, as often as it wants to be.
    home.edge.signal("HUP");
    let second = home.replaced(&first).await;
    load.end().await;
    assert_eq!(home.ca_says(&second).await, "Valid");
}

/// The CA has forgotten it, or ended it; or the file is lost, or damaged.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_accounts_that_are_lost_are_made_anew() {
    if !pebble::available() {
        return;
    }
    let mut home = Certified::new().await;
    for loss in ["at the CA", "here", "by damage"] {
        let chain = home.chain();
        home.revoke().await;
        let path = home.ca_folder().join("account.json");
        let account = home.stored("account.json");
        match loss {
            "at the CA" => {
                let mut unknown = account.clone();
                let id = account["id"].as_str().unwrap();
                unknown["id"] = format!("{}999", &id[..id.len() - 3]).into();
                std::fs::write(&path, unknown.to_string()).unwrap();
            }
            "here" => std::fs::remove_file(&path).unwrap(),
            _ => std::fs::write(&path, "{\"directory\": ").unwrap(),
        }
        // What is stored serves, whatever became of the account.
        home.restart().await;
        home.retry().await.expect(0, &[]);
        home.replaced(&chain).await;
        assert_ne!(home.stored("account.json")["id"], account["id"], "{loss}");
    }
    let aside = std::fs::read_dir(home.ca_folder()).unwrap();
    let names = aside.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert_eq!(
        names
            .filter(|name| name.starts_with("account.json.damaged-"))
            .count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_failed_are_tried_again_by_whoever_mended_it() {
    use palisade_tests::cloudflare::{Fault, FaultKind};
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let down = Fault::new(FaultKind::Status(500)).on("POST", "/dns_records");
    house.fake.fault(down.times(100_000));
    let files = reachable(house.builder(NO_RECORDS, "")).write();
    let edge = EdgeProcess::start(&files);
    told(&files, "certs --json", |certs| {
        certs["issued"][0]["failure"].is_object()
    })
    .await;
    house.fake.clear_faults();
    palisade(&files, "certs retry example.org")
        .await
        .expect(1, &["404 Not Found no such certificate in [[zones]]"]);
    palisade(&files, "certs retry example.com")
        .await
        .expect(0, &["tried again now"]);
    trusted(&house.client(edge.https().await).await).await;
}
