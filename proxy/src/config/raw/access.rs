//! What the files say about access.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{BasicAuth, ClientCertificate, ForwardAuth};
use crate::config::decode::At;
use crate::config::errors::Place;
use crate::config::ready::{AddressSet, Country, KeyPart, PathMatch};

/// `[access]`.
#[derive(Debug)]
pub(in crate::config) struct Access {
    pub(in crate::config) country_database: Option<PathBuf>,
    pub(in crate::config) rate_limit_buckets: Option<usize>,
    /// Whether a database is named at all, right or wrong.
    pub(in crate::config) names_database: bool,
    pub(in crate::config) place: Place,
}

/// A route's `access`, `rate_limits`, and what else says who may use it.
#[derive(Debug)]
pub(in crate::config) struct RouteAccess {
    pub(in crate::config) addresses: AddressLists,
    pub(in crate::config) client_certificate: Option<ClientCertificate>,
    pub(in crate::config) rate_limits: Vec<RateLimit>,
    pub(in crate::config) basic_auth: Option<BasicAuth>,
    pub(in crate::config) forward_auth: Option<ForwardAuth>,
}

/// A route's `access`.
#[derive(Debug)]
pub(in crate::config) struct AddressLists {
    pub(in crate::config) allow: Option<Vec<IpNet>>,
    pub(in crate::config) allow_files: Option<Vec<(PathBuf, AddressSet)>>,
    pub(in crate::config) deny: Option<Vec<IpNet>>,
    pub(in crate::config) deny_files: Option<Vec<(PathBuf, AddressSet)>>,
    pub(in crate::config) allow_countries: Option<Vec<Country>>,
    pub(in crate::config) deny_countries: Option<Vec<Country>>,
}

/// One of a route's `rate_limits`.
#[derive(Debug)]
pub(in crate::config) struct RateLimit {
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) requests: NonZeroU32,
    pub(in crate::config) per: Duration,
    pub(in crate::config) burst: Option<NonZeroU32>,
    pub(in crate::config) by: Option<Vec<At<KeyPart>>>,
    pub(in crate::config) paths: Option<Vec<PathMatch>>,
    pub(in crate::config) methods: Option<Vec<String>>,
    pub(in crate::config) except: Option<Vec<IpNet>>,
    pub(in crate::config) place: Place,
}
