//! The home's public address, and whether the world can come in by it, as far as that can be told from inside.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;

use super::Finding;
use crate::config::{Config, Detection};
use crate::ddns::address::check;
use crate::ddns::agreement::Verdict;
use crate::ddns::detect::DetectError;
use crate::ddns::detect::router::{self, Router};
use crate::ddns::{Addresses, Family, Outcome};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Nothing to look at where no records are to hold it.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let ddns = &config.ddns;
    let unwanted = ddns.ipv4.is_empty() && ddns.ipv6.is_empty();
    if unwanted || !config.zones.iter().any(|zone| zone.records) {
        return Vec::new();
    }
    let addresses = Addresses::new(ddns.clone(), &config.server.data_dir);
    let guesses = ddns
        .ipv4
        .iter()
        .any(|method| !matches!(method, Detection::Fixed(_)));
    let router = async {
        match guesses {
            true => Some(router::detect(Family::Ipv4, Router::new(ddns.router), ddns.timeout).await),
            false => None,
        }
    };
    let (look, router) = tokio::join!(addresses.look(), router);
    let mut findings: Vec<Finding> = Family::ALL
        .iter()
        .filter_map(|family| found(&look, *family))
        .collect();
    let agreed = agreed(&look, Family::Ipv4);
    findings.extend(router.map(|told| outside(told, agreed)));
    for family in Family::ALL {
        if let Some(address) = self::agreed(&look, family) {
            findings.push(hairpin(SocketAddr::new(address, public_port(config))).await);
        }
    }
    findings
}

fn agreed(look: &Outcome, family: Family) -> Option<IpAddr> {
    match look.of(family)?.verdict {
        Verdict::Publish(address) => Some(address),
        _ => None,
    }
}

fn found(look: &Outcome, family: Family) -> Option<Finding> {
    let found = look.of(family)?;
    let about = format!("{family} address");
    Some(match &found.verdict {
        Verdict::Publish(address) => Finding::good(about, format!("{address} would be published")),
        doubt => Finding::doubtful(
            about,
            doubt.to_string(),
            "`palisade ip` tells what each method of [ddns] says; records stay as they are until they agree",
        ),
    })
}

/// A router whose own address is none that the world could reach makes every forwarding in it useless.
fn outside(told: Result<IpAddr, DetectError>, agreed: Option<IpAddr>) -> Finding {
    let about = "router";
    let mend = "forward the ports in every router on the way; where the provider shares the address (carrier-grade \
                NAT), ask it for one of your own, or use IPv6 or a tunnel";
    match told {
        Ok(address) => match (check(Family::Ipv4, address), agreed) {
            (Err(rejection), _) => Finding::bad(
                about,
                format!("its address outside is {address}: {rejection}"),
                mend,
            ),
            (Ok(()), Some(agreed)) if agreed != address => Finding::doubtful(
                about,
                format!("its address outside is {address}, and the world sees {agreed}"),
                mend,
            ),
            (Ok(()), _) => Finding::good(about, format!("its address outside is {address}")),
        },
        Err(error @ DetectError::NoneOutside) => Finding::bad(about, error.to_string(), mend),
        // Many have that switched off, and nothing depends on it.
        Err(_) => Finding::good(about, "it does not tell its address (UPnP IGD, NAT-PMP, PCP)"),
    }
}

/// Whether somebody answers at the public address: through the router and back, which not every router does.
async fn hairpin(public: SocketAddr) -> Finding {
    let about = format!("reaching {public}");
    let why = match tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(public)).await {
        Ok(Ok(_)) => return Finding::good(about, "something answers, as seen from inside"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {CONNECT_WITHIN:?}"),
    };
    Finding::doubtful(
        about,
        format!("{why}, as seen from inside"),
        "unless the edge is not running: the router does not forward the port, or does not lead back what comes from \
         inside (hairpin NAT); look from outside, with a telephone that is not in the WLAN",
    )
}

/// Where the world connects to: what redirects name, as what is in front may map ports.
fn public_port(config: &Config) -> u16 {
    match config.listen.redirect_port {
        0 => config.listen.https.first().map_or(443, SocketAddr::port),
        port => port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn ddns_a_router_without_a_public_address_is_told() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let table = [
            ("8.8.8.8", Some("8.8.8.8"), Verdict::Good),
            ("8.8.8.8", None, Verdict::Good),
            ("8.8.8.8", Some("9.9.9.9"), Verdict::Doubtful),
            ("100.64.3.4", Some("9.9.9.9"), Verdict::Bad),
            ("192.168.1.2", None, Verdict::Bad),
        ];
        for (told, agreed, expected) in table {
            let found = outside(Ok(address(told)), agreed.map(address));
            assert_eq!(found.verdict, expected, "{told} {agreed:?}: {found}");
        }
        assert_eq!(outside(Err(DetectError::NoneOutside), None).verdict, Verdict::Bad);
        let silent = DetectError::NoRoute(Family::Ipv4);
        assert_eq!(outside(Err(silent), None).verdict, Verdict::Good);
        let cgnat = outside(Ok(address("100.64.3.4")), None).to_string();
        assert!(cgnat.contains("carrier-grade NAT"), "{cgnat}");
    }

    #[tokio::test]
    async fn ddns_whether_somebody_answers_at_the_address_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public = listener.local_addr().unwrap();
        assert_eq!(hairpin(public).await.verdict, Verdict::Good);
        drop(listener);
        let gone = hairpin(public).await;
        assert_eq!(gone.verdict, Verdict::Doubtful);
        assert!(gone.mend.unwrap().contains("hairpin"));
    }
}
