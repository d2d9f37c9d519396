//! From a backend's name to its addresses and how long they hold. As glibc does it where nothing else is said: the hosts
//! file, then DNS with search domains and `ndots`, then what else the system's resolver knows. Read anew for each
//! look-up: networks change. (docs/decisions/0023-choosing-backends.md)

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, Resolver, TokioResolver, system_conf};

use crate::config::Resolving;

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) addresses: Vec<IpAddr>,
    /// How long they hold; `None` where nobody says so.
    pub(super) ttl: Option<Duration>,
    /// Of addresses of this family nothing was heard, not even that there are none.
    pub(super) unheard: Option<Family>,
}

/// A kind of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// Why a name has no addresses.
#[derive(Debug, thiserror::Error)]
pub(super) enum NameError {
    #[error("{0}")]
    Dns(Box<NetError>),
    #[error("{dns}; and of the system's resolver: {system}")]
    Nowhere { dns: Box<NetError>, system: io::Error },
}

impl Family {
    pub(super) fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }

    fn record(self) -> RecordType {
        match self {
            Self::V4 => RecordType::A,
            Self::V6 => RecordType::AAAA,
        }
    }
}

/// The addresses of a name.
pub(super) async fn look_up(host: &str, resolving: &Resolving) -> Result<Found, NameError> {
    let hosts = Hosts::from_system().unwrap_or_default();
    if let Some(found) = in_hosts(host, &hosts) {
        return Ok(found);
    }
    match (
        by_dns(host, &resolving.nameservers).await,
        &resolving.nameservers[..],
    ) {
        (Ok(found), _) => Ok(found),
        // mDNS, systemd-resolved, what a container's runtime does: nobody else knows of it.
        (Err(dns), []) => by_the_system(host).await.map_err(|system| NameError::Nowhere {
            dns: Box::new(dns),
            system,
        }),
        (Err(dns), _) => Err(NameError::Dns(Box::new(dns))),
    }
}

/// A name in the hosts file has what stands there, and nothing besides.
fn in_hosts(host: &str, hosts: &Hosts) -> Option<Found> {
    let name = Name::from_utf8(host).ok()?;
    let of = |kind: RecordType| hosts.lookup_static_host(&Query::query(name.clone(), kind));
    let found = [of(RecordType::A), of(RecordType::AAAA)];
    let records = found.iter().flatten().flat_map(|lookup| lookup.answers().iter());
    let addresses: Vec<_> = records.filter_map(|record| address(&record.data)).collect();
    (!addresses.is_empty()).then_some(Found {
        addresses,
        ttl: None,
        unheard: None,
    })
}

async fn by_dns(host: &str, nameservers: &[SocketAddr]) -> Result<Found, NetError> {
    found_by(&resolver(system_conf::read_system_conf(), nameservers)?, host).await
}

async fn found_by(resolver: &TokioResolver, host: &str) -> Result<Found, NetError> {
    let found = resolver.lookup_ip(host).await?;
    let lookup = found.as_lookup();
    let records = lookup.answers().iter();
    // A chain of names holds no longer than its shortest link.
    let ttl = records.clone().map(|record| record.ttl).min();
    let addresses: Vec<_> = records.filter_map(|record| address(&record.data)).collect();
    let absent = [Family::V4, Family::V6]
        .into_iter()
        .find(|family| !addresses.iter().any(|address| family.has(*address)));
    let unheard = match absent {
        // Mostly known from the look-up itself, and remembered.
        Some(family) => match resolver
            .lookup(lookup.query().name().clone(), family.record())
            .await
        {
            Err(error) if !error.is_no_records_found() => Some(family),
            _ => None,
        },
        None => None,
    };
    Ok(Found {
        addresses,
        ttl: ttl.map(|seconds| Duration::from_secs(u64::from(seconds))),
        unheard,
    })
}

/// As resolv.conf says, or with its search domains and these servers.
fn resolver(
    system: Result<(ResolverConfig, ResolverOpts), NetError>,
    nameservers: &[SocketAddr],
) -> Result<TokioResolver, NetError> {
    let (config, mut options) = match (system, nameservers) {
        (system, []) => system?,
        (Ok((system, options)), _) => {
            let (domain, search) = (system.domain().cloned(), system.search().to_vec());
            (
                ResolverConfig::from_parts(domain, search, servers(nameservers)),
                options,
            )
        }
        (Err(_), _) => {
            let config = ResolverConfig::from_parts(None, Vec::new(), servers(nameservers));
            (config, ResolverOpts::default())
        }
    };
    options.use_hosts_file = ResolveHosts::Never;
    // It remembers for this look-up only.
    options.cache_size = 16;
    let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.with_options(options).build()
}

