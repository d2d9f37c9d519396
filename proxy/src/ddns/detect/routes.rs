//! The default route, from what the kernel shows in `/proc/self/net`: a unit with `ProcSubset=pid` has no other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ddns::address::Family;

/// Flags of a route (linux/route.h).
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// Where packets to the internet go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefaultRoute {
    /// The interface.
    pub interface: String,
    /// The router; none on a line without one, such as PPP or a tunnel.
    pub gateway: Option<IpAddr>,
}

/// The default route of this family.
pub fn default_route(family: Family) -> Option<DefaultRoute> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    match family {
        Family::Ipv4 => best(read("/proc/self/net/route").lines().filter_map(ipv4)),
        Family::Ipv6 => best(read("/proc/self/net/ipv6_route").lines().filter_map(ipv6)),
    }
}

/// The one with the lowest metric, as the kernel chooses.
fn best(routes: impl Iterator<Item = (u32, DefaultRoute)>) -> Option<DefaultRoute> {
    routes.min().map(|(_, route)| route)
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`; addresses in hexadecimal as they lie in memory.
fn ipv4(line: &str) -> Option<(u32, DefaultRoute)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [interface, destination, gateway, flags, _, _, metric, mask, ..] = columns.as_slice() else {
        return None;
    };
    let everything = [destination, mask].iter().all(|column| **column == "00000000");
    let gateway = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
    let route = route(interface, gateway.into());
    (everything && usable(flags)?).then_some((metric.parse().ok()?, route))
}

/// `destination length source length gateway metric RefCnt Use flags interface`, all numbers in hexadecimal.
fn ipv6(line: &str) -> Option<(u32, DefaultRoute)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [_, length, _, "00", gateway, metric, _, _, flags, interface] = columns.as_slice() else {
        return None;
    };
    let gateway = Ipv6Addr::from(u128::from_str_radix(gateway, 16).ok()?);
    let route = route(interface, gateway.into());
    (*length == "00" && usable(flags)?).then_some((u32::from_str_radix(metric, 16).ok()?, route))
}

fn usable(flags: &str) -> Option<bool> {
    let flags = u32::from_str_radix(flags, 16).ok()?;
    Some(flags & UP != 0 && flags & REJECT == 0)
}

fn route(interface: &str, gateway: IpAddr) -> DefaultRoute {
    DefaultRoute {
        interface: interface.to_owned(),
        gateway: Some(gateway).filter(|gateway| !gateway.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn ddns_the_ipv4_route_with_the_lowest_metric_counts() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
            eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
            eth1\t00000000\t0103A8C0\t0203\t0\t0\t1\t00000000\t0\t0\t0\n\
            eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n";
        let found = best(table.lines().filter_map(ipv4)).unwrap();
        assert_eq!(found, route("eth0", [192, 168, 2, 1].into()));
        assert_eq!(
            best(
                "ppp0 00000000 00000000 0001 0 0 0 00000000"
                    .lines()
                    .filter_map(ipv4)
            )
            .unwrap()
            .gateway,
            None
        );
        assert_eq!(best("".lines().filter_map(ipv4)), None);
    }

    #[test]
    fn ddns_the_ipv6_route_that_leads_nowhere_does_not_count() {
        let zero = "0".repeat(32);
        let table = format!(
            "20010db8000000000000000000000000 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001     eth0\n\
             {zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        );
        let found = best(table.lines().filter_map(ipv6)).unwrap();
        assert_eq!(found, route("eth0", "fe80::1".parse().unwrap()));
    }
}
