//! Background services: defaults, and options held against one another.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::config::decode::At;
use crate::config::errors::{Place, Problem, Report};
use crate::config::raw;
use crate::config::ready::{
    Acme, Ddns, Detection, Dns, DnsPolicy, DnsTarget, Eab, RouteDns, TxtAffix, TxtNames, UntilIssued, Whoami,
    Zone, is_within,
};

const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";
const WHOAMI_HTTPS: &str = "https://cloudflare-dns.com/dns-query";
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const TRACE: [&str; 2] = [
    "https://api.cloudflare.com/cdn-cgi/trace",
    "https://www.cloudflare.com/cdn-cgi/trace",
];

/// `[[zones]]`.
pub(super) fn zones(raw: Vec<raw::Zone>, report: &Report) -> Vec<Zone> {
    let mut seen: HashMap<String, Place> = HashMap::new();
    // Two would be one folder, and two orders for the same names.
    let mut ordered: HashMap<String, Place> = HashMap::new();
    for zone in &raw {
        let certificates = zone.certificates.iter().flatten();
        for name in certificates.filter(|name| !is_within(&name.value, &zone.name.value)) {
            let reason = format!("{} is not in the zone {}", name.value, zone.name.value);
            report.problem(&name.place, Problem::Contradiction(reason));
        }
        let twice = seen.contains_key(&zone.name.value);
        let own = (zone.certificates.is_none() && !twice).then_some(&zone.name);
        for name in zone.certificates.iter().flatten().chain(own) {
            if let Some(first) = ordered.insert(name.value.clone(), name.place.clone()) {
                let what = format!("the certificate {}", name.value);
                report.problem(&name.place, Problem::Duplicate { what, first });
            }
        }
        if let Some(first) = seen.insert(zone.name.value.clone(), zone.name.place.clone()) {
            let what = format!("the zone {}", zone.name.value);
            report.problem(&zone.name.place, Problem::Duplicate { what, first });
        }
    }
    raw.into_iter().map(zone).collect()
}

fn zone(raw: raw::Zone) -> Zone {
    let certificates = raw.certificates;
    Zone {
        certificates: match certificates {
            Some(names) => names.into_iter().map(|name| name.value).collect(),
            None => vec![raw.name.value.clone()],
        },
        name: raw.name.value,
        token: raw.token,
        api: raw.api.unwrap_or_else(|| CLOUDFLARE.to_owned()),
        records: raw.records.unwrap_or(true),
    }
}

/// `[acme]`.
pub(super) fn acme(raw: raw::Acme, report: &Report) -> Acme {
    let directory = raw.directory.map(|directory| directory.value);
    let eab = match (raw.eab_kid, raw.eab_key) {
        (Some(kid), Some(key)) => Some(Eab { kid: kid.value, key }),
        (None, None) => None,
        _ => {
            let reason = "external account binding takes both `eab_kid` and `eab_key`";
            report.problem(&raw.place, Problem::Contradiction(reason.to_owned()));
            None
        }
    };
    Acme {
        directory: directory.unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
        root: raw.root,
        email: raw.email,
        profile: raw.profile,
        preferred_chain: raw.preferred_chain,
        eab,
        nameservers: raw.nameservers.unwrap_or_default(),
        propagation_timeout: raw.propagation_timeout.unwrap_or(Duration::from_secs(300)),
        until_issued: raw.until_issued.unwrap_or(UntilIssued::SelfSigned),
    }
}

/// `[dns]`.
pub(super) fn dns(raw: raw::Dns, report: &Report) -> Dns {
    let affix = match (raw.txt_prefix, raw.txt_suffix) {
        (Some(_), Some(suffix)) => {
            let reason = "ownership records have a `txt_prefix` or a `txt_suffix`, not both";
            report.problem(&suffix.place, Problem::Contradiction(reason.to_owned()));
            TxtAffix::None
        }
        (Some(prefix), None) => TxtAffix::Prefix(prefix.value),
        (None, Some(suffix)) => TxtAffix::Suffix(suffix.value),
        (None, None) => TxtAffix::None,
    };
    Dns {
        policy: raw.policy.unwrap_or(DnsPolicy::Sync),
        owner: raw.owner.unwrap_or_else(|| "default".to_owned()),
        txt: TxtNames {
            affix,
            wildcard: raw.txt_wildcard_replacement,
        },
        ttl: raw.ttl.unwrap_or(1),
        proxied: raw.proxied.unwrap_or(false),
        targets: targets(raw.targets, report),
        ipv6_host_id: raw.ipv6_host_id,
        interval: raw.interval.unwrap_or(Duration::from_secs(5 * 60)),
        delete_on_stop: raw.delete_on_stop.unwrap_or(false),
        max_deletes: raw.max_deletes.unwrap_or(10),
        max_delete_percent: raw.max_delete_percent.unwrap_or(50),
    }
}

/// A route's `dns`.
pub(super) fn route_dns(raw: raw::RouteDns, report: &Report) -> RouteDns {
    RouteDns {
        enabled: raw.enabled,
        ttl: raw.ttl,
        proxied: raw.proxied,
        targets: targets(raw.targets, report),
        ipv6_host_id: raw.ipv6_host_id,
    }
}

/// A name stands alone: a CNAME has no company (RFC 1034, section 3.6.2).
fn targets(written: Option<At<Vec<DnsTarget>>>, report: &Report) -> Vec<DnsTarget> {
    let Some(targets) = written else {
        return Vec::new();
    };
    let is_name = |target: &DnsTarget| matches!(target, DnsTarget::Name(_));
    if targets.value.len() > 1 && targets.value.iter().any(is_name) {
        let reason = "a hostname among `targets` becomes a CNAME, which stands alone";
        report.problem(&targets.place, Problem::Contradiction(reason.to_owned()));
    }
    targets.value
}

/// `[ddns]`.
pub(super) fn ddns(raw: raw::Ddns, report: &Report) -> Ddns {
    let default = || vec![Detection::Https, Detection::Dns, Detection::Router];
    let methods = |written: Option<Vec<At<Detection>>>, v6: bool| {
        let written = written?;
        for method in &written {
            if let Detection::Fixed(address) = method.value
                && address.is_ipv6() != v6
            {
                let reason = format!("{address} is of the other family");
                report.problem(&method.place, Problem::Contradiction(reason));
            }
        }
        Some(written.into_iter().map(|method| method.value).collect())
    };
    Ddns {
        ipv4: methods(raw.ipv4, false).unwrap_or_else(default),
        ipv6: methods(raw.ipv6, true).unwrap_or_default(),
        agreement: raw.agreement.map_or(2, |written| written.value),
        interval: raw.interval.unwrap_or(Duration::from_secs(5 * 60)),
        timeout: raw.timeout.unwrap_or(Duration::from_secs(5)),
        trace: raw.trace.unwrap_or_else(|| TRACE.map(str::to_owned).to_vec()),
        whoami: raw.whoami.unwrap_or_else(whoami),
        router: raw.router,
        pings: raw.pings,
    }
}

/// Each is asked over its own family only, so both are needed; the last one over any.
fn whoami() -> Vec<Whoami> {
    let server = |address: IpAddr| SocketAddr::new(address, 53);
    vec![
        Whoami::Cloudflare(server([1, 1, 1, 1].into())),
        Whoami::OpenDns(server([208, 67, 222, 222].into())),
        Whoami::Cloudflare(server([0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111].into())),
        Whoami::OpenDns(server([0x2620, 0x119, 0x35, 0, 0, 0, 0, 0x35].into())),
        Whoami::CloudflareHttps(WHOAMI_HTTPS.to_owned()),
    ]
}
