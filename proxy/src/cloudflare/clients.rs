//! Clients by API and token. What one call tells of the limits holds for all that the token's owner asks, so whoever
//! shares a token shares a client.

use std::sync::{Arc, Mutex, PoisonError};

use super::Client;
use crate::config::SecretSource;
use crate::secret::{Secret, SecretError};

/// Clients that are kept; tokens that were replaced leave theirs behind.
const KEPT: usize = 32;

/// All clients of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Clients(Arc<Mutex<Vec<Known>>>);

#[derive(Debug)]
struct Known {
    api: String,
    token: Secret,
    client: Client,
}

impl Clients {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client for an API with this token, which is read anew: it may have been replaced.
    pub fn of(&self, api: &str, token: &SecretSource) -> Result<Client, SecretError> {
        let token = Secret::read(token)?;
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Known| known.api == api && known.token == token;
        if let Some(known) = clients.iter().find(same) {
            return Ok(known.client.clone());
        }
        let client = Client::new(api, token.clone());
        if clients.len() == KEPT {
            clients.remove(0);
        }
        clients.push(Known {
            api: api.to_owned(),
            token,
            client: client.clone(),
        });
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_a_replaced_token_makes_another_client_and_the_same_token_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = SecretSource::File(path.clone());
        let clients = Clients::new();
        let count = || clients.0.lock().unwrap().len();
        std::fs::write(&path, "one").unwrap();
        clients.of("https://api.example/v4", &source).unwrap();
        clients.clone().of("https://api.example/v4", &source).unwrap();
        assert_eq!(count(), 1);
        clients.of("https://other.example/v4", &source).unwrap();
        assert_eq!(count(), 2);
        for token in 0..2 * KEPT {
            std::fs::write(&path, token.to_string()).unwrap();
            clients.of("https://api.example/v4", &source).unwrap();
        }
        assert_eq!(count(), KEPT);
        std::fs::remove_file(&path).unwrap();
        assert!(clients.of("https://api.example/v4", &source).is_err());
    }
}
