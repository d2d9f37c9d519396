//! Another store than the disk, with what a Kubernetes API offers and no more: objects that are written as a whole, by
//! whoever names the version that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream;
use palisade::acme::{Certificates, Document, Pair, Phase, Store, StoreError};
use palisade::secret::Secret;
use palisade_tests::pebble::available;

use crate::home::{AT_ONCE, Home, Scribe, ZONE, calm, now, status, view};

/// etcd takes no more.
const LARGEST: usize = 1 << 20;

/// The type of a Secret that others read as well: Ingress controllers, cert-manager.
const TLS: &str = "kubernetes.io/tls";

const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";
const DIRECTORY: &str = "palisade/directory";

/// What has to do with one certificate or one account lies in one object.
#[derive(Debug, Clone, Default, PartialEq)]
struct Object {
    /// `resourceVersion`; 0 is one that is not there yet.
    version: u64,
    kind: String,
    annotations: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
}

/// 409: somebody else wrote meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("the object has been modified")]
struct Conflict;

/// The API server.
#[derive(Clone, Default)]
struct Cluster(Arc<Mutex<Objects>>);

#[derive(Default)]
struct Objects {
    secrets: BTreeMap<String, Object>,
    /// Every write that was tried.
    writes: usize,
    /// Before this one, somebody else writes the same object.
    raced: Option<usize>,
}

impl Cluster {
    fn read(&self, name: &str) -> Object {
        let objects = self.0.lock().unwrap();
        objects.secrets.get(name).cloned().unwrap_or_default()
    }

    fn replace(&self, name: &str, mut object: Object) -> Result<(), Conflict> {
        let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        assert!(name.len() <= 253 && name.chars().all(label), "the name {name}");
        let safe = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        assert!(
            object.data.keys().all(|key| key.chars().all(safe)),
            "{:?}",
            object.data.keys()
        );
        assert!(object.data.values().map(String::len).sum::<usize>() < LARGEST);
        if object.kind == TLS {
            assert!([CHAIN, KEY].iter().all(|key| object.data.contains_key(*key)));
        }
        let mut objects = self.0.lock().unwrap();
        let nth = objects.writes;
        objects.writes += 1;
        if objects.raced == Some(nth) {
            objects.secrets.entry(name.to_owned()).or_default().version += 1;
        }
        let there = objects.secrets.get(name).map_or(0, |there| there.version);
        if there != object.version {
            return Err(Conflict);
        }
        object.version += 1;
        objects.secrets.insert(name.to_owned(), object);
        Ok(())
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().writes
    }
}

/// The store over it.
struct Secrets(Cluster);

impl Secrets {
    fn write(&self, name: &str, object: Object) -> Result<(), StoreError> {
        let written = self.0.replace(name, object);
        written.map_err(|error| StoreError::Remote {
            place: format!("secret {name}"),
            source: Box::new(error),
        })
    }
}

fn tls(name: &str) -> String {
    format!("tls-{name}")
}

/// The object and the key of a document.
fn place(which: &Document) -> (String, &'static str) {
    let of = |directory: &String| {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = directory.to_lowercase().chars().map(safe).collect();
        format!("palisade-{}", name.trim_matches('-'))
    };
    match which {
        Document::State { certificate } => (format!("palisade-{certificate}"), "state.json"),
        Document::Account { directory } => (of(directory), "account.json"),
        Document::History { directory } => (of(directory), "orders.json"),
    }
}

#[async_trait]
impl Store for Secrets {
    async fn names(&self) -> Result<Vec<String>, StoreError> {
        let objects = self.0.0.lock().unwrap();
        let names = objects
            .secrets
            .iter()
            .filter_map(|(name, object)| match object.kind.as_str() {
                TLS => name.strip_prefix("tls-"),
                _ if object.data.contains_key("state.json") => name.strip_prefix("palisade-"),
                _ => None,
            });
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        Ok(names.into_iter().collect())
    }

    async fn pair(&self, name: &str) -> Result<Option<Pair>, StoreError> {
        let object = self.0.read(&tls(name));
        let part = |key: &str| object.data.get(key).cloned();
        Ok(part(CHAIN).zip(part(KEY)).map(|(chain, key)| Pair {
            chain,
            key: Secret::new(key),
            directory: object.annotations.get(DIRECTORY).cloned(),
        }))
    }

    async fn install(&self, name: &str, pair: &Pair) -> Result<(), StoreError> {
        let mut object = self.0.read(&tls(name));
        object.kind = TLS.to_owned();
        object.data = BTreeMap::from([
            (CHAIN.to_owned(), pair.chain.clone()),
            (KEY.to_owned(), pair.key.expose().to_owned()),
        ]);
        let directory = pair
            .directory
            .iter()
            .map(|directory| (DIRECTORY.to_owned(), directory.clone()));
        object.annotations = directory.collect();
        self.write(&tls(name), object)
    }

    async fn set_pair_aside(&self, name: &str) -> Result<String, StoreError> {
        let (aside, damaged) = (format!("{}.damaged", tls(name)), self.0.read(&tls(name)));
        let before = self.0.read(&aside).version;
        let copy = Object {
            version: before,
            kind: "Opaque".to_owned(),
            ..damaged.clone()
        };
        self.write(&aside, copy)?;
        let gone = Object {
            version: damaged.version,
            ..Object::default()
        };
        self.write(&tls(name), gone)?;
        Ok(aside)
    }

    async fn document(&self, which: &Document) -> Result<Option<String>, StoreError> {
        let (name, key) = place(which);
        Ok(self.0.read(&name).data.get(key).cloned())
    }

    async fn keep(&self, which: &Document, text: &str) -> Result<(), StoreError> {
        let (name, key) = place(which);
        let mut object = self.0.read(&name);
        object.data.insert(key.to_owned(), text.to_owned());
        self.write(&name, object)
    }

