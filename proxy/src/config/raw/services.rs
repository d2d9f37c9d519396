//! What the files say about background services.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::config::decode::At;
use crate::config::errors::Place;
use crate::config::ready::{
    Detection, DnsPolicy, DnsTarget, HostId, Ping, SecretSource, UntilIssued, Whoami,
};

/// One of `[[zones]]`.
#[derive(Debug)]
pub(in crate::config) struct Zone {
    pub(in crate::config) name: At<String>,
    pub(in crate::config) token: SecretSource,
    pub(in crate::config) api: Option<String>,
    pub(in crate::config) certificates: Option<Vec<At<String>>>,
    pub(in crate::config) records: Option<bool>,
}

/// `[acme]`.
#[derive(Debug)]
pub(in crate::config) struct Acme {
    pub(in crate::config) directory: Option<At<String>>,
    pub(in crate::config) root: Option<PathBuf>,
    pub(in crate::config) email: Option<String>,
    pub(in crate::config) profile: Option<String>,
    pub(in crate::config) preferred_chain: Option<String>,
    pub(in crate::config) eab_kid: Option<At<String>>,
    pub(in crate::config) eab_key: Option<SecretSource>,
    pub(in crate::config) nameservers: Option<Vec<SocketAddr>>,
    pub(in crate::config) propagation_timeout: Option<Duration>,
    pub(in crate::config) until_issued: Option<UntilIssued>,
    pub(in crate::config) place: Place,
}

/// `[dns]`.
#[derive(Debug)]
pub(in crate::config) struct Dns {
    pub(in crate::config) policy: Option<DnsPolicy>,
    pub(in crate::config) owner: Option<String>,
    pub(in crate::config) txt_prefix: Option<At<String>>,
    pub(in crate::config) txt_suffix: Option<At<String>>,
    pub(in crate::config) txt_wildcard_replacement: Option<String>,
    pub(in crate::config) ttl: Option<u32>,
    pub(in crate::config) proxied: Option<bool>,
    pub(in crate::config) targets: Option<At<Vec<DnsTarget>>>,
    pub(in crate::config) ipv6_host_id: Option<HostId>,
    pub(in crate::config) interval: Option<Duration>,
    pub(in crate::config) delete_on_stop: Option<bool>,
    pub(in crate::config) max_deletes: Option<usize>,
    pub(in crate::config) max_delete_percent: Option<u8>,
}

/// A route's `dns`.
#[derive(Debug)]
pub(in crate::config) struct RouteDns {
    pub(in crate::config) enabled: Option<bool>,
    pub(in crate::config) ttl: Option<u32>,
    pub(in crate::config) proxied: Option<bool>,
    pub(in crate::config) targets: Option<At<Vec<DnsTarget>>>,
    pub(in crate::config) ipv6_host_id: Option<HostId>,
}

/// `[ddns]`.
#[derive(Debug)]
pub(in crate::config) struct Ddns {
    pub(in crate::config) ipv4: Option<Vec<At<Detection>>>,
    pub(in crate::config) ipv6: Option<Vec<At<Detection>>>,
    pub(in crate::config) agreement: Option<At<usize>>,
    pub(in crate::config) interval: Option<Duration>,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) trace: Option<Vec<String>>,
    pub(in crate::config) whoami: Option<Vec<Whoami>>,
    pub(in crate::config) router: Option<IpAddr>,
    pub(in crate::config) pings: Vec<Ping>,
}
