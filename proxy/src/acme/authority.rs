//! Whether the world can see a challenge: every name server of the zone is asked itself. The machine's own resolver
//! may show another world (split horizon) or an old one (caches); it only helps to find those servers, and even that
//! it does not where resolvers are named in the configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::op::Message;
use hickory_proto::rr::{RData, RecordType};
use tokio::time::Instant;

use super::lookup::{Bootstrap, query};
use crate::nameserver::{AskError, ask};

/// CNAMEs in a row; a CA follows no more either.
const HOPS: usize = 8;

/// For one question to one server.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(10);

/// Whom to ask about challenges.
#[derive(Debug, Clone)]
pub struct Authorities {
    /// Resolvers to find a zone's name servers with.
    pub bootstrap: Bootstrap,
    /// Resolvers to ask instead of a zone's name servers; empty: those.
    pub instead: Vec<SocketAddr>,
    /// The port of name servers: 53, but in tests.
    pub port: u16,
    /// For one question.
    pub patience: Duration,
    /// Between two looks.
    pub pause: Duration,
}

/// Why a name could not be looked up, or is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The resolvers are not known.
    #[error("{path}: {source}")]
    Resolvers {
        /// The file.
        path: PathBuf,
        /// The cause; not found also stands for a file that names none.
        source: io::Error,
    },
    /// No DNS name.
    #[error("`{0}` is no DNS name")]
    Name(String),
    /// None of those that were asked answers.
    #[error("{question}: {}", told(.failures))]
    Silent {
        /// What was asked.
        question: String,
        /// What each of them said.
        failures: Vec<AskError>,
    },
    /// There is no zone.
    #[error("no name servers found for {0}")]
    NoServers(String),
    /// CNAMEs lead in a circle, or too far.
    #[error("CNAMEs lead nowhere: {}", .0.join(" -> "))]
    Loop(Vec<String>),
    /// Not visible everywhere in time.
    #[error("{name} is not visible everywhere after {after:?}: {}", listed(.lacking))]
    Lacking {
        /// The TXT record's name.
        name: String,
        /// How long we waited.
        after: Duration,
        /// Who lacks what.
        lacking: Vec<Lack>,
    },
}

/// What one server lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The server.
    pub server: Server,
    /// The values it does not serve, or why it says nothing.
    pub what: String,
}

/// A name server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Its name; none for a resolver.
    pub name: Option<String>,
    /// Its address.
    pub address: SocketAddr,
}

impl Authorities {
    /// The zones' own name servers, found by this machine's resolvers; or the resolvers that the configuration names.
    pub fn new(instead: Vec<SocketAddr>) -> Self {
        Self {
            bootstrap: Bootstrap::File("/etc/resolv.conf".into()),
            instead,
            port: 53,
            patience: PATIENCE,
            pause: PAUSE,
        }
    }

    /// Where a TXT record of this name has to be written: the end of its CNAMEs.
    pub async fn final_name(&self, name: &str) -> Result<String, LookupError> {
        let mut way = vec![name.to_owned()];
        while way.len() <= HOPS {
            let at = way.last().map_or(name, String::as_str);
            match self.alias(at).await? {
                None => return Ok(at.to_owned()),
                Some(next) if way.contains(&next) => {
                    way.push(next);
                    break;
                }
                Some(next) => way.push(next),
            }
        }
        Err(LookupError::Loop(way))
    }

    /// Returns once every server serves every value under `name`.
    pub async fn await_txt(&self, name: &str, values: &[String], limit: Duration) -> Result<(), LookupError> {
        let begin = Instant::now();
        if self.recursive() {
            // A resolver that is asked too early remembers for long that there was nothing.
            tokio::time::sleep(self.pause.min(limit / 2)).await;
        }
        loop {
            let lacking = self.lacking(name, values).await;
            if matches!(&lacking, Ok(lacking) if lacking.is_empty()) {
                return Ok(());
            }
            if begin.elapsed() + self.pause >= limit {
                return Err(LookupError::Lacking {
                    name: name.to_owned(),
                    after: begin.elapsed(),
                    lacking: lacking?,
                });
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    /// What each server lacks of the values. An IPv6 address that this machine has no way to proves nothing, nor does one
    /// that is silent where another of the same server serves all: half-working IPv6 is common.
    async fn lacking(&self, name: &str, values: &[String]) -> Result<Vec<Lack>, LookupError> {
        let servers = self.servers(name).await?;
        let question = query(name, RecordType::TXT)?;
        let ask = |server: &Server| {
            let address = server.address;
            let question = &question;
            async move { ask(address, question, self.recursive(), self.patience).await }
        };
        let answers = join_all(servers.iter().map(ask)).await;
        let reached = answers
            .iter()
            .any(|answer| !matches!(answer, Err(error) if no_way(error)));
        let serves = |answer: &Result<Message, AskError>| {
            let texts = answer.as_ref().ok().map(texts);
            texts.is_some_and(|texts| missing(values, &texts).is_none())
        };
        let seen = servers.iter().zip(&answers).filter(|(_, answer)| serves(answer));
        let seen: BTreeSet<String> = seen.filter_map(|(server, _)| server.name.clone()).collect();
        let lacks = servers.into_iter().zip(answers).filter_map(|(server, answer)| {
            let what = match answer {
                Ok(answer) => missing(values, &texts(&answer))?,
                Err(error) if reached && no_way(&error) => return None,
                Err(_) if server.name.as_ref().is_some_and(|name| seen.contains(name)) => return None,
                Err(error) => error.to_string(),
            };
            Some(Lack { server, what })
        });
        Ok(lacks.collect())
    }
}

/// TXT values; the strings of one record belong together.
fn texts(answer: &Message) -> Vec<String> {
    let texts = answer.answers.iter().filter_map(|record| match &record.data {
        RData::TXT(text) => Some(text.txt_data.concat()),
        _ => None,
    });
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

fn missing(values: &[String], served: &[String]) -> Option<String> {
    let missing: Vec<_> = values
        .iter()
        .filter(|value| !served.contains(value))
        .map(String::as_str)
        .collect();
    match served.len() {
        _ if missing.is_empty() => None,
        0 => Some("serves no TXT record there".to_owned()),
        count => Some(format!(
            "lacks {} (of {count} TXT records there)",
            missing.join(", ")
        )),
    }
}

/// A home without IPv6 reaches no IPv6 address, whatever is there.
fn no_way(error: &AskError) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(error, AskError::Io { server, source } if server.is_ipv6()
        && matches!(source.kind(), AddrNotAvailable | HostUnreachable | NetworkUnreachable))
}

fn told(failures: &[AskError]) -> String {
    let told: Vec<_> = failures.iter().map(ToString::to_string).collect();
    told.join("; ")
}

fn listed(lacking: &[Lack]) -> String {
    let listed: Vec<_> = lacking
        .iter()
        .map(|lack| format!("{} {}", lack.server, lack.what))
        .collect();
    listed.join("; ")
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

#[cfg(test)]
mod tests;
