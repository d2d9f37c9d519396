//! Passwords against hashes: costly by intent, so it is done beside the workers that serve, so many at once.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use tokio::sync::Semaphore;

use crate::config::PasswordHash;

/// How long a password may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Half of the cores, so that passwords never take serving its time; memory is bounded by that too.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new((cores / 2).max(1)))
});

/// There was no turn in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("passwords cannot be verified in time: there are too many")]
pub struct Busy;

/// Whether `password` is the one that `hash` was made of.
pub async fn verify(password: Vec<u8>, hash: PasswordHash) -> Result<bool, Busy> {
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(&TURNS).acquire_owned());
    let Ok(Ok(turn)) = turn.await else {
        return Err(Busy);
    };
    let verified = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        matches(&password, hash.expose())
    });
    // A verification that broke off has found nothing.
    Ok(verified.await.unwrap_or(false))
}

fn matches(password: &[u8], hash: &str) -> bool {
    match phc::PasswordHash::new(hash) {
        Ok(hash) => Argon2::default().verify_password(password, &hash).is_ok(),
        Err(_) => bcrypt::verify(password, hash).unwrap_or(false),
    }
}

/// The hash of a password, for a configuration: argon2id with what OWASP asks for at the least (19 MiB, 2 passes).
pub fn hash(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
    Argon2::default()
        .hash_password(password)
        .map(|hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_all_kinds() {
        let own = hash(b"correct horse").unwrap();
        let bcrypt = bcrypt::hash("correct horse", 4).unwrap();
        for hash in [own, bcrypt.replace("$2b$", "$2y$"), bcrypt] {
            assert!(matches(b"correct horse", &hash), "{hash}");
            assert!(!matches(b"correct horsf", &hash), "{hash}");
            assert!(!matches(b"", &hash), "{hash}");
        }
        assert!(!matches(b"x", "plain"));
    }
}
