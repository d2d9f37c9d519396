//! The access policies of one route, ready to be asked.

use std::sync::Arc;

use super::forward_auth::Forward;
use super::limiter::{self, Charged, Limiter};
use super::places::{Refused, may_come};
use super::{AccessError, Asked, Basic, Countries};
use crate::config::{AddressPolicy, BasicAuth, Config, ForwardAuth, RouteAccess};

/// What the policies of all routes share.
#[derive(Debug)]
pub struct Shared {
    countries: Option<Arc<Countries>>,
    buckets: usize,
}

/// The policies of a route that has any.
#[derive(Debug)]
pub struct Policies {
    addresses: Option<Arc<AddressPolicy>>,
    countries: Option<Arc<Countries>>,
    limiters: Vec<Limiter>,
    basic: Option<Arc<Basic>>,
    forward: Option<Arc<Forward>>,
}

impl Shared {
    /// Reads what is shared; `previous` is what serves now.
    pub fn read(config: &Config, previous: Option<&Shared>) -> Result<Self, AccessError> {
        let known = previous.and_then(|previous| previous.countries.as_ref());
        let path = config.access.country_database.as_deref();
        Ok(Self {
            countries: path.map(|path| Countries::read(path, known)).transpose()?,
            buckets: config.access.rate_limit_buckets,
        })
    }
}

impl Policies {
    /// The policies of a route; none if it has none. `previous` are those that serve now, whose counts go on.
    pub fn build(
        access: &RouteAccess,
        shared: &Shared,
        previous: Option<&Policies>,
    ) -> Result<Option<Self>, AccessError> {
        if *access == RouteAccess::default() {
            return Ok(None);
        }
        let known = previous.map_or(&[][..], |previous| &previous.limiters);
        let limits = access.rate_limits.iter();
        Ok(Some(Self {
            addresses: access.addresses.clone(),
            countries: shared.countries.clone(),
            limiters: limits
                .map(|limit| Limiter::new(limit, shared.buckets, known))
                .collect(),
            basic: access.basic_auth.as_ref().map(|auth| basic(auth, previous)),
            forward: access
                .forward_auth
                .as_ref()
                .map(|auth| forward(auth, previous))
                .transpose()?,
        }))
    }

    /// Whether the client may come from where it is.
    pub fn may_come(&self, asked: &Asked<'_>) -> Result<(), Refused> {
        let Some(policy) = &self.addresses else {
            return Ok(());
        };
        may_come(policy, asked.client, || self.countries.as_ref()?.of(asked.client))
    }

    /// Charges the request to the rate limits that concern it; `now` is nanoseconds since the process began.
    pub fn charge(&self, asked: &Asked<'_>, now: u64) -> Option<Charged> {
        limiter::charge(&self.limiters, asked, now)
    }

    /// Who has to be asked for a password.
    pub fn basic(&self) -> Option<&Basic> {
        self.basic.as_deref()
    }

    /// The service that has to be asked.
    pub fn forward(&self) -> Option<&Forward> {
        self.forward.as_deref()
    }
}

/// The same one, with what it counts and remembers, if nothing has changed.
fn basic(auth: &BasicAuth, previous: Option<&Policies>) -> Arc<Basic> {
    let known = previous.and_then(|previous| previous.basic.as_ref());
    match known.filter(|known| known.auth() == auth) {
        Some(known) => Arc::clone(known),
        None => Arc::new(Basic::new(auth)),
    }
}

/// The same one, with its connections, if nothing has changed; a CA is read anew.
fn forward(auth: &ForwardAuth, previous: Option<&Policies>) -> Result<Arc<Forward>, AccessError> {
    let known = previous.and_then(|previous| previous.forward.as_ref());
    match known.filter(|known| known.auth() == auth && auth.ca.is_none()) {
        Some(known) => Ok(Arc::clone(known)),
        None => Forward::new(auth).map(Arc::new),
    }
}
