//! Clients' certificates: defaults, and one trust for each host.

use std::collections::HashMap;

use http::HeaderName;

use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{CertificateFact, ClientCertificate, ClientCertificateHeader, Revocation};

/// A route's `client_certificate`.
pub(super) fn client_certificate(raw: raw::ClientCertificate) -> ClientCertificate {
    let default = || {
        vec![ClientCertificateHeader {
            name: HeaderName::from_static("x-forwarded-client-cert"),
            value: CertificateFact::Xfcc,
        }]
    };
    ClientCertificate {
        required: raw.required.unwrap_or(true),
        ca: raw.ca,
        crl: raw.crl,
        revocation: Revocation {
            expired_lists: raw.crl_expired.unwrap_or(false),
            whole_chain: raw.crl_chain.unwrap_or(true),
        },
        headers: raw.headers.unwrap_or_else(default),
    }
}

/// What a handshake goes by.
fn trust(raw: &raw::ClientCertificate) -> impl PartialEq + '_ {
    (
        &raw.ca,
        &raw.crl,
        raw.crl_expired.unwrap_or(false),
        raw.crl_chain.unwrap_or(true),
    )
}

/// A certificate is shown to a host, before there is a path: routes of one host go by the same CAs.
pub(super) fn one_trust_for_each_host(routes: &[raw::Route], report: &Report) {
    let mut trusts = HashMap::new();
    for route in routes {
        let Some(own) = &route.access.client_certificate else {
            continue;
        };
        for host in &route.hosts {
            let (first, name) = *trusts.entry(&host.value).or_insert((own, &route.name.value));
            if trust(first) != trust(own) {
                let reason = format!(
                    "routes of `{}` go by one `ca` and one `crl`, and route `{name}` names others",
                    host.value
                );
                report.problem(&own.place, Problem::Contradiction(reason));
            }
        }
    }
}
