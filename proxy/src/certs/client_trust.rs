//! Whose certificates clients may show, host by host.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use sha2::{Digest, Sha256};
use tracing::warn;
use x509_parser::prelude::{ASN1Time, CertificateRevocationList, FromDer};

use super::CertificateError;
use crate::config::{ClientCertificate, HostPattern, Revocation};

const LISTS: &str = "certificate revocation lists";

/// CAs, and what they have revoked.
#[derive(Clone)]
pub struct ClientTrust {
    verifier: Arc<dyn ClientCertVerifier>,
    key: [u8; 32],
}

/// Which hosts ask for a certificate: only there the handshake requests one, as browsers show a dialogue for it.
#[derive(Debug, Default)]
pub struct ClientTrusts {
    any: bool,
    exact: HashMap<String, Option<Arc<ClientTrust>>>,
    /// By suffix, without `*.`.
    wildcards: HashMap<String, Option<Arc<ClientTrust>>>,
}

impl ClientTrust {
    /// Reads CAs and, if there is one, the list of what they have revoked. A certificate of a CA without a list is not
    /// taken where there is a list.
    pub fn read(settings: &ClientCertificate) -> Result<Self, CertificateError> {
        Self::of_files(&settings.ca, settings.crl.as_deref(), settings.revocation)
    }

    fn of_files(ca: &Path, crl: Option<&Path>, revocation: Revocation) -> Result<Self, CertificateError> {
        let mut hash = Sha256::new();
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_slice_iter(&read(ca)?).collect::<Result<Vec<_>, _>>();
        for der in certificates.map_err(|error| broken(ca, "CA certificates", &error))? {
            hash.update(&der);
            roots
                .add(der)
                .map_err(|error| broken(ca, "CA certificates", &error))?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            // Whether one has to be there is the route's business, which says so in words.
            .allow_unauthenticated();
        if !revocation.whole_chain {
            builder = builder.only_check_end_entity_revocation();
        }
        if !revocation.expired_lists {
            builder = builder.enforce_revocation_expiration();
        }
        hash.update([
            u8::from(revocation.whole_chain),
            u8::from(revocation.expired_lists),
        ]);
        if let Some(path) = crl {
            let lists =
                CertificateRevocationListDer::pem_slice_iter(&read(path)?).collect::<Result<Vec<_>, _>>();
            let lists = lists.map_err(|error| broken(path, LISTS, &error))?;
            // A list in DER has none either: without this nothing would be revoked, and nobody would know.
            if lists.is_empty() {
                return Err(broken(path, LISTS, &"the file holds no X509 CRL block"));
            }
            for list in &lists {
                hash.update(list);
                tell_if_over(list, path, revocation);
            }
            builder = builder.with_crls(lists);
        }
        let file = crl.unwrap_or(ca);
        let verifier = builder
            .build()
            .map_err(|error| broken(file, "CAs and revocation lists", &error))?;
        Ok(Self {
            verifier,
            key: hash.finalize().into(),
        })
    }

    /// For rustls.
    pub fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.verifier)
    }
}

/// Trusts of the same CAs and lists are one.
impl PartialEq for ClientTrust {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl std::fmt::Debug for ClientTrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTrust")
    }
}

impl ClientTrusts {
    /// The trusts of all hosts there are; of one that has routes with and without, the one with.
    pub fn new<'h>(hosts: impl IntoIterator<Item = (&'h HostPattern, Option<Arc<ClientTrust>>)>) -> Self {
        let mut trusts = Self::default();
        for (host, trust) in hosts {
            trusts.any |= trust.is_some();
            let entry = match host {
                HostPattern::Exact(name) => trusts.exact.entry(name.clone()).or_default(),
                HostPattern::Wildcard(suffix) => trusts.wildcards.entry(suffix.clone()).or_default(),
            };
            *entry = entry.take().or(trust);
        }
        trusts
    }

    /// Whether any host asks for one.
    pub fn any(&self) -> bool {
        self.any
    }

    /// What the owner of a name trusts: routes find their host in the same way.
    pub fn of(&self, server_name: &str) -> Option<Arc<ClientTrust>> {
        let name = server_name.to_ascii_lowercase();
        let suffixes = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        let owner = || suffixes.into_iter().find_map(|suffix| self.wildcards.get(suffix));
        self.exact.get(&name).or_else(owner)?.clone()
    }
}

