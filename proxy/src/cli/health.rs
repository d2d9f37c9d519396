//! `palisade health`.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::{Failed, load, say};

/// A healthy edge answers within milliseconds; the container's own deadline is longer than this.
const DEADLINE: Duration = Duration::from_secs(3);

/// Asks the admin listener for /healthz.
pub(super) fn run(config: &Path) -> Result<(), Failed> {
    let Some(admin) = load(config)?.listen.admin else {
        return Err(say("[listen].admin is off: there is nothing to ask"));
    };
    let answer = ask(reachable(admin)).map_err(|error| say(format!("{admin}: {error}")))?;
    if answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200") {
        return Ok(());
    }
    Err(say(format!(
        "{admin}: {}",
        answer.lines().next().unwrap_or("no answer")
    )))
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer)
}

/// A listener on all addresses is asked on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
