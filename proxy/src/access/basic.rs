//! Basic authentication (RFC 7617).

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::{Asked, password};
use crate::config::{BasicAuth, PasswordHash};
use crate::limit::{Buckets, ClientKey, Decision, Quota};

/// Passwords that are remembered at once, in parts with a lock of their own; of more the one that is forgotten soonest
/// goes.
const REMEMBERED: usize = 1024;
const PARTS: usize = 16;

/// Clients whose attempts are counted at once.
const COUNTED: usize = 16_384;

/// Basic authentication of a route, with what it remembers.
pub struct Basic {
    auth: BasicAuth,
    attempts: Buckets,
    quota: Quota,
    remembered: Remembered,
    stand_ins: StandIns,
}

/// What became of a request's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// This is the user.
    Let(String),
    /// Nobody is asked for.
    Open,
    /// No password, or a wrong one.
    Ask,
    /// Too many wrong ones; so long until the next.
    Wait(Duration),
    /// Too many to verify at once.
    Busy,
}

impl Basic {
    /// The authentication, with nothing to remember yet.
    pub fn new(auth: &BasicAuth) -> Self {
        Self {
            auth: auth.clone(),
            attempts: Buckets::new(COUNTED, RandomState::new()),
            quota: Quota::new(auth.attempts, Duration::from_secs(60), auth.attempts),
            remembered: Remembered::default(),
            stand_ins: StandIns::new(auth),
        }
    }

    /// What it was made of.
    pub fn auth(&self) -> &BasicAuth {
        &self.auth
    }

    /// Who the client is; `now` is nanoseconds since the process began.
    pub async fn judge(&self, asked: &Asked<'_>, now: u64) -> Login {
        if !self.auth.except.is_empty() && asked.is_for(&self.auth.except) {
            return Login::Open;
        }
        let Some((user, password)) = credentials(asked.headers) else {
            return Login::Ask;
        };
        let known = self.auth.users.get(&user);
        let mark = known.map(|hash| self.remembered.mark(&user, &password, hash));
        if mark.is_some_and(|mark| self.remembered.holds(&mark, now)) {
            return Login::Let(user);
        }
        let client = ClientKey::from(asked.client);
        if let Decision::Wait(standing) = self.attempts.charge(&self.quota, client, now) {
            return Login::Wait(standing.next_in);
        }
        let Some(hash) = known.or_else(|| self.stand_ins.of(&user)) else {
            return Login::Ask;
        };
        match (password::verify(password, hash.clone()).await, mark) {
            (Err(password::Busy), _) => Login::Busy,
            (Ok(true), Some(mark)) => {
                let remember = u64::try_from(self.auth.remember.as_nanos()).unwrap_or(u64::MAX);
                self.remembered.add(mark, now, now.saturating_add(remember));
                Login::Let(user)
            }
            (Ok(_), _) => Login::Ask,
        }
    }

    /// What asks a browser for a password (RFC 7617 section 2.1).
    pub fn challenge(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("Basic realm=\"{}\", charset=\"UTF-8\"", self.auth.realm)).ok()
    }
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Basic({} users)", self.auth.users.len())
    }
}

/// User and password as they were sent. Of several Authorization fields none counts: each reader takes another.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(token.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(decoded.get(..colon)?.to_vec()).ok()?;
    Some((user, decoded.get(colon + 1..)?.to_vec()))
}

/// Whose hash is computed for users who are not there: one who is there, and always the same for a name. A hash of each
/// kind and cost takes its own time, so that an unknown name takes the time of as many known ones as there are of that kind:
/// it tells nobody whether a name is known. The choice is keyed by the hashes, which nobody knows, and outlives restarts.
struct StandIns {
    key: [u8; 32],
    hashes: Vec<PasswordHash>,
}

impl StandIns {
    fn new(auth: &BasicAuth) -> Self {
        let mut key = Sha256::new();
        auth.users.values().for_each(|hash| key.update(hash.expose()));
        Self {
            key: key.finalize().into(),
            hashes: auth.users.values().cloned().collect(),
        }
    }

    fn of(&self, name: &str) -> Option<&PasswordHash> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(name.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
        let place = u32::from_be_bytes([a, b, c, d]) as usize % self.hashes.len().max(1);
        self.hashes.get(place)
    }
}

type Mark = [u8; 32];

/// Passwords that were right, as keyed hashes of user, password and hash: nothing in memory tells a password, and one whose
/// hash was changed is another.
struct Remembered {
    key: [u8; 32],
    parts: [Mutex<HashMap<Mark, u64>>; PARTS],
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            key: rand::random(),
            parts: Default::default(),
        }
    }
}

impl Remembered {
    fn mark(&self, user: &str, password: &[u8], hash: &PasswordHash) -> Mark {
        // A key of any length is one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return rand::random();
        };
        for part in [user.as_bytes(), hash.expose().as_bytes(), password] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn holds(&self, mark: &Mark, now: u64) -> bool {
        self.part(mark).get(mark).is_some_and(|until| *until > now)
    }

