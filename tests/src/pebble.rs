//! Pebble, a small ACME CA with profiles and ARI, as a process: `tests/lab/pebble.sh` builds it.
//!
//! It validates DNS-01 by asking one name server, over UDP: the fake of `crate::cloudflare`, or another.

// A harness that cannot do its work has nothing better to do than to fail the test that asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod front;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use front::{Front, Instead, Toll};

use crate::harness::{PATIENCE, TestCa, workspace};

/// How often it is started anew, should another process have taken one of its ports.
const STARTS: usize = 3;

/// Whether Pebble is built here; if not, says which test is skipped.
///
/// # Panics
/// In CI: there a missing part is a failure.
pub fn available() -> bool {
    if program().is_file() {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let why = "Pebble is not built: run tests/lab/pebble.sh, which needs Go";
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped {test}: {why}");
    false
}

/// How the CA is to be.
#[derive(Debug, Clone)]
pub struct PebbleOptions {
    /// The validity of certificates for each profile. At least one must be named `default`.
    pub profiles: Vec<(&'static str, Duration)>,
    /// `ecdsa` or `rsa`, of the CA's own keys.
    pub key_algorithm: &'static str,
    /// Key identifiers and their MAC keys as base64url; where there are any, an account needs one of them.
    pub external_accounts: Vec<(&'static str, &'static str)>,
    /// Names (with all below them) for which no order is taken.
    pub blocked: Vec<&'static str>,
    /// Seconds that a client is told to wait before it looks at an order or an authorization again.
    pub retry_after: u32,
    /// PEBBLE_VA_NOSLEEP: a validation begins at once, not some seconds later.
    pub no_sleep: bool,
    /// PEBBLE_WFE_NONCEREJECT: how many percent of good nonces are refused; 5 if nothing is said.
    pub nonce_reject: Option<u8>,
    /// PEBBLE_AUTHZREUSE: in how many percent of cases an authorization is used again; 50 if nothing is said.
    pub authorization_reuse: Option<u8>,
    /// PEBBLE_ALTERNATE_ROOTS: how many chains there are beside the first.
    pub alternate_roots: u8,
}

impl Default for PebbleOptions {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        PebbleOptions {
            profiles: vec![
                ("default", Duration::from_secs(90 * DAY)),
                ("shortlived", Duration::from_secs(160 * 60 * 60)),
            ],
            key_algorithm: "ecdsa",
            external_accounts: Vec::new(),
            blocked: Vec::new(),
            retry_after: 1,
            no_sleep: false,
            nonce_reject: None,
            authorization_reuse: None,
            alternate_roots: 0,
        }
    }
}

/// A running CA; killed when it is dropped.
pub struct Pebble {
    child: Child,
    folder: TempDir,
    acme: SocketAddr,
    management: SocketAddr,
    client: Client,
    /// Signs what its listeners show.
    ca: TestCa,
}

impl Pebble {
    /// Starts it, strict, and waits until its directory answers. Challenges are looked up at `dns`.
    pub async fn start(dns: SocketAddr, options: PebbleOptions) -> Self {
        for _ in 0..STARTS {
            let mut pebble = Self::spawn(dns, &options);
            if pebble.answers().await {
                return pebble;
            }
            eprintln!("pebble did not start: {}", pebble.log());
        }
        panic!("pebble does not start");
    }

    /// `https://127.0.0.1:PORT/dir`.
    pub fn directory_url(&self) -> String {
        format!("https://{}/dir", self.acme)
    }

    /// The CA of the HTTPS listener, which an ACME client must trust; it signs no certificate that is ordered.
    pub fn root_pem_path(&self) -> PathBuf {
        self.folder.path().join("listener-ca.pem")
    }

    /// The root that certificates are issued under, as PEM. It is another in every process.
    pub async fn issuer_roots(&self) -> String {
        self.root(0).await
    }

    /// One of the roots, as PEM: 0 is that of the first chain, others those of alternates.
    pub async fn root(&self, nth: u8) -> String {
        self.managed(&format!("/roots/{nth}")).await
    }

    /// The ACME directory.
    pub async fn directory(&self) -> Value {
        let text = self.read(&self.directory_url()).await;
        serde_json::from_str(&text).unwrap()
    }

    /// From now on, ARI says this of the certificate (PEM, its leaf first), whatever it is: `{"suggestedWindow":
    /// {"start": "…", "end": "…"}}`, or no JSON at all.
    pub async fn set_renewal_info(&self, certificate: &str, response: &str) {
        let url = format!("https://{}/set-renewal-info/", self.management);
        let body = json!({"certificate": certificate, "ariResponse": response}).to_string();
        let answer = self.client.post(url).body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// What the CA knows of a certificate by its serial number in hexadecimal digits: `Status` is `Valid` or
    /// `Revoked`.
    pub async fn status(&self, serial: &str) -> Value {
        let text = self.managed(&format!("/cert-status-by-serial/{serial}")).await;
        serde_json::from_str(&text).unwrap()
    }

    /// All that it has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("pebble.log")).unwrap_or_default()
    }

    async fn managed(&self, path: &str) -> String {
        self.read(&format!("https://{}{path}", self.management)).await
    }

    async fn read(&self, url: &str) -> String {
        let answer = self.client.get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
        answer.text().await.unwrap()
    }

    fn spawn(dns: SocketAddr, options: &PebbleOptions) -> Self {
        let ca = TestCa::new();
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(ca.pem().as_bytes()).unwrap()])
            // RFC 8555, section 6.1: there must be one.
            .user_agent("palisade-tests")
            .no_proxy()
            .timeout(PATIENCE);
        let folder = tempfile::tempdir().unwrap();
        let (acme, management) = two_free_addresses();
        std::fs::write(folder.path().join("listener-ca.pem"), ca.pem()).unwrap();
        let config = configuration(options, folder.path(), &ca, acme, management);
        let config_path = folder.path().join("pebble.json");
        std::fs::write(&config_path, config.to_string()).unwrap();
        let log = File::create(folder.path().join("pebble.log")).unwrap();
        let mut command = Command::new(program());
        command
            .arg("-strict")
            .args(["-dnsserver", &dns.to_string()])
            .arg("-config")
            .arg(config_path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        environment(&mut command, options);
        Pebble {
            child: command.spawn().unwrap(),
            folder,
            acme,
            management,
            client: client.build().unwrap(),
            ca,
        }
    }

    /// Until both listeners answer; false if it ends before.
    async fn answers(&mut self) -> bool {
        let urls = [
            self.directory_url(),
            format!("https://{}/roots/0", self.management),
        ];
        for url in urls {
            while self.client.get(&url).send().await.is_err() {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        true
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn program() -> PathBuf {
    workspace().join("tests/lab/.build/pebble")
}

fn configuration(
    options: &PebbleOptions,
    folder: &Path,
    ca: &TestCa,
    acme: SocketAddr,
    management: SocketAddr,
) -> Value {
    let (certificate, key) = ca.issue(&["127.0.0.1", "localhost"]).write(folder, "listener");
    let profile = |(name, validity): &(&str, Duration)| {
        let profile = json!({"description": name, "validityPeriod": validity.as_secs()});
        (name.to_string(), profile)
    };
    let account = |(id, key): &(&str, &str)| (id.to_string(), json!(key));
    let profiles: serde_json::Map<_, _> = options.profiles.iter().map(profile).collect();
    let accounts: serde_json::Map<_, _> = options.external_accounts.iter().map(account).collect();
    json!({"pebble": {
        "listenAddress": acme.to_string(),
        "managementListenAddress": management.to_string(),
        "certificate": certificate,
        "privateKey": key,
        "httpPort": 5002,
        "tlsPort": 5001,
        "externalAccountBindingRequired": !accounts.is_empty(),
        "externalAccountMACKeys": accounts,
        "domainBlocklist": options.blocked,
        "retryAfter": {"authz": options.retry_after, "order": options.retry_after},
        "keyAlgorithm": options.key_algorithm,
        "profiles": profiles,
    }})
}

/// Only what the options say, whatever stands in the environment of the tests.
fn environment(command: &mut Command, options: &PebbleOptions) {
    let number = |number: Option<u8>| number.map(|number| number.to_string());
    let alternates = (options.alternate_roots > 0).then_some(options.alternate_roots);
    for (name, value) in [
        ("PEBBLE_VA_NOSLEEP", options.no_sleep.then(|| "1".to_owned())),
        ("PEBBLE_WFE_NONCEREJECT", number(options.nonce_reject)),
        ("PEBBLE_AUTHZREUSE", number(options.authorization_reuse)),
        ("PEBBLE_ALTERNATE_ROOTS", number(alternates)),
        ("PEBBLE_VA_SLEEPTIME", None),
        ("PEBBLE_VA_ALWAYS_VALID", None),
        ("PEBBLE_CHAIN_LENGTH", None),
    ] {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Free now, and most probably still when Pebble listens.
fn two_free_addresses() -> (SocketAddr, SocketAddr) {
    let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (listen(), listen());
    (one.local_addr().unwrap(), other.local_addr().unwrap())
}
