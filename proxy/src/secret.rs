//! Secrets: read when they are needed, shown to nobody.

use std::fmt;
use std::path::PathBuf;

use crate::config::SecretSource;

/// A secret text. Neither `Debug` nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret could not be had; names where it was looked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// The file.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::sync::Arc<std::io::Error>,
    },
    /// The variable is not set, or holds no text.
    #[error("the environment variable {0} is not set")]
    Env(String),
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
}

impl Secret {
    /// Reads a secret. A file is read anew each time: it may have been replaced.
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        let text = match source {
            SecretSource::File(path) => std::fs::read_to_string(path).map_err(|cause| SecretError::File {
                path: path.clone(),
                cause: cause.into(),
            })?,
            SecretSource::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
        };
        match text.trim() {
            "" => Err(SecretError::Empty(source.to_string())),
            text => Ok(Self(text.to_owned())),
        }
    }

    /// A secret that is there already.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever has to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_end_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cr3t\n").unwrap();
        let secret = Secret::read(&SecretSource::File(path.clone())).unwrap();
        assert_eq!(secret.expose(), "s3cr3t");
        assert!(!format!("{secret:?}").contains("s3cr3t"));

        std::fs::write(&path, " \n").unwrap();
        let told = Secret::read(&SecretSource::File(path.clone()))
            .unwrap_err()
            .to_string();
        assert_eq!(told, format!("{} is empty", path.display()));
        let unset = Secret::read(&SecretSource::Env("PALISADE_NO_SUCH_VARIABLE".to_owned()));
        assert!(
            unset
                .unwrap_err()
                .to_string()
                .contains("PALISADE_NO_SUCH_VARIABLE")
        );
    }
}
