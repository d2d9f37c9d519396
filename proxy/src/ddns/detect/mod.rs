//! How the public address is found: one method per file, each asking somebody else.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::config::{Ddns, Detection};
use crate::ddns::address::{Family, Unreadable};
use crate::nameserver::AskError;
use router::Router;

pub mod dns;
mod doh;
pub mod https;
pub mod interface;
pub mod router;
pub mod routes;

/// What this method finds. What it finds is not looked at yet.
pub async fn detect(method: &Detection, family: Family, ddns: &Ddns) -> Result<IpAddr, DetectError> {
    match method {
        Detection::Https => https::detect(family, &ddns.trace, ddns.timeout).await,
        Detection::Dns => dns::detect(family, &ddns.whoami, ddns.timeout).await,
        Detection::Router => router::detect(family, Router::new(ddns.router), ddns.timeout).await,
        Detection::Interface(name) => interface::detect(family, name.as_deref()),
        Detection::Fixed(address) => Ok(*address),
    }
}

/// Why a method found no address.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// Nobody could be asked over this family.
    #[error("nothing that could be asked over {0} is configured")]
    NoSource(Family),
    /// None of several had it.
    #[error("{}", every(.0))]
    All(Vec<DetectError>),
    /// A page did not come.
    #[error("{url}: {reason}")]
    Http {
        /// The page.
        url: String,
        /// What happened, with its causes.
        reason: String,
    },
    /// A page came that is not what Cloudflare's trace page looks like.
    #[error("{url}: {fault}")]
    Trace {
        /// The page.
        url: String,
        /// What is wrong with it.
        fault: https::TraceFault,
    },
    /// A name server did not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A name server's answer tells no address.
    #[error("{0} answered without telling who asked")]
    Untold(String),
    /// The router did not tell.
    #[error("{protocol}: {reason}")]
    Router {
        /// How it was asked.
        protocol: router::Protocol,
        /// What happened.
        reason: String,
    },
    /// The router answers, but has nothing to tell.
    #[error(
        "the router has no public address itself: its line is down, or there is another NAT behind it (a second \
         router, or the provider's carrier-grade NAT, with which port forwarding cannot work)"
    )]
    NoneOutside,
    /// The router was asked for an IPv6 address.
    #[error("IPv6 is not translated, so a router has no address for its hosts: ask \"interface\"")]
    NotTranslated,
    /// There is no way out.
    #[error("there is no default route for {0}")]
    NoRoute(Family),
    /// The interface has none.
    #[error("{name} has no {family} address")]
    NoAddress {
        /// The interface.
        name: String,
        /// What was looked for.
        family: Family,
    },
    /// The system does not tell its addresses.
    #[error("the addresses of this host: {0}")]
    Interfaces(#[source] io::Error),
    /// What was told is no address.
    #[error("{from} told {cause}")]
    Unreadable {
        /// Who told it.
        from: String,
        /// What it was.
        cause: Unreadable,
    },
}

fn every(errors: &[DetectError]) -> String {
    let errors: Vec<String> = errors.iter().map(DetectError::to_string).collect();
    errors.join("; ")
}

/// The first answer of several that are asked in order. Each has its share of the time, to which `ask` holds: one that
/// is silent must not keep the next from being asked.
async fn first<S, T, A: Future<Output = Result<T, DetectError>>>(
    family: Family,
    sources: Vec<S>,
    timeout: Duration,
    ask: impl Fn(S, Duration) -> A,
) -> Result<T, DetectError> {
    let patience = timeout / u32::try_from(sources.len().max(1)).unwrap_or(u32::MAX);
    let mut errors = Vec::new();
    for source in sources {
        match ask(source, patience).await {
            Ok(found) => return Ok(found),
            Err(error) => errors.push(error),
        }
    }
    Err(match errors.len() {
        0 => DetectError::NoSource(family),
        1 => errors.remove(0),
        _ => DetectError::All(errors),
    })
}
