//! A home with zones at the fake, certificates from Pebble, and a disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use palisade::acme::{
    Authorities, Bootstrap, CertificateStatus, Certificates, DiskStore, TxtError, TxtRecords, View,
};
use palisade::config::{Acme, SecretSource, UntilIssued, Zone};
use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Quota};
use palisade_tests::pebble::{Pebble, PebbleOptions};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

pub(crate) const ZONE: &str = "example.com";
pub(crate) const CHALLENGE: &str = "_acme-challenge.example.com";

/// Certificates that come about beside each other. Of more, some would wait longer for a name server than anybody does.
pub(crate) const AT_ONCE: usize = 8;

/// What all certificates of a test share.
pub(crate) struct Home {
    pub(crate) fake: Arc<FakeCloudflare>,
    pub(crate) pebble: Pebble,
    pub(crate) folder: TempDir,
    pub(crate) acme: Acme,
    pub(crate) names: Vec<String>,
}

/// A CA without delays and moods.
pub(crate) fn calm() -> PebbleOptions {
    PebbleOptions {
        no_sleep: true,
        nonce_reject: Some(0),
        authorization_reuse: Some(0),
        ..PebbleOptions::default()
    }
}

impl Home {
    pub(crate) async fn new(options: PebbleOptions) -> Self {
        Self::with_zones(FakeOptions::zones(&[ZONE]), options).await
    }

    /// With a provider that takes any number of calls: for many certificates at once.
    pub(crate) async fn busy(options: PebbleOptions) -> Self {
        let quota = Quota {
            requests: 100_000,
            window: Duration::from_secs(300),
        };
        let zones = FakeOptions {
            quota,
            record_quota: 3500,
            ..FakeOptions::zones(&[ZONE])
        };
        Self::with_zones(zones, options).await
    }

    pub(crate) async fn with_zones(zones: FakeOptions, options: PebbleOptions) -> Self {
        let fake = FakeCloudflare::start(zones).await;
        let pebble = Pebble::start(fake.dns(), options).await;
        let acme = Acme {
            directory: pebble.directory_url(),
            root: Some(pebble.root_pem_path()),
            email: Some("home@example.com".to_owned()),
            profile: None,
            preferred_chain: None,
            eab: None,
            nameservers: Vec::new(),
            propagation_timeout: Duration::from_secs(20),
            until_issued: UntilIssued::SelfSigned,
        };
        Self {
            fake: Arc::new(fake),
            pebble,
            folder: tempfile::tempdir().unwrap(),
            acme,
            names: vec![ZONE.to_owned()],
        }
    }

    /// The service as a new process has it.
    pub(crate) fn started(&self) -> Certificates {
        let store = Arc::new(DiskStore::new(self.folder.path()));
        let records = Arc::new(Scribe::new(&self.fake));
        Certificates::new(&self.zones(), &self.acme, store, records, self.authorities())
    }

    pub(crate) fn zones(&self) -> Vec<Zone> {
        vec![Zone {
            name: ZONE.to_owned(),
            token: SecretSource::Env("UNUSED".to_owned()),
            api: self.fake.base_url(),
            certificates: self.names.clone(),
            records: false,
        }]
    }

    pub(crate) fn authorities(&self) -> Authorities {
        Authorities {
            bootstrap: Bootstrap::Fixed(vec![self.fake.dns()]),
            port: self.fake.dns().port(),
            patience: Duration::from_millis(500),
            pause: Duration::from_millis(100),
            ..Authorities::new(self.acme.nameservers.clone())
        }
    }

    /// What TXT records there are for challenges.
    pub(crate) fn challenges(&self) -> Vec<String> {
        self.fake.contents(ZONE, CHALLENGE, "TXT")
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A JSON document of the store.
    pub(crate) fn document(&self, below: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path(below)).unwrap()).unwrap()
    }

    pub(crate) fn account(&self) -> PathBuf {
        self.path(&format!("acme/{}/account.json", self.ca_folder()))
    }

    /// How many orders the history holds.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let history = self.document(&format!("acme/{}/orders.json", self.ca_folder()));
        history["orders"].as_array().unwrap().clone()
    }

    fn ca_folder(&self) -> String {
        let host = self.pebble.directory_url().replace("https://", "");
        host.replace([':', '/'], "_")
    }

    pub(crate) fn state(&self) -> Value {
        self.document("certificates/example.com/state.json")
    }
}

pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

pub(crate) fn view(certificates: &Certificates) -> Arc<View> {
    certificates.view().borrow().clone()
}

pub(crate) fn status(certificates: &Certificates) -> CertificateStatus {
    view(certificates).certificates[0].clone()
}

/// Writes TXT records through the fake's API; marks what is ours with a comment.
#[derive(Clone)]
pub(crate) struct Scribe {
    fake: Arc<FakeCloudflare>,
    client: Client,
}

const MARK: &str = "palisade acme";

impl Scribe {
    pub(crate) fn new(fake: &Arc<FakeCloudflare>) -> Self {
        Self {
            fake: Arc::clone(fake),
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn zone(&self, name: &str) -> String {
        let zone = ["example.net", ZONE]
            .into_iter()
            .find(|zone| name.ends_with(zone));
        self.fake.zone_id(zone.unwrap())
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value, TxtError> {
        let url = format!("{}{path}", self.fake.base_url());
        let mut request = self.client.request(method, url).bearer_auth(self.fake.token());
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.map_err(|error| TxtError(error.into()))?;
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if answer["success"] != true {
            return Err(TxtError(answer["errors"].to_string().into()));
        }
        Ok(answer)
    }

    async fn records(&self, name: &str) -> Result<Vec<Value>, TxtError> {
        let path = format!(
            "/zones/{}/dns_records?type=TXT&name.exact={name}",
            self.zone(name)
        );
        let answer = self.call(Method::GET, &path, Value::Null).await?;
        Ok(answer["result"].as_array().unwrap().clone())
    }
}

fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}

#[async_trait]
impl TxtRecords for Scribe {
    async fn publish(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        let there = self.records(name).await?;
        for value in values {
            if there.iter().any(|record| record["content"] == quoted(value)) {
                continue;
            }
            let body =
                json!({"type": "TXT", "name": name, "content": quoted(value), "ttl": 60, "comment": MARK});
            let path = format!("/zones/{}/dns_records", self.zone(name));
            self.call(Method::POST, &path, body).await?;
        }
        Ok(())
    }

    async fn withdraw(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        for record in self.records(name).await? {
            if values.iter().any(|value| record["content"] == quoted(value)) {
                let id = record["id"].as_str().unwrap();
                let path = format!("/zones/{}/dns_records/{id}", self.zone(name));
                self.call(Method::DELETE, &path, Value::Null).await?;
            }
        }
        Ok(())
    }

    async fn stale(&self, name: &str) -> Result<Vec<String>, TxtError> {
        let records = self.records(name).await?;
        let ours = records.iter().filter(|record| record["comment"] == MARK);
        Ok(ours
            .map(|record| record["content"].as_str().unwrap().trim_matches('"').to_owned())
            .collect())
    }
}
