//! A route's `client_certificate`.

use super::readable;
use crate::config::decode::{Node, Table, one_of};
use crate::config::raw::ClientCertificate;
use crate::config::ready::{CertificateFact, ClientCertificateHeader};
use crate::config::values::access as values;

const CA: &str = "a PEM file of the CAs that sign clients' certificates";

/// `client_certificate`.
pub(super) fn client_certificate(node: Node<'_>) -> Option<ClientCertificate> {
    const MODES: &[(&str, bool)] = &[("required", true), ("optional", false)];
    const EXPIRED: &[(&str, bool)] = &[("refuse", false), ("accept", true)];
    const DEPTHS: &[(&str, bool)] = &[("chain", true), ("client", false)];
    node.open(|table| {
        let required = table.take("mode", one_of(MODES));
        let ca = table.require("ca", CA, readable);
        let crl = table.take("crl", readable);
        let crl_expired = table.take("crl_expired", one_of(EXPIRED));
        let crl_chain = table.take("crl_depth", one_of(DEPTHS));
        let written = table.has("headers");
        let headers = table.sections("headers", header);
        Some(ClientCertificate {
            required,
            ca: ca?,
            crl,
            crl_expired,
            crl_chain,
            headers: written.then_some(headers),
            place: table.place(),
        })
    })
}

fn header(table: &mut Table<'_>) -> Option<ClientCertificateHeader> {
    const FACTS: &[(&str, CertificateFact)] = &[
        ("xfcc", CertificateFact::Xfcc),
        ("client-cert", CertificateFact::Certificate),
        ("client-cert-chain", CertificateFact::Chain),
        ("pem", CertificateFact::Pem),
        ("subject", CertificateFact::Subject),
        ("issuer", CertificateFact::Issuer),
        ("serial", CertificateFact::Serial),
        ("fingerprint", CertificateFact::Fingerprint),
    ];
    let name = table.require("name", values::HEADER, |node| {
        node.parse(values::HEADER, values::parse_header)
    });
    let value = table.require("value", "what stands in it, such as \"subject\"", one_of(FACTS));
    Some(ClientCertificateHeader {
        name: name?,
        value: value?,
    })
}
