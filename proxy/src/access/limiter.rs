//! One rate limit of a route.

use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::Asked;
use crate::config::{KeyPart, RateLimit};
use crate::limit::{Buckets, ClientKey, Decision, Quota, Standing};

/// A rate limit and its buckets.
#[derive(Debug)]
pub struct Limiter {
    limit: RateLimit,
    quota: Quota,
    buckets: Arc<Buckets>,
    capacity: usize,
}

/// What limits say about one request: the fields of its answer, and whether it is to be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10 section 3): the limits as such.
    pub policy: String,
    /// RateLimit (section 4): how they stand.
    pub standing: String,
    /// Until a request passes, where this one does not.
    pub wait: Option<Duration>,
}

impl Limiter {
    /// The limiter; its buckets are those of `previous` if nothing has changed.
    pub fn new(limit: &RateLimit, capacity: usize, previous: &[Limiter]) -> Self {
        let same = |known: &&Limiter| known.limit == *limit && known.capacity == capacity;
        let buckets = match previous.iter().find(same) {
            Some(known) => Arc::clone(&known.buckets),
            None => Arc::new(Buckets::new(capacity, RandomState::new())),
        };
        Self {
            quota: Quota::new(limit.requests, limit.per, limit.burst),
            limit: limit.clone(),
            buckets,
            capacity,
        }
    }

    fn concerns(&self, asked: &Asked<'_>) -> bool {
        let limit = &self.limit;
        (limit.methods.is_empty() || limit.methods.iter().any(|method| method == asked.method.as_str()))
            && (limit.paths.is_empty() || asked.may_be_for(&limit.paths))
            && !limit.except.contains(asked.client)
    }

    fn charge(&self, asked: &Asked<'_>, now: u64) -> Option<Decision> {
        let key = Key {
            by: &self.limit.by,
            asked,
        };
        self.concerns(asked)
            .then(|| self.buckets.charge(&self.quota, key, now))
    }
}

/// Charges a request at `now` to all limits that concern it, up to the first that refuses it; none if none does.
pub(super) fn charge(limiters: &[Limiter], asked: &Asked<'_>, now: u64) -> Option<Charged> {
    let mut charged: Option<Charged> = None;
    for limiter in limiters {
        let Some(decision) = limiter.charge(asked, now) else {
            continue;
        };
        let (standing, wait) = match decision {
            Decision::Pass(standing) => (standing, None),
            Decision::Wait(standing) => (standing, Some(standing.next_in)),
        };
        let so_far = charged.get_or_insert_with(|| Charged {
            policy: String::new(),
            standing: String::new(),
            wait: None,
        });
        so_far.tell(&limiter.limit, standing);
        so_far.wait = wait;
        if wait.is_some() {
            break;
        }
    }
    charged
}

impl Charged {
    /// Another member of each list. Names hold nothing that a string of structured fields would have to escape.
    fn tell(&mut self, limit: &RateLimit, standing: Standing) {
        let comma = if self.policy.is_empty() { "" } else { ", " };
        let (name, requests, per) = (&limit.name, limit.requests, limit.per.as_secs());
        self.policy
            .push_str(&format!("{comma}\"{name}\";q={requests};w={per}"));
        let (left, full) = (standing.remaining, seconds(standing.full_in));
        self.standing
            .push_str(&format!("{comma}\"{name}\";r={left};t={full}"));
    }
}

