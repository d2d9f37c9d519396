//! Alternate chains (RFC 8555, section 7.4.2): a CA that is cross-signed has several, and old clients know one root only.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::account::Ca;

impl Ca {
    /// The chain that leads to the root of this name; `first`, which came with the order, if it does, or none does.
    pub(super) async fn preferred(&self, first: String, root: Option<&str>) -> String {
        let Some(root) = root else {
            return first;
        };
        if leads_to(&first, root) {
            return first;
        }
        for url in self.http.alternates() {
            let chain = self.chain(url).await;
            if let Some(chain) = chain.filter(|chain| leads_to(chain, root)) {
                return chain;
            }
        }
        tracing::warn!(root, "the CA has no chain to this root; its first one serves");
        first
    }

    /// The library has no question for a chain but its order's own. It asks for an order there, signed as the CA wants
    /// it; what comes is none, which is an error to the library, and a chain to our client.
    async fn chain(&self, url: String) -> Option<String> {
        self.http.take_chain();
        let _ = self.account.order(url).await;
        self.http.take_chain()
    }
}

/// Whether the last certificate was signed by a root of this common name, or is that root.
fn leads_to(chain: &str, root: &str) -> bool {
    let Some(Ok(last)) = CertificateDer::pem_slice_iter(chain.as_bytes()).last() else {
        return false;
    };
    let Ok((_, last)) = X509Certificate::from_der(&last) else {
        return false;
    };
    let names = [last.issuer(), last.subject()];
    let mut names = names.into_iter().flat_map(|name| name.iter_common_name());
    names.any(|name| name.as_str().is_ok_and(|name| name == root))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, Issuer, KeyPair};

    use super::*;

    #[test]
    fn certificates_a_chain_leads_to_who_signed_its_last() {
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "Root One");
        let issuer = Issuer::new(ca, ca_key);
        let leaf = CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        let chain = leaf.signed_by(&key, &issuer).unwrap().pem();
        assert!(leads_to(&chain, "Root One"));
        for other in ["Root", "root one", ""] {
            assert!(!leads_to(&chain, other), "{other}");
        }
        assert!(!leads_to("no chain", "Root One"));
    }
}
