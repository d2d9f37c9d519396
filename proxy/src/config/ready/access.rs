//! Who may use a route, and how often.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::{AddressSet, BasicAuth, ClientCertificate, ForwardAuth, PathMatch};

/// `[access]`: what the access policies of routes share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// A database in MaxMind's format that tells the country of an address.
    pub country_database: Option<PathBuf>,
    /// Buckets of each rate limit: so many clients are told apart at once. 16 bytes each.
    pub rate_limit_buckets: usize,
}

/// The access policies of a route, in the order in which a request meets them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteAccess {
    /// By address and country.
    pub addresses: Option<Arc<AddressPolicy>>,
    /// By certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// How often.
    pub rate_limits: Vec<RateLimit>,
    /// By password.
    pub basic_auth: Option<BasicAuth>,
    /// By another service.
    pub forward_auth: Option<ForwardAuth>,
}

/// Where clients of a route may be. A denial counts more than a permission; with permissions all others are denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPolicy {
    /// May come; none if it is not asked. Empty: nobody may, but for `allow_countries`.
    pub allow: Option<AddressSet>,
    /// May not come.
    pub deny: AddressSet,
    /// Countries that may come, besides `allow`; none if it is not asked.
    pub allow_countries: Option<Vec<Country>>,
    /// Countries that may not.
    pub deny_countries: Vec<Country>,
    /// The files that addresses came from, to be watched.
    pub files: Vec<PathBuf>,
}

/// An ISO 3166-1 alpha-2 code, in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country(pub [u8; 2]);

/// How often a route may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Unique in its route; clients see it in RateLimit fields.
    pub name: String,
    /// So many requests,
    pub requests: NonZeroU32,
    /// in so much time,
    pub per: Duration,
    /// so many of them at once.
    pub burst: NonZeroU32,
    /// Requests that agree in all of these share a bucket; empty: all do.
    pub by: Vec<KeyPart>,
    /// Only requests to these; empty for all.
    pub paths: Vec<PathMatch>,
    /// Only requests with these methods; empty for all.
    pub methods: Vec<String>,
    /// Clients that are not counted.
    pub except: AddressSet,
}

/// What tells requests apart for a rate limit. Where a header or cookie is absent the client's address stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyPart {
    /// The client's address; of IPv6 the /64.
    Client,
    /// The host asked for.
    Host,
    /// The path, without its query.
    Path,
    /// The value of a header, its name in lower case.
    Header(String),
    /// The value of a cookie.
    Cookie(String),
}

impl RouteAccess {
    /// The files whose content is part of it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let lists = self.addresses.iter().flat_map(|policy| &policy.files);
        let users = self.basic_auth.iter().flat_map(|auth| &auth.files);
        let cas = self.forward_auth.iter().flat_map(|auth| &auth.ca);
        let clients = self.client_certificate.iter();
        let clients = clients.flat_map(|settings| std::iter::once(&settings.ca).chain(&settings.crl));
        lists.chain(users).chain(cas).chain(clients).map(PathBuf::as_path)
    }
}

impl RouteAccess {
    /// Headers by which the edge speaks to the upstream: no client may.
    pub fn spoken_for(&self) -> impl Iterator<Item = &HeaderName> {
        let user = self.basic_auth.iter().flat_map(|auth| &auth.user_header);
        let service = self.forward_auth.iter().flat_map(|auth| &auth.request_headers);
        let certificate = self
            .client_certificate
            .iter()
            .flat_map(|settings| &settings.headers);
        user.chain(service).chain(certificate.map(|header| &header.name))
    }
}

impl AddressPolicy {
    /// Whether a database of countries is needed.
    pub fn asks_for_countries(&self) -> bool {
        self.allow_countries.is_some() || !self.deny_countries.is_empty()
    }
}

impl PathMatch {
    /// Whether it holds for a path in the form of [`crate::config::normalized_path`].
    pub fn holds(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) if prefix == "/" => path.starts_with('/'),
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}
