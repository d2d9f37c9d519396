//! A web page that tells who asks: Cloudflare's `cdn-cgi/trace`, lines of `key=value`.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::{DetectError, interface};
use crate::causes::Causes;
use crate::ddns::address::{self, Family, Unreadable};

/// A trace page has some 300 bytes.
const MAX_BODY: usize = 8 * 1024;

/// What is wrong with a page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceFault {
    /// A portal's login page, or a redirect to one.
    #[error("status {0}")]
    Status(StatusCode),
    /// It is no trace page.
    #[error("more than {MAX_BODY} bytes, so no trace page")]
    TooLong,
    /// Another host answered.
    #[error("it is the page of {told:?}, not of {host:?}")]
    Host {
        /// What was asked.
        host: String,
        /// The page's `h`.
        told: String,
    },
    /// What it tells is the address that WARP, Cloudflare's VPN, leaves from.
    #[error("the question went through WARP, so its answer is WARP's address")]
    Warp,
    /// No line `ip=`.
    #[error("it tells no address")]
    NoAddress,
    /// It tells something else.
    #[error("it tells {0}")]
    Unreadable(#[from] Unreadable),
}

/// Asks the pages in order; the first that answers counts. The request goes out over this family alone, so the page
/// sees the address of this family.
pub async fn detect(family: Family, pages: &[String], timeout: Duration) -> Result<IpAddr, DetectError> {
    let client = client(family).map_err(|error| DetectError::Http {
        url: "https".to_owned(),
        reason: Causes(&error).to_string(),
    })?;
    let ask = |page, patience| told(client.clone(), page, patience);
    super::first(family, pages.to_vec(), timeout, ask).await
}

async fn told(client: Client, page: String, patience: Duration) -> Result<IpAddr, DetectError> {
    let late = |_| DetectError::Http {
        url: page.clone(),
        reason: format!("no answer within {patience:?}"),
    };
    let fetched = tokio::time::timeout(patience, fetch(&client, &page)).await;
    let (url, body) = fetched.map_err(late)??;
    let host = url.host_str().unwrap_or_default();
    read(&body, host).map_err(|fault| DetectError::Trace {
        url: page.clone(),
        fault,
    })
}