/// Whoever looks for the reason why clients are no longer let in finds it here.
fn tell_if_over(list: &[u8], path: &Path, revocation: Revocation) {
    let next = CertificateRevocationList::from_der(list)
        .ok()
        .and_then(|(_, list)| list.next_update());
    let Some(next) = next.filter(|next| *next < ASN1Time::now()) else {
        return;
    };
    if revocation.expired_lists {
        warn!(path = %path.display(), since = %next, "a revocation list should have been replaced by now");
    } else {
        warn!(path = %path.display(), since = %next, "a revocation list is over: no certificate of its CA is taken");
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

fn broken(path: &Path, expected: &'static str, error: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::Pem {
        path: path.to_owned(),
        expected,
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Revocation = Revocation {
        expired_lists: false,
        whole_chain: true,
    };

    fn read_files(ca: &Path, crl: Option<&Path>) -> Result<ClientTrust, CertificateError> {
        ClientTrust::of_files(ca, crl, STRICT)
    }

    fn trust(folder: &tempfile::TempDir, name: &str) -> Arc<ClientTrust> {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
        Arc::new(read_files(&path, None).unwrap())
    }

    #[test]
    fn the_owner_of_a_name_says_whether_a_certificate_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (all, deep) = (trust(&folder, "all"), trust(&folder, "deep"));
        let exact = |name: &str| HostPattern::Exact(name.to_owned());
        let below = |name: &str| HostPattern::Wildcard(name.to_owned());
        let hosts = [
            (below("home.test"), Some(Arc::clone(&all))),
            (exact("open.home.test"), None),
            (below("deep.home.test"), Some(Arc::clone(&deep))),
            (below("free.home.test"), None),
            // One path of a host without, one with.
            (exact("mixed.test"), None),
            (exact("mixed.test"), Some(Arc::clone(&all))),
            (exact("mixed.test"), None),
        ];
        let trusts = ClientTrusts::new(hosts.iter().map(|(host, trust)| (host, trust.clone())));
        assert!(trusts.any());
        for (name, expected) in [
            ("a.home.test", Some(&all)),
            ("A.B.Home.test", Some(&all)),
            ("open.home.test", None),
            ("home.test", None),
            ("a.deep.home.test", Some(&deep)),
            ("a.free.home.test", None),
            ("mixed.test", Some(&all)),
            ("elsewhere.test", None),
            ("", None),
        ] {
            assert_eq!(trusts.of(name).as_ref(), expected, "{name}");
        }
        assert!(!ClientTrusts::new([(&exact("open.test"), None)]).any());
    }

    #[test]
    fn trusts_of_the_same_cas_are_one_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let one = trust(&folder, "one");
        let again = read_files(&folder.path().join("one"), None).unwrap();
        assert_eq!(*one, again);
        assert_ne!(*one, *trust(&folder, "other"));
        for text in [
            "",
            "nothing",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let path = folder.path().join("wrong");
            std::fs::write(&path, text).unwrap();
            assert!(read_files(&path, None).is_err(), "{text}");
            let list = read_files(&folder.path().join("one"), Some(&path));
            assert!(list.is_err(), "{text}");
        }
        assert!(read_files(&folder.path().join("absent"), None).is_err());
        let lax = Revocation {
            expired_lists: true,
            ..STRICT
        };
        let other = ClientTrust::of_files(&folder.path().join("one"), None, lax).unwrap();
        assert_ne!(*one, other, "what was verified in another way is verified anew");
    }
}
