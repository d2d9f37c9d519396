//! What an upstream is told of a client's certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use crate::config::{CertificateFact, ClientCertificate};

/// RFC 3986 section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The headers that tell of `chain`, which was verified; the client's own certificate is the first of it.
pub fn headers(settings: &ClientCertificate, chain: &[CertificateDer<'_>]) -> Vec<(HeaderName, HeaderValue)> {
    let Some((leaf, above)) = chain.split_first() else {
        return Vec::new();
    };
    // One that was verified was read before.
    let Ok((_, read)) = X509Certificate::from_der(leaf) else {
        return Vec::new();
    };
    let value = |fact: CertificateFact| match fact {
        CertificateFact::Xfcc => xfcc(leaf, chain, &read),
        CertificateFact::Certificate => byte_sequence(leaf),
        CertificateFact::Chain => above
            .iter()
            .map(|der| byte_sequence(der))
            .collect::<Vec<_>>()
            .join(", "),
        CertificateFact::Pem => escaped(&pem(leaf)),
        CertificateFact::Subject => name(read.subject()),
        CertificateFact::Issuer => name(read.issuer()),
        CertificateFact::Serial => hex(read.raw_serial()),
        CertificateFact::Fingerprint => hex(&Sha256::digest(leaf)),
    };
    let told = settings
        .headers
        .iter()
        .map(|header| (header.name.clone(), value(header.value)));
    told.filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
        .collect()
}

/// The subject, for the access log.
pub fn subject(chain: &[CertificateDer<'_>]) -> Option<String> {
    let (_, read) = X509Certificate::from_der(chain.first()?).ok()?;
    Some(name(read.subject()))
}

/// As Envoy writes it, in its order.
fn xfcc(leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>], read: &X509Certificate<'_>) -> String {
    let whole: String = chain.iter().map(|der| pem(der)).collect();
    let mut told = format!(
        "Hash={};Cert=\"{}\";Chain=\"{}\";Subject=\"{}\"",
        hex(&Sha256::digest(leaf)),
        escaped(&pem(leaf)),
        escaped(&whole),
        name(read.subject()).replace('\\', "\\\\").replace('"', "\\\"")
    );
    let names = read.subject_alternative_name().ok().flatten();
    for name in names.iter().flat_map(|names| &names.value.general_names) {
        let (key, name) = match name {
            GeneralName::URI(uri) => ("URI", *uri),
            GeneralName::DNSName(name) => ("DNS", *name),
            _ => continue,
        };
        // What would have to be quoted is in no such name, but a CA may sign anything.
        if !name.contains([',', ';', '=', '"', '\\']) {
            told.push_str(&format!(";{key}={name}"));
        }
    }
    told
}

/// A byte sequence of structured fields (RFC 9651 section 3.3.5).
fn byte_sequence(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

fn pem(der: &[u8]) -> String {
    pem::encode_config(
        &pem::Pem::new("CERTIFICATE", der),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 4514: from the last to the first, its special characters escaped; what no header holds as `?`.
fn name(name: &X509Name<'_>) -> String {
    let registry = x509_parser::objects::oid_registry();
    let parts = name.iter().map(|part| {
        let attributes = part.iter().map(|attribute| {
            let key = x509_parser::objects::oid2abbrev(attribute.attr_type(), registry);
            let key = key.map_or_else(|_| attribute.attr_type().to_id_string(), str::to_owned);
            format!("{key}={}", rfc_4514(attribute.as_str().unwrap_or("?")))
        });
        attributes.collect::<Vec<_>>().join("+")
    });
    let mut parts: Vec<String> = parts.collect();
    parts.reverse();
    parts.join(",")
}

fn rfc_4514(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let at_end = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => escaped.extend(['\\', c]),
            ' ' | '#' if at_end => escaped.extend(['\\', c]),
            ' '..='~' => escaped.push(c),
            c if c.is_ascii() => escaped.push('?'),
            c => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    escaped.push_str(&format!("\\{byte:02X}"));
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClientCertificateHeader;

    #[test]
    fn a_name_cannot_say_more_than_a_name() {
        for (value, expected) in [
            ("anna", "anna"),
            ("Müller, Anna", "M\\C3\\BCller\\, Anna"),
            ("a\",CN=root", "a\\\"\\,CN\\=root"),
            (" a ", "\\ a\\ "),
            ("a\r\nb", "a??b"),
        ] {
            assert_eq!(rfc_4514(value), expected, "{value}");
        }
    }

    #[test]
    fn all_that_can_be_told() {
        let mut params = rcgen::CertificateParams::new(vec!["anna.test".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::OrganizationName, "Home");
        params.distinguished_name.push(rcgen::DnType::CommonName, "anna");
        params.serial_number = Some(vec![1, 0xab].into());
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = params.self_signed(&key).unwrap().der().clone();
        let facts = [
            CertificateFact::Xfcc,
            CertificateFact::Certificate,
            CertificateFact::Chain,
            CertificateFact::Pem,
            CertificateFact::Subject,
            CertificateFact::Issuer,
            CertificateFact::Serial,
            CertificateFact::Fingerprint,
        ];
        let header = |(at, value): (usize, &CertificateFact)| ClientCertificateHeader {
            name: HeaderName::try_from(format!("x-{at}")).unwrap(),
            value: *value,
        };
        let settings = ClientCertificate {
            required: true,
            ca: "ca.pem".into(),
            crl: None,
            revocation: crate::config::Revocation {
                expired_lists: false,
                whole_chain: true,
            },
            headers: facts.iter().enumerate().map(header).collect(),
        };
        let told = |chain: &[CertificateDer<'_>]| -> Vec<(String, String)> {
            let told = headers(&settings, chain).into_iter();
            told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect()
        };
        let alone = told(std::slice::from_ref(&leaf));
        let of = |name: &str| {
            alone
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        let hash = hex(&Sha256::digest(&leaf));
        let xfcc = of("x-0").unwrap();
        assert!(
            xfcc.starts_with(&format!("Hash={hash};Cert=\"-----BEGIN%20CERTIFICATE-----%0A")),
            "{xfcc}"
        );
        assert!(
            xfcc.ends_with("Subject=\"CN=anna,O=Home\";DNS=anna.test"),
            "{xfcc}"
        );
        assert_eq!(of("x-1"), Some(byte_sequence(&leaf).as_str()));
        assert_eq!(of("x-2"), None, "there is nothing above it");
        assert_eq!(
            (of("x-4"), of("x-5")),
            (Some("CN=anna,O=Home"), Some("CN=anna,O=Home"))
        );
        assert_eq!((of("x-6"), of("x-7")), (Some("01ab"), Some(hash.as_str())));
        let chain = told(&[leaf.clone(), leaf.clone()]);
        assert!(chain.contains(&("x-2".to_owned(), byte_sequence(&leaf))));
        assert!(told(&[]).is_empty());
    }
}
