//! The account at a CA: made once, kept, and never lost.
//!
//! Its key is stored before the CA hears of it. A crash in between costs nothing: making an account with a key that
//! has one already returns that account (RFC 8555, section 7.3). With external account binding the library makes the
//! key itself, so there the account is lost if we are killed between the CA's answer and our write.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use instant_acme::{Account, AccountBuilder, Error, ExternalAccountKey, Key, NewAccount};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::client::CaHttp;
use super::error::{AcmeError, Step};
use super::store::{self, Document, Store};
use crate::config::{Acme, Eab};
use crate::secret::Secret;

/// More bytes than any account's key and URL have.
const STUB: usize = 1024;

/// A CA that knows us.
pub(super) struct Ca {
    pub(super) account: Account,
    pub(super) http: CaHttp,
}

/// `account.json`.
#[derive(Serialize, Deserialize)]
struct Stored {
    directory: String,
    /// The account's URL; absent until the CA has told it.
    id: Option<String>,
    /// PKCS#8, base64url.
    key: String,
    email: Option<String>,
    /// The external account that it is bound to.
    eab_kid: Option<String>,
}

impl Ca {
    /// Reads the CA's directory, and makes an account if there is none yet.
    pub(super) async fn open(acme: &Acme, store: &dyn Store) -> Result<Self, AcmeError> {
        let opening = Opening {
            acme,
            store,
            http: CaHttp::new(acme.root.as_deref())?,
            document: Document::Account {
                directory: acme.directory.clone(),
            },
        };
        let account = opening.account().await?;
        Ok(Self {
            account,
            http: opening.http,
        })
    }

    /// An error of the library in our terms.
    pub(super) fn failed(&self, step: Step) -> impl Fn(Error) -> AcmeError + '_ {
        move |error| failed(step, error, self.http.retry_after())
    }
}

/// Forgets an account that the CA does not know; the next opening makes a new one.
pub(super) async fn forget(acme: &Acme, store: &dyn Store) -> Result<(), AcmeError> {
    let directory = acme.directory.clone();
    let place = store.set_aside(&Document::Account { directory }).await?;
    tracing::warn!(%place, "the CA does not know this account any more: set aside");
    Ok(())
}

/// What is needed on the way to an account.
struct Opening<'a> {
    acme: &'a Acme,
    store: &'a dyn Store,
    http: CaHttp,
    document: Document,
}

