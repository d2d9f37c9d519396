//! What a TLS handshake told of its client.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::ClientTrust;

/// What a TLS handshake told of its client; kept with the connection's facts, in the `extension` of its TLS digest.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The name that it asked for (SNI), in lower case.
    pub server_name: Option<Box<str>>,
    /// Its own certificate, which was verified, and those that signed it, one the next.
    pub certificates: Vec<CertificateDer<'static>>,
    /// What it was verified by; none where no certificate was asked for.
    pub trust: Option<Arc<ClientTrust>>,
}

impl Peer {
    /// Of what was shown in a handshake, the client's own certificate first.
    pub fn new(
        server_name: Option<&str>,
        shown: &[CertificateDer<'static>],
        trust: Option<Arc<ClientTrust>>,
    ) -> Self {
        Self {
            server_name: server_name.map(Into::into),
            certificates: path(shown),
            trust,
        }
    }
}

/// A verifier looks for a way from the first certificate to a CA and passes over the rest: whatever a client adds to it
/// nobody vouches for, and nobody is told of it.
fn path(shown: &[CertificateDer<'static>]) -> Vec<CertificateDer<'static>> {
    let Some((leaf, others)) = shown.split_first() else {
        return Vec::new();
    };
    let mut path = vec![leaf.clone()];
    let mut left: Vec<_> = others.iter().filter_map(|der| Some((der, read(der)?))).collect();
    let mut last = read(leaf);
    while let Some(signed) = last {
        let signer = left.iter().position(|(_, other)| has_signed(other, &signed));
        last = signer.map(|place| {
            let (der, signer) = left.swap_remove(place);
            path.push(der.clone());
            signer
        });
    }
    path
}

fn read<'d>(der: &'d CertificateDer<'_>) -> Option<X509Certificate<'d>> {
    X509Certificate::from_der(der).ok().map(|(_, read)| read)
}

fn has_signed(signer: &X509Certificate<'_>, signed: &X509Certificate<'_>) -> bool {
    signer.subject().as_raw() == signed.issuer().as_raw()
        && signed.verify_signature(Some(signer.public_key())).is_ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    type Ca = CertifiedIssuer<'static, KeyPair>;

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn root(name: &str) -> Ca {
        CertifiedIssuer::self_signed(params(name), KeyPair::generate().unwrap()).unwrap()
    }

    fn der(ca: &Ca) -> CertificateDer<'static> {
        ca.der().clone()
    }

    #[test]
    fn nobody_is_told_of_certificates_that_have_signed_nothing() {
        let root = root("CA");
        let between =
            CertifiedIssuer::signed_by(params("between"), KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = params("leaf").signed_by(&key, &between).unwrap().der().clone();
        let (stranger, namesake) = (self::root("Admins CA"), self::root("between"));
        for (shown, told) in [
            (vec![], vec![]),
            (vec![leaf.clone()], vec![leaf.clone()]),
            (
                vec![leaf.clone(), der(&between), der(&root)],
                vec![leaf.clone(), der(&between), der(&root)],
            ),
            // Another's, and one of the right name that somebody made.
            (
                vec![leaf.clone(), der(&stranger), der(&namesake), der(&between)],
                vec![leaf.clone(), der(&between)],
            ),
            (vec![leaf.clone(), der(&namesake)], vec![leaf.clone()]),
            (
                vec![CertificateDer::from(vec![0])],
                vec![CertificateDer::from(vec![0])],
            ),
        ] {
            assert_eq!(Peer::new(None, &shown, None).certificates, told);
        }
    }
}
