//! Asking a running edge's admin listener.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::{Failed, load, say};
use crate::admin::RETRY_PATH;

/// A healthy edge answers within milliseconds; a container's own deadline is longer than this.
const DEADLINE: Duration = Duration::from_secs(3);

/// More than a thousand certificates have to tell.
const LONGEST: u64 = 4 << 20;

/// The body of a 200 answer to `path`.
pub(super) fn ask(config: &Path, path: &str) -> Result<String, Failed> {
    send(config, "GET", path)
}

/// Has certificates tried again, all or the one of this name.
pub(super) fn retry(config: &Path, name: Option<&str>) -> Result<String, Failed> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if name.is_some_and(|name| !name.bytes().all(fits)) {
        return Err(say(
            "a certificate is called as in `certificates` of [[zones]], such as example.com",
        ));
    }
    let query = name.map(|name| format!("?name={name}")).unwrap_or_default();
    send(config, "POST", &format!("{RETRY_PATH}{query}"))
}

/// The body of a good answer to another method.
pub(super) fn send(config: &Path, method: &str, path: &str) -> Result<String, Failed> {
    let Some(admin) = load(config)?.listen.admin else {
        return Err(say("[listen].admin is off: there is nothing to ask"));
    };
    let answer = exchange(reachable(admin), method, path)
        .map_err(|error| say(format!("{admin}: {error}; is the edge running?")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.0 200") {
        return Ok(body.to_owned());
    }
    let told = if method == "GET" { "" } else { body.trim_end() };
    let status = head.lines().next().unwrap_or("no answer");
    Err(say(format!("{admin}: {status} {told}").trim_end()))
}

fn exchange(address: SocketAddr, method: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
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