impl Opening<'_> {
    async fn account(&self) -> Result<Account, AcmeError> {
        let eab = self.acme.eab.as_ref();
        let stored: Option<Stored> = store::load(self.store, &self.document).await?;
        let stored = match stored {
            // Another external account: ours belongs to the one before.
            Some(stored) if stored.eab_kid.as_deref() != eab.map(|eab| eab.kid.as_str()) => {
                self.store.set_aside(&self.document).await?;
                None
            }
            stored => stored.filter(|stored| stored.directory == self.acme.directory),
        };
        match (stored, eab) {
            (Some(stored), _) if stored.id.is_some() => self.resume(stored).await,
            (_, Some(eab)) => self.bind(eab).await,
            (stored, None) => self.register(stored.map(|stored| stored.key)).await,
        }
    }

    /// The account that is stored.
    async fn resume(&self, mut stored: Stored) -> Result<Account, AcmeError> {
        let key = decode(&stored.key)
            .ok_or(Error::KeyRejected)
            .map_err(self.failed(Step::Account))?;
        let id = stored.id.clone().unwrap_or_default();
        let account = self.builder().from_parts(id, key, self.acme.directory.clone());
        let account = account.await.map_err(self.failed(Step::Directory))?;
        if stored.email != self.acme.email {
            self.tell_contact(&account).await?;
            stored.email.clone_from(&self.acme.email);
            store::keep(self.store, &self.document, &stored).await?;
        }
        Ok(account)
    }

    /// A new account, or the one that the CA made for this key when we crashed.
    async fn register(&self, key: Option<String>) -> Result<Account, AcmeError> {
        let pkcs8 = match key.as_deref().and_then(decode) {
            Some(pkcs8) => pkcs8,
            None => Key::generate_pkcs8().map_err(self.failed(Step::Account))?.1,
        };
        self.keep(&pkcs8, None, None).await?;
        let key = Key::from_pkcs8_der(pkcs8.clone_key()).map_err(self.failed(Step::Account))?;
        let key = (key, PrivateKeyDer::Pkcs8(pkcs8.clone_key()));
        let created = self.builder().create_from_key(key, self.acme.directory.clone());
        let (account, _) = created.await.map_err(self.failed(Step::Account))?;
        if self.acme.email.is_some() {
            self.tell_contact(&account).await?;
        }
        self.keep(&pkcs8, Some(account.id()), None).await?;
        Ok(account)
    }

    /// A new account that belongs to one that the CA knows otherwise.
    async fn bind(&self, eab: &Eab) -> Result<Account, AcmeError> {
        let key = mac_key(&Secret::read(&eab.key)?).ok_or(AcmeError::EabKey)?;
        let binding = ExternalAccountKey::new(eab.kid.clone(), &key);
        let contact = self.contact();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        self.prove_room(&eab.kid).await?;
        let created = self
            .builder()
            .create(&new, self.acme.directory.clone(), Some(&binding));
        let (account, credentials) = created.await.map_err(self.failed(Step::Account))?;
        self.keep(credentials.private_key(), Some(account.id()), Some(&eab.kid))
            .await?;
        Ok(account)
    }

    /// A key that cannot be stored is an account lost. Written twice, for the write that counts has what is there beside
    /// it too. What is stored names no account, so nobody takes it for one.
    async fn prove_room(&self, kid: &str) -> Result<(), AcmeError> {
        let stub = PrivatePkcs8KeyDer::from(vec![0; STUB]);
        for _ in 0..2 {
            self.keep(&stub, None, Some(kid)).await?;
        }
        Ok(())
    }

    async fn keep(
        &self,
        key: &PrivatePkcs8KeyDer<'_>,
        id: Option<&str>,
        eab_kid: Option<&str>,
    ) -> Result<(), AcmeError> {
        let stored = Stored {
            directory: self.acme.directory.clone(),
            id: id.map(str::to_owned),
            key: BASE64_URL_SAFE_NO_PAD.encode(key.secret_pkcs8_der()),
            email: self.acme.email.clone(),
            eab_kid: eab_kid.map(str::to_owned),
        };
        Ok(store::keep(self.store, &self.document, &stored).await?)
    }

    async fn tell_contact(&self, account: &Account) -> Result<(), AcmeError> {
        let contact = self.contact();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        account
            .update_contacts(&contact)
            .await
            .map_err(self.failed(Step::Account))
    }

    fn contact(&self) -> Vec<String> {
        self.acme
            .email
            .iter()
            .map(|email| format!("mailto:{email}"))
            .collect()
    }

    fn builder(&self) -> AccountBuilder {
        Account::builder_with_http(Box::new(self.http.clone()))
    }

    fn failed(&self, step: Step) -> impl Fn(Error) -> AcmeError + '_ {
        move |error| failed(step, error, self.http.retry_after())
    }
}

fn failed(step: Step, error: Error, retry_after: Option<OffsetDateTime>) -> AcmeError {
    match error {
        Error::Api(problem) => AcmeError::Refused {
            step,
            problem: problem.into(),
            retry_after,
        },
        source => AcmeError::Exchange { step, source },
    }
}

fn decode(key: &str) -> Option<PrivatePkcs8KeyDer<'static>> {
    BASE64_URL_SAFE_NO_PAD
        .decode(key)
        .ok()
        .map(PrivatePkcs8KeyDer::from)
}

/// Base64url without padding is the rule; some CAs show the other alphabet, or padding.
fn mac_key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret
        .expose()
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_eab_keys_come_in_every_base64() {
        for text in ["-_-_", "+/+/", "-_-_-w==", "-_-_-w"] {
            let key = mac_key(&Secret::new(text)).unwrap();
            assert!(key.starts_with(&[0xfb, 0xff, 0xbf]), "{text}");
        }
        for text in ["", "=", "not base64!"] {
            assert_eq!(mac_key(&Secret::new(text)), None, "{text}");
        }
    }
}