fn servers(addresses: &[SocketAddr]) -> Vec<NameServerConfig> {
    let at = |mut connection: ConnectionConfig, port| {
        connection.port = port;
        connection
    };
    let server = |address: &SocketAddr| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.map(|connection| at(connection, address.port()));
        NameServerConfig::new(address.ip(), true, connections.into())
    };
    addresses.iter().map(server).collect()
}

async fn by_the_system(host: &str) -> io::Result<Found> {
    let found = tokio::net::lookup_host((host, 0)).await?;
    let addresses: Vec<_> = found.map(|address| address.ip()).collect();
    match addresses.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
        false => Ok(Found {
            addresses,
            ttl: None,
            unheard: None,
        }),
    }
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use hickory_proto::op::{Message, OpCode, ResponseCode};
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, AAAA, CNAME};
    use tokio::net::UdpSocket;

    use super::*;

    /// A name server that knows one alias and what it leads to; while `broken`, nothing of IPv6.
    async fn name_server(broken: Arc<AtomicBool>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut packet = [0; 1500];
            loop {
                let (length, client) = socket.recv_from(&mut packet).await.unwrap();
                let asked = Message::from_vec(&packet[..length]).unwrap();
                let answer = answer(&asked, broken.load(Ordering::SeqCst));
                socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
            }
        });
        address
    }

    fn answer(asked: &Message, broken: bool) -> Message {
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        let question = asked.queries[0].clone();
        let (name, kind) = (question.name().clone(), question.query_type());
        answer.add_queries([question]);
        if !["app.internal.", "app.shop.svc.cluster.local."].contains(&name.to_ascii().as_str()) {
            answer.metadata.response_code = ResponseCode::NXDomain;
            return answer;
        }
        if broken && kind == RecordType::AAAA {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer;
        }
        let target = Name::from_ascii("node.internal.").unwrap();
        let data = match kind {
            RecordType::A => RData::A(A::new(192, 0, 2, 1)),
            _ => RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        };
        answer.add_answer(Record::from_rdata(name, 7, RData::CNAME(CNAME(target.clone()))));
        answer.add_answer(Record::from_rdata(target, 60, data));
        answer
    }

    #[tokio::test]
    async fn a_name_has_addresses_of_both_families_and_the_shortest_ttl_of_its_chain() {
        let server = name_server(Arc::default()).await;
        let found = by_dns("app.internal", &[server]).await.unwrap();
        let mut addresses = found.addresses.clone();
        addresses.sort_unstable();
        let expected: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert_eq!(addresses, expected);
        assert_eq!(found.ttl, Some(Duration::from_secs(7)));
        assert_eq!(found.unheard, None);
    }

    #[tokio::test]
    async fn names_are_short_where_resolv_conf_says_so() {
        let server = name_server(Arc::default()).await;
        let pod = "nameserver 192.0.2.53\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\n\
                   options ndots:5\n";
        let resolver = resolver(system_conf::parse_resolv_conf(pod), &[server]).unwrap();
        for host in [
            "app",
            "app.shop",
            "app.shop.svc",
            "app.shop.svc.cluster.local",
            "app.internal",
        ] {
            let found = found_by(&resolver, host).await;
            assert_eq!(found.unwrap().addresses.len(), 2, "{host}");
        }
        assert!(found_by(&resolver, "app.office").await.is_err());
    }

    #[tokio::test]
    async fn a_family_that_cannot_be_asked_for_is_not_one_that_has_no_address() {
        let server = name_server(Arc::new(AtomicBool::new(true))).await;
        let found = by_dns("app.internal", &[server]).await.unwrap();
        assert_eq!(found.addresses, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(found.unheard, Some(Family::V6));
    }

    #[tokio::test]
    async fn a_name_that_is_not_there_is_an_error_that_says_so() {
        let server = name_server(Arc::default()).await;
        let resolving = Resolving {
            nameservers: vec![server],
            ..Resolving::default()
        };
        let error = look_up("other.internal", &resolving)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("other.internal"), "{error}");
    }

    #[tokio::test]
    async fn the_hosts_file_comes_first() {
        let found = look_up("localhost", &Resolving::default()).await.unwrap();
        assert!(found.addresses.iter().all(IpAddr::is_loopback), "{found:?}");
        assert_eq!(found.ttl, None);
    }
}
