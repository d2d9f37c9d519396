//! A self-signed certificate, made once and kept: for a first try, and until a real one is there.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{CertificateError, Entry};
use crate::config::CertificateFiles;

/// Days of validity: short enough that nobody forgets what it is, long enough for a weekend project.
const VALID_DAYS: i64 = 397;

/// The files of the certificate for these names; made if absent, near its end, or for other names.
pub(super) fn ensure(names: &[String], data_dir: &Path) -> Result<CertificateFiles, CertificateError> {
    let folder = data_dir.join("self-signed");
    let files = CertificateFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
    };
    let made_for = folder.join("names");
    let wanted = names.join("\n");
    if std::fs::read_to_string(&made_for).is_ok_and(|found| found == wanted)
        && still_valid(&files.certificate)
    {
        return Ok(files);
    }
    std::fs::create_dir_all(&folder).map_err(|source| file_error(&folder, source))?;
    let (certificate, key) = make(names)?;
    write(&files.key, key.as_bytes(), 0o600)?;
    write(&files.certificate, certificate.as_bytes(), 0o644)?;
    write(&made_for, wanted.as_bytes(), 0o644)?;
    Ok(files)
}

/// A certificate for these names that stands in until the real one is there. It is kept nowhere.
pub fn stand_in(names: &[String]) -> Result<Entry, CertificateError> {
    let (certificate, key) = make(names)?;
    let origin = CertificateFiles {
        certificate: "self-signed stand-in".into(),
        key: "self-signed stand-in".into(),
    };
    Entry::from_pem(certificate.as_bytes(), key.as_bytes(), &origin).map(Entry::standing_in)
}

fn still_valid(certificate: &Path) -> bool {
    let renew_before = time::Duration::days(30);
    let Ok(modified) = std::fs::metadata(certificate).and_then(|metadata| metadata.modified()) else {
        return false;
    };
    let age = time::OffsetDateTime::now_utc() - time::OffsetDateTime::from(modified);
    age < time::Duration::days(VALID_DAYS) - renew_before
}

fn make(names: &[String]) -> Result<(String, String), CertificateError> {
    let failed = |source| CertificateError::SelfSigned {
        names: names.join(", "),
        source,
    };
    let mut parameters = rcgen::CertificateParams::new(names.to_vec()).map_err(failed)?;
    let now = time::OffsetDateTime::now_utc();
    parameters.not_before = now - time::Duration::hours(1);
    parameters.not_after = now + time::Duration::days(VALID_DAYS);
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Palisade self-signed certificate");
    let key = rcgen::KeyPair::generate().map_err(failed)?;
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), CertificateError> {
    let beside: PathBuf = path.with_extension("new");
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    written.map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: std::io::Error) -> CertificateError {
    CertificateError::File {
        path: path.to_owned(),
        source,
    }
}
