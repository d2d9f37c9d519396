//! PEM files -> certificate set.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::{CertificateError, CertificateSet, Entry, self_signed};
use crate::config::{CertificateFiles, Tls, UnknownSni};

/// Reads every certificate of the configuration; all errors at once. `data_dir` keeps the self-signed
/// certificate, if one is asked for.
pub fn load(tls: &Tls, data_dir: &Path) -> Result<CertificateSet, Vec<CertificateError>> {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for files in &tls.certificates {
        match read(files) {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
    }
    if !tls.self_signed.is_empty() {
        match self_signed::ensure(&tls.self_signed, data_dir).and_then(|files| read(&files)) {
            Ok(entry) => entries.push(entry.standing_in()),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(CertificateSet::new(
            entries,
            tls.unknown_sni == UnknownSni::Reject,
        ))
    } else {
        Err(errors)
    }
}

fn read(files: &CertificateFiles) -> Result<Entry, CertificateError> {
    Entry::from_pem(&read_file(&files.certificate)?, &read_file(&files.key)?, files)
}

impl Entry {
    /// A chain and its key, both in PEM form. `origin` is what errors and logs name: files, or what stands for them.
    pub fn from_pem(chain: &[u8], key: &[u8], origin: &CertificateFiles) -> Result<Self, CertificateError> {
        let chain = parse_chain(chain, &origin.certificate)?;
        let key = parse_key(key, &origin.key)?;
        let (names, not_after) = describe(&chain, &origin.certificate)?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|source| {
            CertificateError::Key {
                certificate: origin.certificate.clone(),
                key: origin.key.clone(),
                source,
            }
        })?;
        Ok(Self {
            names,
            not_after,
            origin: origin.certificate.display().to_string(),
            key: Arc::new(key),
            stand_in: false,
        })
    }

    /// The same, for want of a better one.
    pub(super) fn standing_in(self) -> Self {
        Self {
            stand_in: true,
            ..self
        }
    }
}

fn parse_chain(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| not_pem(path, "a certificate chain", &error))?;
    if chain.is_empty() {
        return Err(CertificateError::Pem {
            path: path.to_owned(),
            expected: "a certificate chain",
            reason: "the file holds no CERTIFICATE block".to_owned(),
        });
    }
    Ok(chain)
}

fn parse_key(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| not_pem(path, "a private key", &error))
}

fn read_file(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

fn not_pem(path: &Path, expected: &'static str, error: &rustls_pki_types::pem::Error) -> CertificateError {
    // The parser's message never quotes the file's content, so no key material can leak here.
    CertificateError::Pem {
        path: path.to_owned(),
        expected,
        reason: error.to_string(),
    }
}

/// The leaf's DNS names in lower case, and the end of its validity.
fn describe(chain: &[CertificateDer<'_>], path: &Path) -> Result<(Vec<String>, i64), CertificateError> {
    let leaf_error = |reason: String| CertificateError::Leaf {
        path: path.to_owned(),
        reason,
    };
    let der = chain
        .first()
        .ok_or_else(|| leaf_error("no certificate".to_owned()))?;
    let (_, leaf) = X509Certificate::from_der(der)
        .map_err(|error| leaf_error(format!("not an X.509 certificate: {error}")))?;
    let names = dns_names(&leaf);
    if names.is_empty() {
        return Err(leaf_error(
            "the certificate names no DNS host (subjectAltName)".to_owned(),
        ));
    }
    Ok((names, leaf.validity().not_after.timestamp()))
}

fn dns_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}
