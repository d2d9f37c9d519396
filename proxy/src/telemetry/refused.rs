//! A request that a listener refused, as far as it got.

use std::net::SocketAddr;

/// The most of a target that is shown: what follows is as malformed.
const LONGEST_PATH: usize = 512;

/// No method is longer.
const LONGEST_METHOD: usize = 32;

/// A request that came to nothing before anybody but its listener heard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRequest {
    /// The socket's other end, or whom its PROXY protocol header names: forwarding headers were not read.
    pub client: SocketAddr,
    /// TLS version, or none on a plain listener.
    pub tls: Option<String>,
    /// The method, if there is something of the kind.
    pub method: String,
    /// The path, as far as there is one.
    pub path: String,
    /// The status sent; 0 if there was no answer.
    pub status: u16,
    /// The word for it in metrics.
    pub reason: &'static str,
    /// More about it.
    pub detail: &'static str,
}

impl RefusedRequest {
    /// One of which these bytes have arrived. Its status is still to be told.
    pub fn new(client: SocketAddr, tls: Option<&str>, sent: &[u8]) -> Self {
        let (method, path) = beginning(sent);
        Self {
            client,
            // The library's `TLSv1_3`, as everybody else writes it.
            tls: tls.map(|version| version.replace('_', ".")),
            method,
            path,
            status: 0,
            reason: "",
            detail: "",
        }
    }
}

/// Method and path, without the query, of what may be a request line.
fn beginning(sent: &[u8]) -> (String, String) {
    let text = sent.trim_ascii_start();
    let line = text
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    if method.len() > LONGEST_METHOD || !method.iter().all(u8::is_ascii_alphanumeric) {
        return (String::new(), String::new());
    }
    let rest = words.next().unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b' ' | b'?' | b'\t'));
    let path = &rest[..end.unwrap_or(rest.len()).min(LONGEST_PATH)];
    (
        String::from_utf8_lossy(method).into_owned(),
        String::from_utf8_lossy(path).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_of_a_request_is_shown_without_its_query() {
        let long = format!("GET /{}", "x".repeat(1000));
        let cut = format!("/{}", "x".repeat(LONGEST_PATH - 1));
        for (sent, method, path) in [
            ("GET /a?password=b HTTP/1.1\r\nHost : a\r\n", "GET", "/a"),
            ("GET /a b HTTP/1.1\r\n", "GET", "/a"),
            ("\r\n\r\nPOST /a", "POST", "/a"),
            ("GET", "GET", ""),
            ("GET  / HTTP/1.1\r\n", "GET", ""),
            ("\u{16}\u{3}\u{1}", "", ""),
            ("G\u{1b}[2J / HTTP/1.1", "", ""),
            ("", "", ""),
            (&long, "GET", &cut),
        ] {
            let wanted = (method.to_owned(), path.to_owned());
            assert_eq!(beginning(sent.as_bytes()), wanted, "{sent:?}");
        }
    }
}
