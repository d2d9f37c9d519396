//! What others see of the certificates: what serves, and how each of them is.

use std::sync::Arc;

use tokio::sync::watch;

use super::plan::Held;
use super::status::CertificateStatus;
use crate::certs::{Entry, stand_in};

/// What others see.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// What serves, in the order of the configuration: certificates, then what stands in for those to come.
    pub entries: Vec<Entry>,
    /// How each of them is.
    pub certificates: Vec<CertificateStatus>,
}

/// Makes the view, certificate by certificate.
pub(super) struct Showcase {
    exhibits: Vec<Exhibit>,
    stand_ins: bool,
    view: watch::Sender<Arc<View>>,
}

/// One certificate.
struct Exhibit {
    certificate: Option<(Entry, Held)>,
    /// For the names that the certificate lacks; made once, for each start has its own.
    stand_in: Option<Entry>,
    status: CertificateStatus,
}

impl Showcase {
    /// Empty; with `stand_ins`, self-signed certificates serve the names that have no other.
    pub(super) fn new(stand_ins: bool) -> Self {
        Self {
            exhibits: Vec::new(),
            stand_ins,
            view: watch::Sender::new(Arc::default()),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<View>> {
        self.view.subscribe()
    }

    pub(super) fn set_stand_ins(&mut self, stand_ins: bool) {
        self.stand_ins = stand_ins;
    }

    /// Shows nothing any more of the other names.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.exhibits.retain(|exhibit| is_wanted(&exhibit.status.name));
        self.publish();
    }

    /// Whether there is an exhibit of this name.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.exhibits.iter().any(|exhibit| exhibit.status.name == name)
    }

    /// Shows one certificate; returns whether what serves has changed.
    pub(super) fn show(&mut self, certificate: Option<(Entry, Held)>, status: CertificateStatus) -> bool {
        let before = self
            .exhibits
            .iter()
            .position(|exhibit| exhibit.status.name == status.name);
        let known = before.and_then(|at| self.exhibits[at].stand_in.clone());
        let covered = certificate
            .as_ref()
            .is_some_and(|(_, held)| held.covers(&status.names));
        let stand_in = match covered || !self.stand_ins {
            true => None,
            false => known.or_else(|| self_signed(&status)),
        };
        let exhibit = Exhibit {
            certificate,
            stand_in,
            status,
        };
        let changed = match before {
            Some(at) => {
                let serves = self.exhibits[at].serves();
                self.exhibits[at] = exhibit;
                serves != self.exhibits[at].serves()
            }
            None => {
                self.exhibits.push(exhibit);
                true
            }
        };
        self.publish();
        changed
    }

    /// Changes how one certificate is.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut CertificateStatus)) {
        let exhibit = self
            .exhibits
            .iter_mut()
            .find(|exhibit| exhibit.status.name == name);
        if let Some(exhibit) = exhibit {
            change(&mut exhibit.status);
        }
        self.publish();
    }

    /// A certificate comes before every stand-in: the first that names a host answers for it.
    fn publish(&self) {
        let certificates = self
            .exhibits
            .iter()
            .filter_map(|exhibit| Some(&exhibit.certificate.as_ref()?.0));
        let stand_ins = self
            .exhibits
            .iter()
            .filter_map(|exhibit| exhibit.stand_in.as_ref());
        self.view.send_replace(Arc::new(View {
            entries: certificates.chain(stand_ins).cloned().collect(),
            certificates: self
                .exhibits
                .iter()
                .map(|exhibit| exhibit.status.clone())
                .collect(),
        }));
    }
}

impl Exhibit {
    /// What tells one thing that serves from another.
    fn serves(&self) -> (Option<String>, bool) {
        let serial = self.certificate.as_ref().map(|(_, held)| held.serial.clone());
        (serial, self.stand_in.is_some())
    }
}

fn self_signed(status: &CertificateStatus) -> Option<Entry> {
    let certificate = &status.name;
    match stand_in(&status.names) {
        Ok(entry) => {
            tracing::warn!(
                %certificate,
                "a self-signed certificate serves until the CA's is there: browsers warn of it"
            );
            Some(entry)
        }
        Err(error) => {
            tracing::error!(%certificate, %error, "no stand-in");
            None
        }
    }
}
