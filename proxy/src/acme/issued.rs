//! What is in a certificate, and whether it is what was ordered.

use instant_acme::CertificateIdentifier;
use rustls_pki_types::Der;
use time::{Duration, OffsetDateTime};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::Unfit;
use super::plan::Held;
use super::store::Pair;
use crate::certs::Entry;
use crate::config::CertificateFiles;

/// Clocks differ. CAs date their certificates back, by an hour as a rule.
const CLOCKS_DIFFER: Duration = Duration::HOUR;

/// Reads a stored certificate: as it serves, and as it is planned with. Key and chain fit.
pub(super) fn read(name: &str, pair: &Pair) -> Result<(Entry, Held), Unfit> {
    let place = |file: &str| format!("certificates/{name}/{file}").into();
    let origin = CertificateFiles {
        certificate: place("tls.crt"),
        key: place("tls.key"),
    };
    let entry = Entry::from_pem(pair.chain.as_bytes(), pair.key.expose().as_bytes(), &origin)?;
    let der = entry
        .key
        .end_entity_cert()
        .map_err(|error| Unfit::Leaf(error.to_string()))?;
    let (_, leaf) = X509Certificate::from_der(der).map_err(|error| Unfit::Leaf(error.to_string()))?;
    let held = Held {
        names: entry.names.clone(),
        not_before: leaf.validity().not_before.to_datetime(),
        not_after: leaf.validity().not_after.to_datetime(),
        issuer: leaf.issuer().to_string(),
        serial: leaf.raw_serial_as_string(),
        identifier: identifier(&leaf),
        directory: pair.directory.clone(),
    };
    Ok((entry, held))
}

/// Whether this is a certificate for these names, and valid now.
pub(super) fn check(held: &Held, names: &[String], now: OffsetDateTime) -> Result<(), Unfit> {
    if let Some(name) = names.iter().find(|name| !held.names.contains(name)) {
        return Err(Unfit::Name(name.clone()));
    }
    let begun = held.not_before <= now + CLOCKS_DIFFER;
    if !begun || held.not_after <= now {
        return Err(Unfit::Validity {
            from: held.not_before,
            to: held.not_after,
        });
    }
    Ok(())
}

/// RFC 9773, section 4.1: key identifier of the authority, and serial number.
fn identifier(leaf: &X509Certificate<'_>) -> Option<String> {
    let authority = leaf
        .iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(authority) => authority.key_identifier.as_ref(),
            _ => None,
        })?;
    let serial = Der::from_slice(leaf.tbs_certificate.raw_serial());
    Some(CertificateIdentifier::new(Der::from_slice(authority.0), serial).to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, Issuer, KeyPair, SerialNumber};
    use time::macros::datetime;

    use super::*;
    use crate::secret::Secret;

    pub(in crate::acme) const START: OffsetDateTime = datetime!(2026-11-01 00:00 UTC);

    /// A certificate of 90 days from `START` for these names, and its key.
    pub(in crate::acme) fn issue(names: &[&str]) -> Pair {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut leaf = CertificateParams::new(names).unwrap();
        leaf.not_before = START;
        leaf.not_after = START + Duration::days(90);
        leaf.serial_number = Some(SerialNumber::from_slice(&[0x87, 0x65]));
        leaf.use_authority_key_identifier_extension = true;
        let ca = Issuer::new(CertificateParams::default(), ca_key);
        Pair {
            chain: leaf.signed_by(&key, &ca).unwrap().pem(),
            key: Secret::new(key.serialize_pem()),
            directory: None,
        }
    }

    #[test]
    fn certificates_are_read() {
        let (entry, held) = read("example.com", &issue(&["example.com", "*.example.com"])).unwrap();
        assert_eq!(entry.names, ["example.com", "*.example.com"]);
        assert_eq!(
            (held.not_before, held.not_after),
            (START, START + Duration::days(90))
        );
        assert_eq!(held.serial, "00:87:65");
        // The serial number keeps the zero that makes it positive: 00 87 65.
        assert!(held.identifier.unwrap().ends_with(".AIdl"));
    }

    #[test]
    fn certificates_that_are_not_what_was_ordered_are_told() {
        let mut pair = issue(&["example.com"]);
        let (_, held) = read("example.com", &pair).unwrap();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let own = names(&["example.com"]);
        check(&held, &own, START).unwrap();
        check(&held, &own, START - Duration::minutes(30)).unwrap();
        let other = check(&held, &names(&["example.com", "*.example.com"]), START);
        assert!(matches!(other, Err(Unfit::Name(name)) if name == "*.example.com"));
        for moment in [START - Duration::hours(2), START + Duration::days(90)] {
            assert!(matches!(check(&held, &own, moment), Err(Unfit::Validity { .. })));
        }
        pair.key = issue(&["example.com"]).key;
        let told = read("example.com", &pair).unwrap_err().to_string();
        assert!(
            told.contains("certificates/example.com/tls.key does not fit"),
            "{told}"
        );
    }
}
