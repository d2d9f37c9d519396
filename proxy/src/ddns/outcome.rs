//! What one look at the address found, as data: for the records, the status page and `palisade ip`.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::ddns::address::Family;
use crate::ddns::agreement::{Answer, Verdict};
use crate::ddns::known::Agreed;

/// One look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Of IPv4; `None`: no method is configured, its records are none of our business.
    pub ipv4: Option<Found>,
    /// Of IPv6, likewise.
    pub ipv6: Option<Found>,
}

/// What was found of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What is to be done.
    pub verdict: Verdict,
    /// Since when that address is the one that was agreed on.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Whether methods agreed on it in this process, now or before. What was only read from a file may be of another
    /// day.
    pub confirmed: bool,
    /// What each method said, as they are configured.
    pub methods: Vec<Said>,
}

/// What one method said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// As it is written in the configuration.
    pub method: String,
    /// What it said.
    pub answer: Answer,
    /// How long it took.
    #[serde(rename = "milliseconds", serialize_with = "milliseconds")]
    pub took: Duration,
}

impl Outcome {
    /// What was found of this family.
    pub fn of(&self, family: Family) -> Option<&Found> {
        match family {
            Family::Ipv4 => self.ipv4.as_ref(),
            Family::Ipv6 => self.ipv6.as_ref(),
        }
    }

    /// The address that this family's records are to hold; only one that was agreed on in this process. Without one they are to be left as they are: `None` is
    /// never a reason to delete.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        let found = self.of(family)?;
        // An old address would be worse than what records hold: another instance may have written those since.
        found.verdict.address().filter(|_| found.confirmed)
    }

    /// What methods agreed on in this look, if they did.
    pub(super) fn agreed(&self, family: Family) -> Option<Agreed> {
        let found = self.of(family)?;
        match (&found.verdict, found.since) {
            (Verdict::Publish(address), Some(since)) => Some(Agreed {
                address: *address,
                since,
            }),
            _ => None,
        }
    }

    /// Whether there is no doubt about anything that is configured.
    pub fn is_certain(&self) -> bool {
        let mut found = Family::ALL.iter().filter_map(|family| self.of(*family));
        found.all(|found| matches!(found.verdict, Verdict::Publish(_)))
    }

    /// Each family's verdict in one line, for notes and logs.
    pub fn summary(&self) -> String {
        let families = Family::ALL.iter();
        let verdicts: Vec<String> = families
            .filter_map(|family| Some(format!("{family}: {}", self.of(*family)?.verdict)))
            .collect();
        verdicts.join("; ")
    }
}

impl Found {
    /// What each method said, in one line.
    pub(super) fn said(&self) -> String {
        let said = self
            .methods
            .iter()
            .map(|said| format!("{}: {}", said.method, said.answer));
        said.collect::<Vec<String>>().join("; ")
    }
}

/// For people: a line for each family, and one for each method.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for family in Family::ALL {
            match self.of(family) {
                Some(found) => write!(f, "{family}: {found}")?,
                None => writeln!(
                    f,
                    "{family}: no method is configured, records are left as they are"
                )?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        if let Some(since) = self.since.and_then(|since| since.format(&Rfc3339).ok()) {
            write!(f, " (known since {since})")?;
        }
        if self.verdict.address().is_some() && !self.confirmed {
            write!(f, ", not agreed on since the start: records are left as they are")?;
        }
        writeln!(f)?;
        let width = self
            .methods
            .iter()
            .map(|said| said.method.len())
            .max()
            .unwrap_or(0);
        for said in &self.methods {
            writeln!(f, "  {:width$}  {}", said.method, said.answer)?;
        }
        Ok(())
    }
}

fn milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(took.as_millis())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ddns::address::Rejection;
    use crate::ddns::agreement::Doubt;

    fn said(method: &str, answer: Answer) -> Said {
        Said {
            method: method.to_owned(),
            answer,
            took: Duration::from_millis(12),
        }
    }

    fn outcome() -> Outcome {
        let address = IpAddr::from([8, 8, 8, 8]);
        let methods = vec![
            said("https", Answer::Address(address)),
            said("dns", Answer::Failed("no answer within 5s".to_owned())),
            said(
                "router",
                Answer::Rejected([100, 64, 1, 1].into(), Rejection::SharedByProvider),
            ),
        ];
        let doubt = Doubt::TooFew {
            address,
            said: 1,
            needed: 2,
        };
        Outcome {
            at: OffsetDateTime::UNIX_EPOCH,
            ipv4: Some(Found {
                verdict: Verdict::Keep(address, doubt),
                since: Some(OffsetDateTime::UNIX_EPOCH),
                confirmed: true,
                methods,
            }),
            ipv6: None,
        }
    }

    #[test]
    fn ddns_an_outcome_reads_as_text() {
        let expected = "\
IPv4: keep 8.8.8.8: 1 of 2 methods that have to agree said 8.8.8.8 (known since 1970-01-01T00:00:00Z)
  https   8.8.8.8
  dns     no answer: no answer within 5s
  router  100.64.1.1, rejected: carrier-grade NAT: the provider shares one address among customers, so port \
forwarding cannot work; ask it for an address of your own, or use IPv6 or a tunnel
IPv6: no method is configured, records are left as they are
";
        assert_eq!(outcome().to_string(), expected);
        assert!(!outcome().is_certain());
    }

    #[test]
    fn ddns_an_outcome_reads_as_json() {
        let found = serde_json::to_value(outcome()).unwrap();
        assert_eq!(found["at"], "1970-01-01T00:00:00Z");
        assert_eq!(found["ipv6"], json!(null));
        assert_eq!(found["ipv4"]["verdict"]["is"], "keep");
        assert_eq!(found["ipv4"]["verdict"]["address"], "8.8.8.8");
        assert_eq!(
            found["ipv4"]["methods"][0],
            json!({"method": "https", "answer": {"is": "address", "address": "8.8.8.8"}, "milliseconds": 12})
        );
        assert_eq!(found["ipv4"]["methods"][2]["answer"]["is"], "rejected");
    }
}
