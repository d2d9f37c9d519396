//! A name server that tells who asks. The question goes straight to it, over the family in question: a resolver in
//! between would be told its own address.

use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};

use super::{DetectError, doh};
use crate::config::Whoami;
use crate::ddns::address::{self, Family};
use crate::nameserver;

/// Asks the servers of this family in order; the first that answers counts.
pub async fn detect(family: Family, servers: &[Whoami], timeout: Duration) -> Result<IpAddr, DetectError> {
    let reachable = servers.iter().filter(|server| match server {
        Whoami::Cloudflare(address) | Whoami::OpenDns(address) => family.holds(address.ip()),
        Whoami::CloudflareHttps(_) => true,
    });
    let reachable: Vec<Whoami> = reachable.cloned().collect();
    super::first(family, reachable, timeout, |server, patience| {
        ask(family, server, patience)
    })
    .await
}

async fn ask(family: Family, server: Whoami, patience: Duration) -> Result<IpAddr, DetectError> {
    let question = question(family, &server)?;
    match &server {
        Whoami::Cloudflare(address) | Whoami::OpenDns(address) => {
            // Recursion desired, as by ordinary clients: OpenDNS' resolver refuses others.
            let answer = nameserver::ask(*address, &question, true, patience).await?;
            told(&answer, &address.to_string())
        }
        Whoami::CloudflareHttps(url) => told(&doh::ask(family, url, &question, patience).await?, url),
    }
}

fn question(family: Family, server: &Whoami) -> Result<Query, DetectError> {
    let name = |text: &str| Name::from_ascii(text).map_err(|_| DetectError::Untold(text.to_owned()));
    Ok(match (server, family) {
        (Whoami::Cloudflare(_) | Whoami::CloudflareHttps(_), _) => {
            let mut query = Query::query(name("whoami.cloudflare.")?, RecordType::TXT);
            query.set_query_class(DNSClass::CH);
            query
        }
        (Whoami::OpenDns(_), Family::Ipv4) => Query::query(name("myip.opendns.com.")?, RecordType::A),
        (Whoami::OpenDns(_), Family::Ipv6) => Query::query(name("myip.opendns.com.")?, RecordType::AAAA),
    })
}