    fn add(&self, mark: Mark, now: u64, end: u64) {
        let mut until = self.part(&mark);
        if until.len() >= REMEMBERED / PARTS {
            until.retain(|_, end| *end > now);
        }
        if until.len() >= REMEMBERED / PARTS
            && let Some(soonest) = until.iter().min_by_key(|(_, end)| **end).map(|(mark, _)| *mark)
        {
            until.remove(&soonest);
        }
        until.insert(mark, end);
    }

    fn part(&self, mark: &Mark) -> MutexGuard<'_, HashMap<Mark, u64>> {
        let part = &self.parts[usize::from(mark[0]) % PARTS];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::testing::{asked, headers};
    use super::*;
    use crate::config::testing::config;

    fn basic(lines: &str) -> Basic {
        let hash = bcrypt::hash("secret", 4).unwrap();
        let text = format!(
            "[[routes]]\nname = \"app\"\nhosts = [\"app.test\"]\necho = true\n[routes.basic_auth]\n\
             users = [\"anna:{hash}\"]\n{lines}\n"
        );
        Basic::new(config(&text).routes[0].access.basic_auth.as_ref().unwrap())
    }

    fn sent(user: &str, password: &str) -> HeaderMap {
        headers(&[(
            "authorization",
            &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
        )])
    }

    #[tokio::test]
    async fn only_the_right_password_lets_in() {
        let basic = basic("");
        let twice = headers(&[("authorization", "Basic YTpi"), ("authorization", "Basic YTpi")]);
        for (headers, expected) in [
            (sent("anna", "secret"), Login::Let("anna".to_owned())),
            (sent("anna", "Secret"), Login::Ask),
            (sent("otto", "secret"), Login::Ask),
            (headers(&[]), Login::Ask),
            (headers(&[("authorization", "Bearer x")]), Login::Ask),
            (headers(&[("authorization", "Basic ???")]), Login::Ask),
            (headers(&[("authorization", "Basic YQ==")]), Login::Ask),
            (twice, Login::Ask),
        ] {
            assert_eq!(
                basic.judge(&asked("192.0.2.1", &headers), 0).await,
                expected,
                "{headers:?}"
            );
        }
    }

    #[tokio::test]
    async fn attempts_run_out_and_what_is_remembered_costs_none() {
        let basic = basic("attempts = 3");
        let (right, wrong) = (sent("anna", "secret"), sent("anna", "wrong"));
        let judge = async |headers| basic.judge(&asked("192.0.2.1", headers), 0).await;
        for _ in 0..9 {
            assert_eq!(judge(&right).await, Login::Let("anna".to_owned()));
        }
        assert_eq!(judge(&wrong).await, Login::Ask);
        assert_eq!(judge(&wrong).await, Login::Ask);
        assert_eq!(judge(&wrong).await, Login::Wait(Duration::from_secs(20)));
        assert_eq!(judge(&right).await, Login::Let("anna".to_owned()));
        let elsewhere = basic.judge(&asked("192.0.2.2", &wrong), 0).await;
        assert_eq!(elsewhere, Login::Ask);
    }

    #[test]
    fn unknown_names_take_the_time_of_known_ones() {
        let (slow, fast) = (bcrypt::hash("x", 5).unwrap(), bcrypt::hash("x", 4).unwrap());
        let users = [
            ("anna", &slow),
            ("berta", &fast),
            ("carl", &fast),
            ("dora", &slow),
        ];
        let lines = users.map(|(name, hash)| format!("{name:?}, {hash:?}"));
        let users = lines.map(|line| line.replace("\", \"", ":")).join(", ");
        let text = format!(
            "[[routes]]\nname = \"app\"\nhosts = [\"app.test\"]\necho = true\n[routes.basic_auth]\nusers = [{users}]\n"
        );
        let auth = config(&text).routes[0].access.basic_auth.clone().unwrap();
        let (stand_ins, again) = (StandIns::new(&auth), StandIns::new(&auth));
        let slow = |name: &str| stand_ins.of(name).unwrap().expose() == slow;
        let names: Vec<String> = (0..1000).map(|at| format!("user{at}")).collect();
        for name in &names {
            assert_eq!(
                stand_ins.of(name).unwrap().expose(),
                again.of(name).unwrap().expose()
            );
        }
        let slow = names.iter().filter(|name| slow(name)).count();
        assert!((400..600).contains(&slow), "{slow} of 1000, as two of four are");
    }

    #[test]
    fn memory_is_bounded_and_a_changed_hash_is_another_password() {
        let remembered = Remembered::default();
        for at in 0..2 * REMEMBERED as u64 {
            let mut mark = [0; 32];
            mark[..8].copy_from_slice(&at.to_le_bytes());
            remembered.add(mark, 0, 100 + at);
            assert!(remembered.holds(&mark, 99));
        }
        let lengths = remembered.parts.iter().map(|part| part.lock().unwrap().len());
        assert_eq!(lengths.sum::<usize>(), REMEMBERED);
        let hash = |cost| {
            let text = format!("a:{}", bcrypt::hash("x", cost).unwrap());
            let (_, hash) = crate::config::testing::user(&text);
            hash
        };
        assert_ne!(
            remembered.mark("a", b"x", &hash(4)),
            remembered.mark("a", b"x", &hash(4))
        );
    }
}
