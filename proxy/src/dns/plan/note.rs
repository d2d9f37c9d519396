//! What a plan leaves undone, and why.

use std::fmt;

use crate::dns::{Kind, MarkProblem};

/// What is left undone, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// Records are there, and are another's or nobody's.
    NotOurs {
        /// The name.
        host: String,
        /// The kind.
        kind: Kind,
        /// Whose, if somebody says so.
        owner: Option<String>,
    },
    /// A record of another kind is there and not ours, so none is added beside it.
    Taken {
        /// The name.
        host: String,
        /// What should be made.
        kind: Kind,
        /// What is there.
        by: Kind,
    },
    /// The name belongs to other name servers.
    Delegated {
        /// The name.
        host: String,
        /// What should be made.
        kind: Kind,
    },
    /// A record of ours is in the way that the policy keeps.
    Kept {
        /// The name.
        host: String,
        /// What should be made.
        kind: Kind,
        /// What is there.
        by: Kind,
    },
    /// The record could not be marked as ours.
    Unmarkable {
        /// The name.
        host: String,
        /// What should be made.
        kind: Kind,
        /// Why.
        problem: MarkProblem,
    },
    /// A host should point to itself.
    Itself {
        /// The name.
        host: String,
    },
    /// Two routes want different records for a host; the first has its way.
    Differ {
        /// The name.
        host: String,
        /// Whose wish counts.
        first: String,
        /// Whose does not.
        other: String,
    },
    /// The address is not known now; records of this kind stay as they are.
    AddressUnknown {
        /// The kind.
        kind: Kind,
    },
    /// A new zone of the free plan holds no more than `quota` records.
    NearQuota {
        /// How many there are, or will be.
        records: usize,
        /// How many there can be.
        quota: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs { host, kind, owner } => match owner {
                Some(owner) => write!(f, "{kind} {host} belongs to `{owner}`: left as it is"),
                None => write!(f, "{kind} {host} is there and not ours: left as it is"),
            },
            Self::Taken { host, kind, by } => {
                write!(f, "no {kind} {host}: there is a record {by} that is not ours")
            }
            Self::Delegated { host, kind } => {
                write!(f, "no {kind} {host}: NS records give the name to other servers")
            }
            Self::Kept { host, kind, by } => write!(f, "no {kind} {host}: the record {by} is kept"),
            Self::Unmarkable { host, kind, problem } => write!(f, "no {kind} {host}: {problem}"),
            Self::Itself { host } => write!(f, "{host} would point to itself: left as it is"),
            Self::Differ { host, first, other } => write!(
                f,
                "the routes `{first}` and `{other}` want different records for {host}: `{first}` has its way"
            ),
            Self::AddressUnknown { kind } => {
                write!(
                    f,
                    "the address for {kind} records is not known now: they stay as they are"
                )
            }
            Self::NearQuota { records, quota } => write!(
                f,
                "the zone comes to {records} records; a new one of the free plan holds {quota} (a host takes two)"
            ),
        }
    }
}