/// The one address in the answer. Two would leave open which is this host's.
fn told(answer: &Message, server: &str) -> Result<IpAddr, DetectError> {
    let [record] = answer.answers.as_slice() else {
        return Err(DetectError::Untold(server.to_owned()));
    };
    match &record.data {
        RData::A(a) => Ok(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Ok(IpAddr::V6(aaaa.0)),
        RData::TXT(text) => {
            let text: Vec<u8> = text.txt_data.iter().flatten().copied().collect();
            address::read(&String::from_utf8_lossy(&text)).map_err(|cause| DetectError::Unreadable {
                from: server.to_owned(),
                cause,
            })
        }
        _ => Err(DetectError::Untold(server.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, SocketAddr};

    use hickory_proto::op::OpCode;
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, AAAA, TXT};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UdpSocket};

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(900);

    /// A server that answers the question it expects with these data.
    async fn serve(bind: &str, expected: &'static str, data: Vec<RData>) -> SocketAddr {
        let socket = UdpSocket::bind(bind).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            loop {
                let (length, client) = socket.recv_from(&mut packet).await.unwrap();
                let request = Message::from_vec(&packet[..length]).unwrap();
                let query = request.queries[0].clone();
                assert_eq!(query.to_string(), expected);
                let mut answer = Message::response(request.metadata.id, OpCode::Query);
                for data in data.clone() {
                    answer.add_answer(Record::from_rdata(query.name().clone(), 0, data));
                }
                answer.add_query(query);
                socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
            }
        });
        address
    }

    fn text(text: &str) -> RData {
        RData::TXT(TXT::new(vec![text.to_owned()]))
    }

    const CLOUDFLARE: &str = "whoami.cloudflare. CH TXT";

    #[tokio::test]
    async fn ddns_dns_asks_cloudflare_for_a_text() {
        let server = serve("127.0.0.1:0", CLOUDFLARE, vec![text("8.8.8.8")]).await;
        let found = detect(Family::Ipv4, &[Whoami::Cloudflare(server)], TIMEOUT).await;
        assert_eq!(found.unwrap(), IpAddr::from([8, 8, 8, 8]));
    }

    #[tokio::test]
    async fn ddns_dns_asks_opendns_for_an_address_of_the_family() {
        let a = vec![RData::A(A::new(8, 8, 8, 8))];
        let server = serve("127.0.0.1:0", "myip.opendns.com. IN A", a).await;
        let found = detect(Family::Ipv4, &[Whoami::OpenDns(server)], TIMEOUT).await;
        assert_eq!(found.unwrap(), IpAddr::from([8, 8, 8, 8]));

        let address: Ipv6Addr = "2001:4860:4860::8888".parse().unwrap();
        let aaaa = vec![RData::AAAA(AAAA(address))];
        let server = serve("[::1]:0", "myip.opendns.com. IN AAAA", aaaa).await;
        let found = detect(Family::Ipv6, &[Whoami::OpenDns(server)], TIMEOUT).await;
        assert_eq!(found.unwrap(), IpAddr::V6(address));
    }

    /// A server of HTTPS that answers each question with this text, or with what is no answer.
    async fn serve_http(said: Option<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let body = loop {
                    let mut part = [0; 2048];
                    let length = stream.read(&mut part).await.unwrap();
                    request.extend_from_slice(&part[..length]);
                    let head = String::from_utf8_lossy(&request).to_lowercase();
                    let Some(end) = head.find("\r\n\r\n") else {
                        continue;
                    };
                    assert!(head.contains("content-type: application/dns-message"), "{head}");
                    let body = request[end + 4..].to_vec();
                    if !body.is_empty() {
                        break body;
                    }
                };
                let request = Message::from_vec(&body).unwrap();
                let query = request.queries[0].clone();
                assert_eq!(query.to_string(), CLOUDFLARE);
                let mut answer = Message::response(request.metadata.id, OpCode::Query);
                if let Some(said) = said {
                    answer.add_answer(Record::from_rdata(query.name().clone(), 0, text(said)));
                    answer.add_query(query);
                }
                let answer = answer.to_vec().unwrap();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
                stream
                    .write_all(&[head.as_bytes(), &answer].concat())
                    .await
                    .unwrap();
            }
        });
        format!("http://{address}/dns-query")
    }

    #[tokio::test]
    async fn ddns_dns_asks_over_https_where_nothing_else_answers() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = Whoami::Cloudflare(silent.local_addr().unwrap());
        let https = Whoami::CloudflareHttps(serve_http(Some("8.8.8.8")).await);
        let found = detect(Family::Ipv4, &[silent, https], 4 * TIMEOUT).await;
        assert_eq!(found.unwrap(), IpAddr::from([8, 8, 8, 8]));

        let odd = Whoami::CloudflareHttps(serve_http(None).await);
        let told = detect(Family::Ipv4, &[odd], TIMEOUT)
            .await
            .unwrap_err()
            .to_string();
        assert!(told.contains("no answer to what was asked"), "{told}");
    }

    #[tokio::test]
    async fn ddns_dns_asks_servers_of_the_family_only() {
        let server = Whoami::Cloudflare("192.0.2.1:53".parse().unwrap());
        let error = detect(Family::Ipv6, &[server], TIMEOUT).await.unwrap_err();
        assert!(matches!(error, DetectError::NoSource(Family::Ipv6)), "{error}");
    }

    #[tokio::test]
    async fn ddns_dns_takes_the_next_server_for_silence_and_nonsense() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = Whoami::OpenDns(silent.local_addr().unwrap());
        let odd = Whoami::Cloudflare(serve("127.0.0.1:0", CLOUDFLARE, vec![text("who knows")]).await);
        let two = vec![text("8.8.8.8"), text("9.9.9.9")];
        let two = Whoami::Cloudflare(serve("127.0.0.1:0", CLOUDFLARE, two).await);
        let good = serve("127.0.0.1:0", CLOUDFLARE, vec![text("8.8.8.8")]).await;
        let servers = [silent, odd, two, Whoami::Cloudflare(good)];
        let found = detect(Family::Ipv4, &servers, TIMEOUT).await;
        assert_eq!(found.unwrap(), IpAddr::from([8, 8, 8, 8]));

        let error = detect(Family::Ipv4, &servers[1..3], TIMEOUT).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("\"who knows\" is no address"), "{told}");
        assert!(told.contains("without telling who asked"), "{told}");
    }
}
