//! Who answers for a name: its zone's name servers and their addresses, and where CNAMEs lead.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RData, RecordType};

use super::authority::{Authorities, LookupError, Server};
use crate::nameserver::ask;

/// Where resolvers are known from.
#[derive(Debug, Clone)]
pub enum Bootstrap {
    /// A file in the form of `/etc/resolv.conf`, read each time: networks change.
    File(PathBuf),
    /// These.
    Fixed(Vec<SocketAddr>),
}

impl Authorities {
    /// Where a CNAME leads from here; the zone's own servers say. The resolvers that are to see the challenge later are
    /// asked nothing about its name now: they would remember for long that there was nothing. Unless none else answers.
    pub(super) async fn alias(&self, name: &str) -> Result<Option<String>, LookupError> {
        let around = match name.split_once('.') {
            Some((_, parent)) if self.recursive() => parent,
            _ => name,
        };
        let question = query(name, RecordType::CNAME)?;
        let answer = match self.ask_authority(around, &question).await {
            Err(_) if self.recursive() => self.first(&self.instead, &question, true).await?,
            answer => answer?,
        };
        Ok(answer.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *question.name() => Some(text(target)),
            _ => None,
        }))
    }

    /// Whom to ask about the records of a name: every address of every name server of the closest zone around it, or
    /// the resolvers of the configuration.
    pub(super) async fn servers(&self, name: &str) -> Result<Vec<Server>, LookupError> {
        let unnamed = |&address: &SocketAddr| Server { name: None, address };
        match self.recursive() {
            true => Ok(self.instead.iter().map(unnamed).collect()),
            false => self.name_servers(name).await,
        }
    }

    /// Resolvers have to ask others, a zone's own servers must not.
    pub(super) fn recursive(&self) -> bool {
        !self.instead.is_empty()
    }

    /// The name servers of a zone, by name, as this machine's resolvers tell them.
    pub async fn delegation(&self, zone: &str) -> Result<Vec<String>, LookupError> {
        self.server_names(zone, &self.bootstrap.resolvers()?).await
    }

    async fn ask_authority(&self, name: &str, question: &Query) -> Result<Message, LookupError> {
        let servers = self.name_servers(name).await?;
        let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
        self.first(&addresses, question, false).await
    }

    async fn name_servers(&self, name: &str) -> Result<Vec<Server>, LookupError> {
        let resolvers = match self.recursive() {
            true => self.instead.clone(),
            false => self.bootstrap.resolvers()?,
        };
        let mut servers = BTreeSet::new();
        for server in self.server_names(name, &resolvers).await? {
            let addresses = self.addresses(&server, &resolvers).await?;
            servers.extend(addresses.into_iter().map(|address| Server {
                name: Some(server.clone()),
                address: (address, self.port).into(),
            }));
        }
        if servers.is_empty() {
            return Err(LookupError::NoServers(name.to_owned()));
        }
        Ok(servers.into_iter().collect())
    }

    /// The NS records of the name, else of its parent, and so on: a challenge's name is seldom a zone.
    async fn server_names(&self, name: &str, resolvers: &[SocketAddr]) -> Result<Vec<String>, LookupError> {
        let mut zone = Some(name);
        while let Some(candidate) = zone {
            let question = query(candidate, RecordType::NS)?;
            let answer = self.first(resolvers, &question, true).await?;
            let names = answer.answers.iter().filter_map(|record| match &record.data {
                RData::NS(server) if record.name == *question.name() => Some(text(server)),
                _ => None,
            });
            let names: Vec<_> = names.collect();
            if !names.is_empty() {
                return Ok(names);
            }
            zone = candidate.split_once('.').map(|(_, parent)| parent);
        }
        Err(LookupError::NoServers(name.to_owned()))
    }

    /// Both kinds; that one cannot be had is no matter if the other can.
    async fn addresses(&self, server: &str, resolvers: &[SocketAddr]) -> Result<Vec<IpAddr>, LookupError> {
        let mut found = Vec::new();
        let mut failed = Ok(());
        for kind in [RecordType::A, RecordType::AAAA] {
            match self.first(resolvers, &query(server, kind)?, true).await {
                Ok(answer) => found.extend(answer.answers.iter().filter_map(|record| match &record.data {
                    RData::A(address) => Some(IpAddr::from(address.0)),
                    RData::AAAA(address) => Some(address.0.into()),
                    _ => None,
                })),
                Err(error) => failed = Err(error),
            }
        }
        match failed {
            Err(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    /// The first answer that one of the servers gives.
    async fn first(
        &self,
        servers: &[SocketAddr],
        question: &Query,
        recursive: bool,
    ) -> Result<Message, LookupError> {
        let mut failures = Vec::new();
        for &server in servers {
            match ask(server, question, recursive, self.patience).await {
                Ok(answer) => return Ok(answer),
                Err(error) => failures.push(error),
            }
        }
        Err(LookupError::Silent {
            question: question.to_string(),
            failures,
        })
    }
}

impl Bootstrap {
    fn resolvers(&self) -> Result<Vec<SocketAddr>, LookupError> {
        let path = match self {
            Self::Fixed(resolvers) => return Ok(resolvers.clone()),
            Self::File(path) => path,
        };
        let failed = |source| LookupError::Resolvers {
            path: path.clone(),
            source,
        };
        let resolvers = resolvers(&std::fs::read_to_string(path).map_err(failed)?);
        if resolvers.is_empty() {
            let reason = "it names no `nameserver`";
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, reason)));
        }
        Ok(resolvers)
    }
}

/// The `nameserver` lines of a resolv.conf.
fn resolvers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let is_one = words.next() == Some("nameserver");
        words.next().filter(|_| is_one)?.parse::<IpAddr>().ok()
    };
    let addresses = text.lines().filter_map(address);
    addresses.map(|address| (address, 53).into()).collect()
}

pub(super) fn query(name: &str, kind: RecordType) -> Result<Query, LookupError> {
    let name = Name::from_ascii(format!("{name}.")).map_err(|_| LookupError::Name(name.to_owned()))?;
    Ok(Query::query(name, kind))
}

fn text(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_resolvers_are_read_from_resolv_conf() {
        let text = "# local\nnameserver 192.0.2.1\nsearch lan\n nameserver\t2001:db8::1 # six\nnameserver nonsense\n";
        let expected = ["192.0.2.1:53", "[2001:db8::1]:53"].map(|address| address.parse().unwrap());
        assert_eq!(resolvers(text), expected);
    }
}
