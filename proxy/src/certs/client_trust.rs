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

use super::CertificateError;
use crate::config::HostPattern;

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
    pub fn read(ca: &Path, crl: Option<&Path>) -> Result<Self, CertificateError> {
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
            .allow_unauthenticated()
            .only_check_end_entity_revocation();
        if let Some(path) = crl {
            let lists =
                CertificateRevocationListDer::pem_slice_iter(&read(path)?).collect::<Result<Vec<_>, _>>();
            let lists = lists.map_err(|error| broken(path, "certificate revocation lists", &error))?;
            lists.iter().for_each(|list| hash.update(list.as_ref()));
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
