//! The cookie that leads a client back to its backend: what stands in it, and how it is kept a secret of the edge.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::config::{SameSite, SecretSource, Sticky};
use crate::secret::{Secret, SecretError};

/// The key's file in the data folder.
const FILE: &str = "sticky.key";
const KEY_BYTES: usize = 32;
/// 128 bits: nobody guesses another backend's.
const TOKEN_BYTES: usize = 16;

/// What tokens of a route are made with.
#[derive(Clone)]
pub struct StickyKey {
    key: Arc<hmac::Key>,
    route: Arc<str>,
}

/// The value of a cookie: the same for the same backend of the same route, and nothing that tells its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum StickyKeyError {
    /// The one in the data folder cannot be had.
    #[error("{path}: the key of sticky cookies: {source}")]
    File {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The one of the configuration cannot be had.
    #[error("upstream.sticky_key: {0}")]
    Secret(#[from] SecretError),
    /// It could be guessed.
    #[error("upstream.sticky_key: {0} is shorter than 32 bytes: try `openssl rand -hex 32`")]
    Short(String),
}

impl StickyKey {
    /// The key for a route's cookies, from a secret that several edges have: then each leads the others' clients back.
    pub fn of(secret: &SecretSource, route: &str) -> Result<Self, StickyKeyError> {
        let key = Secret::read(secret)?;
        match key.expose().len() {
            0..KEY_BYTES => Err(StickyKeyError::Short(secret.to_string())),
            _ => Ok(Self::new(key.expose().as_bytes(), route)),
        }
    }

    /// The key in the data folder for a route's cookies; made if it is not there yet.
    pub fn ensure(data_dir: &Path, route: &str) -> Result<Self, StickyKeyError> {
        let path = data_dir.join(FILE);
        let bytes = read_or_make(&path, data_dir).map_err(|source| StickyKeyError::File { path, source })?;
        Ok(Self::new(&bytes, route))
    }

    fn new(bytes: &[u8], route: &str) -> Self {
        Self {
            key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, bytes)),
            route: route.into(),
        }
    }

    /// The token of an address.
    pub fn token(&self, address: SocketAddr) -> Token {
        let tag = hmac::sign(&self.key, format!("{}\0{address}", self.route).as_bytes());
        let bytes = tag.as_ref().iter().take(TOKEN_BYTES);
        Token(bytes.map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Token {
    /// As it stands in the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Set-Cookie that hands it out (RFC 6265 section 4.1).
    pub fn set_cookie(&self, sticky: &Sticky) -> String {
        let mut cookie = format!("{}={}; Path={}", sticky.cookie, self.0, sticky.path);
        if let Some(ttl) = sticky.ttl {
            cookie += &format!("; Max-Age={}", ttl.as_secs());
        }
        if sticky.http_only {
            cookie += "; HttpOnly";
        }
        if sticky.secure {
            cookie += "; Secure";
        }
        cookie
            + match sticky.same_site {
                SameSite::Lax => "; SameSite=Lax",
                SameSite::Strict => "; SameSite=Strict",
                SameSite::None => "; SameSite=None",
            }
    }
}

impl std::fmt::Debug for StickyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StickyKey({})", self.route)
    }
}

fn read_or_make(path: &Path, data_dir: &Path) -> std::io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) if bytes.len() >= KEY_BYTES => Ok(bytes),
        Ok(_) => Err(std::io::Error::other("shorter than 32 bytes")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path, data_dir),
        Err(error) => Err(error),
    }
}

/// Written beside and renamed, readable for the owner only (tempfile's default): never half a key.
fn make(path: &Path, data_dir: &Path) -> std::io::Result<Vec<u8>> {
    let bytes: [u8; KEY_BYTES] = rand::random();
    std::fs::create_dir_all(data_dir)?;
    let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
    std::io::Write::write_all(&mut file, &bytes)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(bytes.to_vec()),
        // Another edge was first.
        Err(_) => std::fs::read(path),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 80))
    }

    #[test]
    fn a_token_is_of_one_backend_of_one_route_and_tells_neither() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let shop = StickyKey::ensure(&data, "shop").unwrap();
        let again = StickyKey::ensure(&data, "shop").unwrap();
        let blog = StickyKey::ensure(&data, "blog").unwrap();
        let token = shop.token(address(1));
        assert_eq!(token, again.token(address(1)));
        assert_ne!(token, shop.token(address(2)));
        assert_ne!(token, blog.token(address(1)));
        assert_eq!(token.as_str().len(), 32);
        assert!(token.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!format!("{shop:?}").contains("key"));
        std::fs::write(data.join(FILE), "short").unwrap();
        let told = StickyKey::ensure(&data, "shop").unwrap_err().to_string();
        assert!(told.contains("sticky.key") && told.contains("32 bytes"), "{told}");
    }

    #[test]
    fn edges_with_the_same_secret_agree() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            SecretSource::File(path)
        };
        let here = StickyKey::of(&file("here", &"k".repeat(32)), "shop").unwrap();
        let there = StickyKey::of(&file("there", &format!("{}\n", "k".repeat(32))), "shop").unwrap();
        let other = StickyKey::of(&file("other", &"o".repeat(32)), "shop").unwrap();
        assert_eq!(here.token(address(1)), there.token(address(1)));
        assert_ne!(here.token(address(1)), other.token(address(1)));
        let short = StickyKey::of(&file("short", "secret-word"), "shop").unwrap_err();
        let told = short.to_string();
        assert!(
            told.contains("32 bytes") && !told.contains("secret-word"),
            "{told}"
        );
    }

    #[test]
    fn cookies_as_browsers_want_them() {
        let sticky = |ttl, http_only, secure, same_site| Sticky {
            cookie: "edge".to_owned(),
            ttl,
            path: "/".to_owned(),
            http_only,
            secure,
            same_site,
        };
        let token = Token("0a".to_owned());
        for (sticky, expected) in [
            (
                sticky(None, true, true, SameSite::Lax),
                "edge=0a; Path=/; HttpOnly; Secure; SameSite=Lax",
            ),
            (
                sticky(Some(Duration::from_secs(60)), false, false, SameSite::Strict),
                "edge=0a; Path=/; Max-Age=60; SameSite=Strict",
            ),
            (
                sticky(None, false, true, SameSite::None),
                "edge=0a; Path=/; Secure; SameSite=None",
            ),
        ] {
            assert_eq!(token.set_cookie(&sticky), expected);
        }
    }
}
