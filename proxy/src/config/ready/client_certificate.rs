//! Certificates that clients of a route show.

use std::path::PathBuf;

use http::HeaderName;

/// A route's `client_certificate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Whether a request without one is refused.
    pub required: bool,
    /// PEM of the CAs that may have signed it.
    pub ca: PathBuf,
    /// PEM of the CAs' lists of revoked certificates.
    pub crl: Option<PathBuf>,
    /// What a certificate is held against in the lists.
    pub revocation: Revocation,
    /// What the upstream is told; taken from what clients send.
    pub headers: Vec<ClientCertificateHeader>,
}

/// How lists of revoked certificates count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// Whether a list counts whose time for the next one is over. Otherwise no certificate of its CA is taken then.
    pub expired_lists: bool,
    /// Whether the certificates between the client's and the CA are looked up as well.
    pub whole_chain: bool,
}

/// A header that tells the upstream of the client's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateHeader {
    /// Its name.
    pub name: HeaderName,
    /// What stands in it.
    pub value: CertificateFact,
}

/// What can be told of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFact {
    /// Hash, certificate, chain, subject and names, as Envoy's X-Forwarded-Client-Cert has them.
    Xfcc,
    /// The certificate, as Client-Cert of RFC 9440 section 2.2 has it.
    Certificate,
    /// What certifies it, as Client-Cert-Chain of RFC 9440 section 2.3 has it.
    Chain,
    /// The certificate in PEM, percent-encoded.
    Pem,
    /// The subject's name (RFC 4514).
    Subject,
    /// The issuer's name (RFC 4514).
    Issuer,
    /// The serial number, hexadecimal.
    Serial,
    /// SHA-256 of the certificate, hexadecimal.
    Fingerprint,
}
