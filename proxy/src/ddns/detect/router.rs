//! The router, which knows the address it has outside: UPnP IGD, NAT-PMP (RFC 6886), PCP (RFC 6887).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::pin::pin;
use std::time::Duration;

use crab_nat::pcp::{self, BaseMapRequest};
use crab_nat::{GATEWAY_PORT, InternetProtocol, PortMappingOptions, PortMappingType, TimeoutConfig, natpmp};
use futures_util::future::{Either, select};
use igd_next::aio::tokio::search_gateway;
use igd_next::{GetExternalIpError, RequestError, SearchOptions};
use tokio::net::UdpSocket;

use super::DetectError;
use super::routes::default_route;
use crate::ddns::address::Family;

/// Where routers listen for searches (UPnP Device Architecture, section 1.3).
const SSDP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 1900);

/// What is mapped to learn the address by PCP: nobody listens at discard, and the mapping is taken back at once.
const DISCARD: NonZeroU16 = NonZeroU16::new(9).unwrap();
const LIFETIME: u32 = 10;

/// Of what a router sent, this much is repeated.
const MAX_REASON: usize = 200;

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Router {
    /// The router; the gateway of the default route, and any that answers a search, otherwise.
    pub address: Option<IpAddr>,
    /// Where searches go.
    pub ssdp: SocketAddr,
}

/// One of the ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// UPnP IGD.
    Igd,
    /// NAT-PMP.
    NatPmp,
    /// PCP.
    Pcp,
}

/// Asks in all ways. The first that answers counts: they all ask the same router.
pub async fn detect(family: Family, router: Router, timeout: Duration) -> Result<IpAddr, DetectError> {
    if family == Family::Ipv6 {
        return Err(DetectError::NotTranslated);
    }
    let igd = pin!(igd(router, timeout));
    let mapping = pin!(nat_pmp_or_pcp(router, timeout));
    match select(igd, mapping).await {
        Either::Left((Ok(address), _)) | Either::Right((Ok(address), _)) => Ok(address),
        Either::Left((Err(igd), other)) => other.await.map_err(|mapping| both(igd, mapping)),
        Either::Right((Err(mapping), other)) => other.await.map_err(|igd| both(igd, mapping)),
    }
}

/// Asks in one way only.
pub async fn ask(protocol: Protocol, router: Router, timeout: Duration) -> Result<IpAddr, DetectError> {
    match protocol {
        Protocol::Igd => igd(router, timeout).await,
        Protocol::NatPmp => {
            let asked = natpmp::external_address(router.gateway()?.into(), Some(patience(timeout))).await;
            asked.map(IpAddr::from).map_err(unmapped)
        }
        Protocol::Pcp => pcp(router.gateway()?, patience(timeout)).await,
    }
}

/// That the router has no address outside explains all else that went wrong.
fn both(igd: DetectError, mapping: DetectError) -> DetectError {
    match (igd, mapping) {
        (none @ DetectError::NoneOutside, _) | (_, none @ DetectError::NoneOutside) => none,
        (igd, mapping) => DetectError::All(vec![igd, mapping]),
    }
}

async fn igd(router: Router, timeout: Duration) -> Result<IpAddr, DetectError> {
    let asked = tokio::time::timeout(timeout, async {
        let mut options = SearchOptions::default();
        options.broadcast_address = router.ssdp;
        options.timeout = Some(timeout);
        options.allowed_gateway_ips = router.address.into_iter().collect();
        let gateway = search_gateway(options)
            .await
            .map_err(|error| failed(Protocol::Igd, error))?;
        match router.address {
            Some(asked) if asked != gateway.addr.ip() => {
                let reason = format!("{} answered, not {asked}", gateway.addr.ip());
                Err(failed(Protocol::Igd, reason))
            }
            _ => gateway.get_external_ip().await.map_err(untold),
        }
    });
    asked
        .await
        .unwrap_or_else(|_| Err(failed(Protocol::Igd, format!("no answer within {timeout:?}"))))
}