/// A client of its own for each look: a connection that is kept may have been made before the address changed.
pub(super) fn client(family: Family) -> reqwest::Result<Client> {
    Client::builder()
        .local_address(source(family))
        // The page would tell a proxy's address.
        .no_proxy()
        .redirect(Policy::none())
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Of IPv6, the address that lasts: the system would choose a temporary one (RFC 8981), and the page would tell that.
fn source(family: Family) -> IpAddr {
    let lasting = || interface::detect(Family::Ipv6, None).ok();
    match family {
        Family::Ipv4 => family.any(),
        Family::Ipv6 => lasting()
            .filter(|address| address::check(family, *address).is_ok())
            .unwrap_or(family.any()),
    }
}

async fn fetch(client: &Client, page: &str) -> Result<(Url, Vec<u8>), DetectError> {
    let failed = |error: reqwest::Error| DetectError::Http {
        url: page.to_owned(),
        reason: Causes(&error.without_url()).to_string(),
    };
    let odd = |fault| DetectError::Trace {
        url: page.to_owned(),
        fault,
    };
    let mut response = client.get(page).send().await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(odd(TraceFault::Status(response.status())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(odd(TraceFault::TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.url().clone(), body))
}

/// The address that a trace page of `host` tells.
fn read(body: &[u8], host: &str) -> Result<IpAddr, TraceFault> {
    let body = String::from_utf8_lossy(body);
    let value = |key: &str| {
        let lines = body.lines().filter_map(|line| line.split_once('='));
        lines
            .into_iter()
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value)
    };
    // A portal that answers for every host has a page of another host, or none of this form.
    match value("h") {
        Some(told) if told.eq_ignore_ascii_case(host) => {}
        told => {
            return Err(TraceFault::Host {
                host: host.to_owned(),
                told: told.unwrap_or_default().chars().take(64).collect(),
            });
        }
    }
    if value("warp").is_some_and(|warp| warp != "off") {
        return Err(TraceFault::Warp);
    }
    Ok(address::read(value("ip").ok_or(TraceFault::NoAddress)?)?)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(2);

    const PAGE: &str = "fl=1f1\nh=127.0.0.1\nip=8.8.8.8\nts=1\nvisit_scheme=https\nwarp=off\nkex=X25519\n";

    /// A server that answers each request with these bytes, or with silence; returns the page's URL.
    async fn serve(bind: &str, response: Option<String>) -> String {
        let listener = TcpListener::bind(bind).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let response = response.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 2048]).await;
                    match response {
                        Some(response) => drop(stream.write_all(response.as_bytes()).await),
                        None => std::future::pending().await,
                    }
                });
            }
        });
        format!("http://{address}/cdn-cgi/trace")
    }

    fn page(body: &str) -> Option<String> {
        Some(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    async fn told(response: Option<String>) -> String {
        let url = serve("127.0.0.1:0", response).await;
        let error = detect(Family::Ipv4, &[url], TIMEOUT).await.unwrap_err();
        error.to_string()
    }

    #[tokio::test]
    async fn ddns_https_reads_a_trace_page() {
        let url = serve("127.0.0.1:0", page(PAGE)).await;
        let found = detect(Family::Ipv4, &[url], TIMEOUT).await.unwrap();
        assert_eq!(found, IpAddr::from([8, 8, 8, 8]));
    }

    #[tokio::test]
    async fn ddns_https_passes_over_pages_that_are_none() {
        let portal = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/login\r\nContent-Length: 0\r\n\r\n";
        let table = [
            (Some(portal.to_owned()), "status 302"),
            (
                page("<html>log in</html>"),
                "it is the page of \"\", not of \"127.0.0.1\"",
            ),
            (page(&PAGE.replace("h=127.0.0.1", "h=evil.test")), "\"evil.test\""),
            (page(&PAGE.replace("warp=off", "warp=on")), "WARP"),
            (page(&PAGE.replace("warp=off", "warp=plus")), "WARP"),
            (page(&PAGE.replace("ip=", "pi=")), "no address"),
            (
                page(&PAGE.replace("8.8.8.8", "8.8.8.8.8")),
                "\"8.8.8.8.8\" is no address",
            ),
            (page(&PAGE.replace("8.8.8.8", "fe80::1%eth0")), "one link only"),
            (page(&format!("{PAGE}{}", "x".repeat(MAX_BODY))), "more than"),
            (None, "no answer within 2s"),
        ];
        for (response, expected) in table {
            let told = told(response).await;
            assert!(told.contains(expected), "{told}");
        }
    }

    #[tokio::test]
    async fn ddns_https_asks_the_next_page_when_one_is_silent() {
        let silent = serve("127.0.0.1:0", None).await;
        let good = serve("127.0.0.1:0", page(PAGE)).await;
        let found = detect(Family::Ipv4, &[silent, good], TIMEOUT / 2).await.unwrap();
        assert_eq!(found, IpAddr::from([8, 8, 8, 8]));
    }

    #[tokio::test]
    async fn ddns_https_goes_out_over_its_family_only() {
        let url = serve("127.0.0.1:0", page(PAGE)).await;
        assert!(detect(Family::Ipv6, &[url], TIMEOUT).await.is_err());
        let url = serve("[::1]:0", page(&PAGE.replace("h=127.0.0.1", "h=[::1]"))).await;
        assert!(
            detect(Family::Ipv4, std::slice::from_ref(&url), TIMEOUT)
                .await
                .is_err()
        );
        assert!(detect(Family::Ipv6, &[url], TIMEOUT).await.is_ok());
    }

    #[tokio::test]
    async fn ddns_https_without_pages_says_so() {
        let told = detect(Family::Ipv4, &[], TIMEOUT).await.unwrap_err().to_string();
        assert_eq!(told, "nothing that could be asked over IPv4 is configured");
    }
}
