//! Clients' certificates: defaults, and one trust for each host.

use std::collections::HashMap;

use http::HeaderName;

use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{CertificateFact, ClientCertificate, ClientCertificateHeader};

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
        headers: raw.headers.unwrap_or_else(default),
    }
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
            if (&first.ca, &first.crl) != (&own.ca, &own.crl) {
                let reason = format!(
                    "routes of `{}` go by one `ca` and one `crl`, and route `{name}` names others",
                    host.value
                );
                report.problem(&own.place, Problem::Contradiction(reason));
            }
        }
    }
}