/// Routers answer with an empty address where the one outside is none, or is private.
fn untold(error: GetExternalIpError) -> DetectError {
    match &error {
        GetExternalIpError::RequestError(RequestError::InvalidResponse(answer))
            if answer.contains("NewExternalIPAddress") =>
        {
            DetectError::NoneOutside
        }
        _ => failed(Protocol::Igd, error),
    }
}

/// NAT-PMP first, because it only asks; PCP knows no question but a mapping (RFC 6887, section 11.6).
async fn nat_pmp_or_pcp(router: Router, timeout: Duration) -> Result<IpAddr, DetectError> {
    // The gateway is looked up once: both ask the same.
    let router = Router {
        address: Some(router.gateway()?),
        ..router
    };
    match ask(Protocol::NatPmp, router, timeout).await {
        Err(first @ DetectError::Router { .. }) => {
            let asked = ask(Protocol::Pcp, router, timeout).await;
            asked.map_err(|second| DetectError::All(vec![first, second]))
        }
        told => told,
    }
}

fn unmapped(error: natpmp::Failure) -> DetectError {
    match error {
        natpmp::Failure::NetworkFailure => DetectError::NoneOutside,
        error => failed(Protocol::NatPmp, error),
    }
}

/// Three packets with 1, 2 and 4 sixteenths of the time, for each of the two protocols.
fn patience(timeout: Duration) -> TimeoutConfig {
    TimeoutConfig {
        initial_timeout: timeout / 16,
        max_retries: 2,
        max_retry_timeout: None,
    }
}

async fn pcp(gateway: IpAddr, patience: TimeoutConfig) -> Result<IpAddr, DetectError> {
    let client = own_address(gateway)
        .await
        .map_err(|error| failed(Protocol::Pcp, error))?;
    let request = BaseMapRequest::new(gateway.into(), client, InternetProtocol::Udp, DISCARD);
    let options = PortMappingOptions {
        external_port: None,
        lifetime_seconds: Some(LIFETIME),
        timeout_config: Some(patience),
    };
    let mapping = pcp::port_mapping(request, None, None, options)
        .await
        .map_err(|error| failed(Protocol::Pcp, error))?;
    match mapping.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => {
            // Without an answer it ends by itself: nothing is waited for.
            tokio::spawn(mapping.try_drop());
            Ok(external_ip)
        }
        PortMappingType::NatPmp => Err(failed(Protocol::Pcp, "NAT-PMP answered")),
    }
}

/// The address that packets to the router carry.
async fn own_address(gateway: IpAddr) -> std::io::Result<IpAddr> {
    let socket = UdpSocket::bind((Family::Ipv4.any(), 0)).await?;
    socket.connect((gateway, GATEWAY_PORT)).await?;
    Ok(socket.local_addr()?.ip())
}

/// What a router sent may be repeated in a reason: it is made short and fit for a line.
fn failed(protocol: Protocol, reason: impl ToString) -> DetectError {
    let reason = reason.to_string();
    let words = reason.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    DetectError::Router {
        protocol,
        reason: words.join(" ").chars().take(MAX_REASON).collect(),
    }
}

impl Router {
    /// The router with this address, or the default gateway.
    pub fn new(address: Option<IpAddr>) -> Self {
        Self { address, ssdp: SSDP }
    }

    /// Whom mappings are asked of.
    fn gateway(&self) -> Result<IpAddr, DetectError> {
        let found = || default_route(Family::Ipv4).and_then(|route| route.gateway);
        self.address
            .or_else(found)
            .ok_or(DetectError::NoRoute(Family::Ipv4))
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Igd => "UPnP IGD",
            Self::NatPmp => "NAT-PMP",
            Self::Pcp => "PCP",
        })
    }
}

#[cfg(test)]
mod tests;
