//! `[[zones]]`, `[acme]`, `[dns]`, `[ddns]`, and a route's `dns`.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::readable;
use crate::config::decode::{At, Fault, Node, Table, boolean, integer, list, one_of, parsed, some};
use crate::config::raw::{Acme, Ddns, Dns, RouteDns, Zone};
use crate::config::ready::{Detection, DnsPolicy, DnsTarget, Ping, SecretSource, UntilIssued, Whoami};
use crate::config::values::units::duration;
use crate::config::values::{host, service};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=DAY;
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
const PROPAGATION: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);
const ZONE: &str = "the name of a DNS zone such as \"example.com\"";
const SECRET: &str = "where it is kept: a file such as \"/etc/palisade/token\", or \"env:NAME\"";

/// One of `[[zones]]`.
pub(super) fn zone(table: &mut Table<'_>) -> Option<Zone> {
    let name = table.require("name", ZONE, domain);
    let token = table.require("token", SECRET, secret);
    let api = table.take("api", |node| node.parse(service::URL, service::parse_url));
    let certificates = table.take("certificates", list("names", domain));
    let records = table.take("records", boolean);
    Some(Zone {
        name: name?,
        token: token?,
        api,
        certificates,
        records,
    })
}

/// `[acme]`.
pub(super) fn acme(table: &mut Table<'_>) -> Acme {
    const UNTIL: &[(&str, UntilIssued)] = &[
        ("self-signed", UntilIssued::SelfSigned),
        ("refuse", UntilIssued::Refuse),
    ];
    Acme {
        directory: table.take("directory", parsed(service::DIRECTORY, service::parse_directory)),
        root: table.take("root", readable),
        email: table.take("email", |node| node.parse(service::EMAIL, service::parse_email)),
        profile: table.take("profile", |node| node.parse(service::WORD, service::parse_word)),
        preferred_chain: table.take("preferred_chain", |node| {
            node.parse(service::COMMON_NAME, service::parse_common_name)
        }),
        eab_kid: table.take("eab_kid", parsed(service::WORD, service::parse_word)),
        eab_key: table.take("eab_key", secret),
        nameservers: table.take("nameservers", list("addresses", server)),
        propagation_timeout: table.take("propagation_timeout", duration(PROPAGATION)),
        until_issued: table.take("until_issued", one_of(UNTIL)),
        place: table.place(),
    }
}

/// `[dns]`.
pub(super) fn dns(table: &mut Table<'_>) -> Dns {
    const POLICIES: &[(&str, DnsPolicy)] = &[
        ("sync", DnsPolicy::Sync),
        ("upsert-only", DnsPolicy::UpsertOnly),
        ("create-only", DnsPolicy::CreateOnly),
    ];
    Dns {
        policy: table.take("policy", one_of(POLICIES)),
        owner: table.take("owner", |node| node.parse(service::OWNER, service::parse_owner)),
        txt_prefix: table.take("txt_prefix", parsed(service::AFFIX, service::parse_affix)),
        txt_suffix: table.take("txt_suffix", parsed(service::AFFIX, service::parse_affix)),
        txt_wildcard_replacement: table.take("txt_wildcard_replacement", |node| {
            node.parse(service::LABEL, service::parse_label)
        }),
        ttl: table.take("ttl", ttl),
        proxied: table.take("proxied", boolean),
        targets: table.take("targets", targets),
        ipv6_host_id: table.take("ipv6_host_id", |node| {
            node.parse(service::HOST_ID, service::parse_host_id)
        }),
        interval: table.take("interval", duration(INTERVAL)),
        delete_on_stop: table.take("delete_on_stop", boolean),
        max_deletes: table.take("max_deletes", integer(0..=100_000)),
        max_delete_percent: table.take("max_delete_percent", integer(0..=100)),
    }
}

/// A route's `dns`.
pub(super) fn route_dns(table: &mut Table<'_>) -> RouteDns {
    RouteDns {
        enabled: table.take("enabled", boolean),
        ttl: table.take("ttl", ttl),
        proxied: table.take("proxied", boolean),
        targets: table.take("targets", targets),
        ipv6_host_id: table.take("ipv6_host_id", |node| {
            node.parse(service::HOST_ID, service::parse_host_id)
        }),
    }
}

/// `[ddns]`.
pub(super) fn ddns(table: &mut Table<'_>) -> Ddns {
    Ddns {
        ipv4: table.take("ipv4", list("methods", detection)),
        ipv6: table.take("ipv6", list("methods", detection)),
        agreement: table.take("agreement", |node| {
            let at = node.at(());
            Some(At {
                value: integer(1..=8)(node)?,
                place: at.place,
            })
        }),
        interval: table.take("interval", duration(INTERVAL)),
        timeout: table.take("timeout", duration(TIMEOUT)),
        trace: table.take(
            "trace",
            some("URLs", |node| node.parse(service::URL, service::parse_url)),
        ),
        whoami: table.take("whoami", some("servers", whoami)),
        router: table.take("router", |node| {
            node.parse("an IP address", |text| {
                text.parse::<IpAddr>().map_err(|_| Fault::new("not an address"))
            })
        }),
        pings: table.sections("pings", ping),
    }
}

fn domain(node: Node<'_>) -> Option<At<String>> {
    parsed(ZONE, |text| match host::parse_name(text)? {
        name if name.starts_with('[') || name.parse::<IpAddr>().is_ok() => {
            Err(Fault::new("an address is no zone"))
        }
        name => Ok(name),
    })(node)
}

/// Files need not be there yet: they are read when the secret is needed.
pub(super) fn secret(node: Node<'_>) -> Option<SecretSource> {
    node.secret(SECRET, service::parse_secret)
}

fn ttl(node: Node<'_>) -> Option<u32> {
    const TTL: &str = "\"auto\", or a whole number of seconds from 60 to 86400";
    if node.value().is_str() {
        return node.parse(TTL, |text| match text {
            "auto" => Ok(1),
            _ => Err(Fault::new("unknown word").suggesting("auto")),
        });
    }
    integer(60..=86_400)(node)
}

fn targets(node: Node<'_>) -> Option<At<Vec<DnsTarget>>> {
    let at = node.at(());
    let target = |node: Node<'_>| node.parse(service::TARGET, service::parse_target);
    let value = list("targets", target)(node)?;
    Some(At {
        value,
        place: at.place,
    })
}

fn server(node: Node<'_>) -> Option<SocketAddr> {
    node.parse(service::SERVER, service::parse_server)
}

fn whoami(node: Node<'_>) -> Option<Whoami> {
    node.parse(service::WHOAMI, service::parse_whoami)
}

fn detection(node: Node<'_>) -> Option<At<Detection>> {
    parsed(service::DETECTION, service::parse_detection)(node)
}

fn ping(table: &mut Table<'_>) -> Option<Ping> {
    #[derive(Clone, Copy)]
    enum Kind {
        Healthchecks,
        UptimeKuma,
    }
    const KINDS: &[(&str, Kind)] = &[
        ("healthchecks", Kind::Healthchecks),
        ("uptime-kuma", Kind::UptimeKuma),
    ];
    let kind = table.require("kind", "\"healthchecks\" or \"uptime-kuma\"", one_of(KINDS));
    let url = table.require("url", SECRET, secret);
    let url = url?;
    Some(match kind? {
        Kind::Healthchecks => Ping::Healthchecks(url),
        Kind::UptimeKuma => Ping::UptimeKuma(url),
    })
}