/// Whole seconds, rounded up: who comes back after them has waited long enough.
pub fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// What tells one client from another, hashed without being copied.
struct Key<'r> {
    by: &'r [KeyPart],
    asked: &'r Asked<'r>,
}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for part in self.by {
            let value = match part {
                KeyPart::Client => None,
                KeyPart::Host => Some(self.asked.host.as_bytes()),
                KeyPart::Path => {
                    let read = self.asked.others.first().map_or(self.asked.path, String::as_str);
                    Some(read.as_bytes())
                }
                KeyPart::Header(name) => self.asked.headers.get(name).map(|value| value.as_bytes()),
                KeyPart::Cookie(name) => self.asked.cookie(name),
            };
            // Whoever sends no such header is counted by address: leaving it out gets nobody around the limit.
            match value {
                Some(value) => (1u8, value).hash(state),
                None => (0u8, ClientKey::from(self.asked.client)).hash(state),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::super::asked::testing::{asked, headers};
    use super::*;
    use crate::config::testing::config;

    fn limiters(tables: &str) -> Vec<Limiter> {
        let text = format!("[[routes]]\nname = \"app\"\nhosts = [\"app.test\"]\necho = true\n{tables}\n");
        let limits = &config(&text).routes[0].access.rate_limits;
        limits
            .iter()
            .map(|limit| Limiter::new(limit, 1024, &[]))
            .collect()
    }

    fn passes(limiters: &[Limiter], asked: &Asked<'_>) -> bool {
        charge(limiters, asked, 0).is_none_or(|charged| charged.wait.is_none())
    }

    #[test]
    fn the_answers_fields_say_how_all_limits_stand() {
        let limiters = limiters(
            "[[routes.rate_limits]]\nrequests = 100\nper = \"1m\"\nburst = 2\n\
             [[routes.rate_limits]]\nname = \"day\"\nrequests = 1000\nper = \"24h\"\nby = []",
        );
        let headers = HeaderMap::new();
        let asked = asked("192.0.2.1", &headers);
        let first = charge(&limiters, &asked, 0).unwrap();
        assert_eq!(first.policy, "\"default\";q=100;w=60, \"day\";q=1000;w=86400");
        assert_eq!(first.standing, "\"default\";r=1;t=1, \"day\";r=999;t=87");
        assert!(charge(&limiters, &asked, 0).unwrap().wait.is_none());
        let refused = charge(&limiters, &asked, 0).unwrap();
        assert_eq!(refused.standing, "\"default\";r=0;t=2");
        assert_eq!(refused.wait.map(seconds), Some(1));
    }

    #[test]
    fn requests_share_a_bucket_if_they_agree_in_the_key() {
        let key = headers(&[("x-api-key", "one"), ("cookie", "session=one")]);
        let other = headers(&[("x-api-key", "two"), ("cookie", "session=two")]);
        let none = HeaderMap::new();
        let (a, b) = ("192.0.2.1", "192.0.2.2");
        let (v6, neighbour, stranger) = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1");
        for (by, first, second, shared) in [
            ("client", (a, &none), (a, &key), true),
            ("client", (a, &none), (b, &none), false),
            ("client", (v6, &none), (neighbour, &none), true),
            ("client", (v6, &none), (stranger, &none), false),
            ("header:X-Api-Key", (a, &key), (b, &key), true),
            ("header:X-Api-Key", (a, &key), (a, &other), false),
            ("header:X-Api-Key", (a, &none), (a, &none), true),
            ("header:X-Api-Key", (a, &none), (b, &none), false),
            ("cookie:session", (a, &key), (b, &key), true),
            ("cookie:session", (a, &key), (a, &other), false),
            ("host", (a, &key), (b, &none), true),
            ("path", (a, &key), (b, &none), true),
        ] {
            let limit = format!("[[routes.rate_limits]]\nrequests = 1\nper = \"1m\"\nby = [\"{by}\"]");
            let limiters = limiters(&limit);
            assert!(passes(&limiters, &asked(first.0, first.1)), "{by}");
            assert_eq!(
                passes(&limiters, &asked(second.0, second.1)),
                !shared,
                "{by} {first:?} {second:?}"
            );
        }
    }

    #[test]
    fn a_limit_concerns_its_paths_methods_and_clients_only() {
        let limiters = limiters(
            "[[routes.rate_limits]]\nrequests = 1\nper = \"1m\"\npaths = [\"/login\"]\nmethods = [\"POST\"]\n\
             except = [\"192.168.0.0/16\"]",
        );
        let headers = HeaderMap::new();
        let login = Asked {
            method: &Method::POST,
            path: "/login",
            ..asked("192.0.2.1", &headers)
        };
        assert!(passes(&limiters, &login));
        assert!(!passes(&limiters, &login));
        let others = ["/login".to_owned()];
        let spelled = Asked {
            path: "/x/..%2Flogin",
            others: &others,
            ..login
        };
        assert!(!passes(&limiters, &spelled));
        for free in [
            Asked { path: "/", ..login },
            Asked {
                method: &Method::GET,
                ..login
            },
            Asked {
                client: "192.168.1.1".parse().unwrap(),
                ..login
            },
        ] {
            assert!(passes(&limiters, &free), "{free:?}");
        }
    }

    #[test]
    fn what_is_used_up_stays_used_up_over_a_reload() {
        let tables = "[[routes.rate_limits]]\nrequests = 1\nper = \"1m\"";
        let before = limiters(tables);
        let headers = HeaderMap::new();
        let asked = asked("192.0.2.1", &headers);
        assert!(passes(&before, &asked));
        let limit = &before[0].limit;
        let after = [Limiter::new(limit, 1024, &before)];
        assert!(!passes(&after, &asked));
        let another = [Limiter::new(
            &RateLimit {
                name: "new".to_owned(),
                ..limit.clone()
            },
            1024,
            &before,
        )];
        assert!(passes(&another, &asked));
    }
}