    async fn set_aside(&self, which: &Document) -> Result<String, StoreError> {
        let (name, key) = place(which);
        let mut object = self.0.read(&name);
        let text = object.data.remove(key).unwrap_or_default();
        object.data.insert(format!("{key}.damaged"), text);
        self.write(&name, object)?;
        Ok(format!("{name}, {key}.damaged"))
    }
}

fn process(home: &Home, cluster: &Cluster, name: &str) -> Certificates {
    let mut zones = home.zones();
    zones[0].certificates = vec![name.to_owned()];
    let store = Arc::new(Secrets(cluster.clone()));
    let records = Arc::new(Scribe::new(&home.fake));
    Certificates::new(&zones, &home.acme, store, records, home.authorities())
}

fn json(cluster: &Cluster, which: &Document) -> serde_json::Value {
    let (name, key) = place(which);
    serde_json::from_str(&cluster.read(&name).data[key]).unwrap()
}

fn orders(home: &Home, cluster: &Cluster) -> usize {
    let directory = home.acme.directory.clone();
    let history = json(cluster, &Document::History { directory });
    history["orders"].as_array().unwrap().len()
}

#[tokio::test]
async fn certificates_are_kept_in_secrets_as_well_as_on_a_disk() {
    if !available() {
        return;
    }
    let home = Home::new(calm()).await;
    let cluster = Cluster::default();
    let mut certificates = process(&home, &cluster, ZONE);
    certificates.round(now()).await;
    assert_eq!(
        (status(&certificates).phase, status(&certificates).failure),
        (Phase::Valid, None)
    );
    let secret = cluster.read("tls-example.com");
    assert_eq!(secret.version, 1, "chain and key in one write");
    assert_eq!(secret.annotations[DIRECTORY], home.acme.directory);

    // Another replica serves it at once, and nobody orders another.
    let mut replica = process(&home, &cluster, ZONE);
    assert!(replica.follow(now()).await.changed);
    assert_eq!(view(&replica).entries.len(), 1);
    replica.round(now()).await;
    assert_eq!(orders(&home, &cluster), 1);

    // Damaged by hand: set aside, ordered anew, the account goes on.
    let directory = home.acme.directory.clone();
    let account = json(&cluster, &Document::Account { directory })["id"].clone();
    let mut damaged = secret.clone();
    damaged.data.insert(CHAIN.to_owned(), "no chain".to_owned());
    cluster.replace("tls-example.com", damaged).unwrap();
    let mut certificates = process(&home, &cluster, ZONE);
    certificates.round(now()).await;
    assert_eq!(status(&certificates).phase, Phase::Valid);
    assert_eq!(cluster.read("tls-example.com.damaged").data[CHAIN], "no chain");
    let directory = home.acme.directory.clone();
    assert_eq!(json(&cluster, &Document::Account { directory })["id"], account);
}

/// One that cert-manager made is used as it is, and replaced when its time has come.
#[tokio::test]
async fn certificates_that_cert_manager_left_in_secrets_serve() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.profile = Some("default".to_owned());
    let other = Cluster::default();
    process(&home, &other, ZONE).round(now()).await;
    let mut made = other.read("tls-example.com");
    made.version = 0;
    made.annotations = BTreeMap::from([(
        "cert-manager.io/certificate-name".to_owned(),
        "wildcard".to_owned(),
    )]);
    let cluster = Cluster::default();
    cluster.replace("tls-example.com", made.clone()).unwrap();
    let mut certificates = process(&home, &cluster, ZONE);
    certificates.round(now()).await;
    assert_eq!(status(&certificates).phase, Phase::Valid);
    assert_eq!(cluster.read("tls-example.com").data, made.data);
    let due = status(&certificates).next.unwrap();
    certificates.round(due).await;
    assert_eq!(status(&certificates).failure, None);
    assert_ne!(cluster.read("tls-example.com").data, made.data);
    assert_eq!(
        cluster.read("tls-example.com").annotations[DIRECTORY],
        home.acme.directory
    );
}

/// Whichever write loses a race, it is told, and the next round reads anew and comes to the same end.
#[tokio::test]
async fn certificates_survive_lost_races_at_every_write() {
    if !available() {
        return;
    }
    let home = Home::busy(calm()).await;
    let calm = Cluster::default();
    process(&home, &calm, &format!("calm.{ZONE}")).round(now()).await;
    let races = (0..calm.writes()).map(|nth| races(&home, nth));
    assert!(races.len() >= 8, "{} writes", calm.writes());
    let () = stream::iter(races).buffer_unordered(AT_ONCE).collect().await;
}

async fn races(home: &Home, nth: usize) {
    let name = format!("n{nth}.{ZONE}");
    let cluster = Cluster::default();
    cluster.0.lock().unwrap().raced = Some(nth);
    let mut certificates = process(home, &cluster, &name);
    let mut at = now();
    certificates.round(at).await;
    let found = status(&certificates);
    let message = found.failure.as_ref().map(|failure| failure.message.clone());
    let told = [found.why.clone(), message]
        .into_iter()
        .flatten()
        .collect::<String>();
    // That an order was the last is noted if it can be; the certificate serves all the same.
    let told = told.contains("has been modified");
    assert!(told || found.phase == Phase::Valid, "write {nth}: {found:?}");
    // At most an hour later, as after every failure.
    for _ in 0..2 {
        at += time::Duration::minutes(70);
        certificates.round(at).await;
    }
    let found = status(&certificates);
    assert_eq!((found.phase, found.failure), (Phase::Valid, None), "write {nth}");
    let orders = orders(home, &cluster);
    assert!((1..=2).contains(&orders), "write {nth}: {orders} orders");
}
