//! Whom an https backend is verified by, and what the edge shows of itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pingora_core::protocols::tls::CaType;
use pingora_core::utils::tls::{CertKey, WrappedX509, parse_x509};
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::StickyKeyError;
use crate::config::CertificateFiles;

/// What can be wrong with an upstream once its configuration is read.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The CA file cannot be used.
    #[error("{path}: CA certificates in PEM form expected: {reason}")]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The client certificate cannot be used.
    #[error("{path}: a client certificate and its key in PEM form expected: {reason}")]
    Client {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Clients cannot be kept with a backend.
    #[error(transparent)]
    Sticky(#[from] StickyKeyError),
}

/// CA certificates to trust instead of the system's.
#[derive(Clone)]
pub struct Ca {
    certificates: Arc<CaType>,
    /// Tells these certificates from others.
    key: u64,
}

/// What the edge shows of itself.
#[derive(Clone)]
pub struct ClientCertificate {
    certificate: Arc<CertKey>,
    /// Tells this certificate from others.
    key: u64,
}

impl Ca {
    /// Reads the CA file of an https upstream.
    pub fn read(path: &Path) -> Result<Self, UpstreamError> {
        let failed = |reason: String| UpstreamError::Ca {
            path: path.to_owned(),
            reason,
        };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let chain = chain(&pem).map_err(failed)?;
        let key = fingerprint(&chain);
        let certificates: Vec<_> = chain
            .into_iter()
            .map(|der| WrappedX509::new(der.to_vec(), parse_x509))
            .collect();
        Ok(Self {
            certificates: certificates.into(),
            key,
        })
    }

    pub(super) fn certificates(&self) -> Arc<CaType> {
        Arc::clone(&self.certificates)
    }

    pub(super) fn key(&self) -> u64 {
        self.key
    }
}

impl ClientCertificate {
    /// Reads a chain and its key, which have to fit each other.
    pub fn read(files: &CertificateFiles) -> Result<Self, UpstreamError> {
        let failed = |path: &Path, reason: String| UpstreamError::Client {
            path: path.to_owned(),
            reason,
        };
        let read = |path: &Path| std::fs::read(path).map_err(|error| failed(path, error.to_string()));
        let (certificate, key) = (read(&files.certificate)?, read(&files.key)?);
        let chain = chain(&certificate).map_err(|reason| failed(&files.certificate, reason))?;
        let key =
            PrivateKeyDer::from_pem_slice(&key).map_err(|error| failed(&files.key, error.to_string()))?;
        let der = key.secret_der().to_vec();
        // Pingora tells the form of a key by its bytes, and panics on what it does not know.
        let known =
            PrivateKeyDer::try_from(der.clone()).map_err(|error| failed(&files.key, error.to_owned()))?;
        CertifiedKey::from_der(chain.clone(), known, &aws_lc_rs::default_provider())
            .map_err(|error| failed(&files.key, error.to_string()))?;
        let key = fingerprint(&chain);
        let chain = chain.into_iter().map(|der| der.to_vec()).collect();
        Ok(Self {
            certificate: Arc::new(CertKey::new(chain, der)),
            key,
        })
    }

    pub(super) fn certificate(&self) -> Arc<CertKey> {
        Arc::clone(&self.certificate)
    }

    /// Other than a CA's that has the same certificate.
    pub(super) fn key(&self) -> u64 {
        self.key.rotate_left(1)
    }
}

/// Certificates that are X.509: Pingora's own parser panics on anything else.
fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut chain = Vec::new();
    for der in CertificateDer::pem_slice_iter(pem) {
        let der = der.map_err(|error| error.to_string())?;
        X509Certificate::from_der(&der).map_err(|error| error.to_string())?;
        chain.push(der);
    }
    match chain.is_empty() {
        true => Err("the file holds no CERTIFICATE block".to_owned()),
        false => Ok(chain),
    }
}

fn fingerprint(chain: &[CertificateDer<'_>]) -> u64 {
    let mut hash = Sha256::new();
    chain.iter().for_each(|der| hash.update(der));
    let mut first = [0; 8];
    first
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(byte, hashed)| *byte = hashed);
    u64::from_be_bytes(first)
}

impl PartialEq for Ca {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ca({} certificates)", self.certificates.len())
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientCertificate({:x})", self.key)
    }
}

#[cfg(test)]
mod testing {
    use super::*;

    fn files(folder: &tempfile::TempDir, name: &str) -> CertificateFiles {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let files = CertificateFiles {
            certificate: folder.path().join(format!("{name}.pem")),
            key: folder.path().join(format!("{name}.key")),
        };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    impl Ca {
        pub(in crate::upstream) fn made(folder: &tempfile::TempDir, name: &str) -> Self {
            Self::read(&files(folder, name).certificate).unwrap()
        }
    }

    impl ClientCertificate {
        pub(in crate::upstream) fn made(folder: &tempfile::TempDir, name: &str) -> Self {
            Self::read(&files(folder, name)).unwrap()
        }
    }

    #[test]
    fn a_certificate_and_its_key_have_to_fit() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (files(&folder, "one"), files(&folder, "other"));
        assert!(ClientCertificate::read(&one).is_ok());
        let mixed = CertificateFiles {
            certificate: one.certificate.clone(),
            key: other.key,
        };
        let told = ClientCertificate::read(&mixed).unwrap_err().to_string();
        assert!(told.contains("other.key"), "{told}");
        let turned = CertificateFiles {
            certificate: one.key,
            key: one.certificate,
        };
        assert!(ClientCertificate::read(&turned).is_err());
    }
}
