//! Where certificates, accounts and what is known of them are kept: the disk, or a Kubernetes Secret.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::Secret;

/// Keeps what has to outlive the process. Every write is whole or has not happened, and has happened once it returns.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The certificates that there is something of, wanted or not.
    async fn names(&self) -> Result<Vec<String>, StoreError>;

    /// The certificate of this name.
    async fn pair(&self, name: &str) -> Result<Option<Pair>, StoreError>;

    /// Puts chain and key in place of what is there, in one step.
    async fn install(&self, name: &str, pair: &Pair) -> Result<(), StoreError>;

    /// Moves a certificate that cannot be used out of the way; returns where it lies now. Where the store still has the
    /// one before, that is the certificate from now on.
    async fn set_pair_aside(&self, name: &str) -> Result<String, StoreError>;

    /// A document's text.
    async fn document(&self, which: &Document) -> Result<Option<String>, StoreError>;

    /// Writes a document.
    async fn keep(&self, which: &Document, text: &str) -> Result<(), StoreError>;

    /// Moves a document that cannot be read out of the way; returns where it lies now.
    async fn set_aside(&self, which: &Document) -> Result<String, StoreError>;
}

/// A certificate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// PEM: the leaf, then the rest of the chain.
    pub chain: String,
    /// PEM: PKCS#8.
    pub key: Secret,
    /// The directory of the CA that it was ordered from; unknown if someone else put it there.
    pub directory: Option<String>,
}

/// A document in JSON. All of them hold secrets: keys, or what is as good as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// What is known about a certificate.
    State {
        /// Its name.
        certificate: String,
    },
    /// The account at a CA.
    Account {
        /// The URL of its directory.
        directory: String,
    },
    /// The orders of that account.
    History {
        /// The URL of its directory.
        directory: String,
    },
}

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What is stored elsewhere.
    #[error("{place}: {source}")]
    Remote {
        /// What.
        place: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads a document. One that is damaged is told, set aside and taken for absent: a lost state costs an order, a
/// state that stops everything costs the site.
pub(super) async fn load<T: DeserializeOwned>(
    store: &dyn Store,
    which: &Document,
) -> Result<Option<T>, StoreError> {
    let Some(text) = store.document(which).await? else {
        return Ok(None);
    };
    match serde_json::from_str(&text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let place = store.set_aside(which).await?;
            tracing::error!(%place, %error, "damaged state set aside; going on without it");
            Ok(None)
        }
    }
}

/// Writes a document.
pub(super) async fn keep(
    store: &dyn Store,
    which: &Document,
    value: &(impl Serialize + Sync),
) -> Result<(), StoreError> {
    // Our own types have neither keys that are no text nor anything else that JSON cannot say.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    store.keep(which, &text).await
}
