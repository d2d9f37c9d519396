//! One question to one name server. The machine's resolver may see another world than the public does (split
//! horizon), and cannot be asked for another class; so some questions go straight to whom they are meant for.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// What an answer over UDP may take: what passes every network unfragmented (DNS flag day 2020).
const UDP_PAYLOAD: u16 = 1232;

/// A lost packet is asked again after this share of the time, three times in all.
const TRIES: u32 = 3;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nothing came in time.
    #[error("{server} did not answer within {timeout:?}")]
    Timeout {
        /// The server.
        server: SocketAddr,
        /// All the time there was.
        timeout: Duration,
    },
    /// The network.
    #[error("{server}: {source}")]
    Io {
        /// The server.
        server: SocketAddr,
        /// What it said.
        source: io::Error,
    },
    /// What came is no answer to what was asked.
    #[error("{server} sent what is no DNS answer: {reason}")]
    Malformed {
        /// The server.
        server: SocketAddr,
        /// The decoder's words.
        reason: String,
    },
    /// The server will not say. NXDOMAIN is an answer, not an error.
    #[error("{server} answered {code} for {question}")]
    Refused {
        /// The server.
        server: SocketAddr,
        /// Its code.
        code: ResponseCode,
        /// What was asked.
        question: String,
    },
}

/// Asks `server` over UDP, and over TCP where the answer is too long for that. `recursive` asks a resolver to find
/// out; an authority needs none of it. The answer is to this question, and its code is NOERROR or NXDOMAIN.
pub async fn ask(
    server: SocketAddr,
    question: &Query,
    recursive: bool,
    timeout: Duration,
) -> Result<Message, AskError> {
    let late = || AskError::Timeout { server, timeout };
    let answer = tokio::time::timeout(timeout, exchange(server, question, recursive, timeout / TRIES));
    let answer = answer.await.map_err(|_| late())??;
    match answer.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(answer),
        code => Err(AskError::Refused {
            server,
            code,
            question: question.to_string(),
        }),
    }
}

async fn exchange(
    server: SocketAddr,
    question: &Query,
    recursive: bool,
    patience: Duration,
) -> Result<Message, AskError> {
    let io = |source| AskError::Io { server, source };
    let malformed = |reason: String| AskError::Malformed { server, reason };
    let request = request(question, recursive);
    let packet = request.to_vec().map_err(|error| malformed(error.to_string()))?;
    let answer = over_udp(server, &packet, &request, patience).await.map_err(io)?;
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    let packet = over_tcp(server, &packet).await.map_err(io)?;
    let answer = Message::from_vec(&packet).map_err(|error| malformed(error.to_string()))?;
    if !answers(&answer, &request) {
        return Err(malformed("it is of another question".to_owned()));
    }
    Ok(answer)
}

fn request(question: &Query, recursive: bool) -> Message {
    let mut request = Message::query();
    request.metadata.id = rand::random();
    request.metadata.recursion_desired = recursive;
    request.add_query(question.clone());
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD);
    request.set_edns(edns);
    request
}

/// What is no answer to the request is passed over: anyone can send packets.
async fn over_udp(
    server: SocketAddr,
    packet: &[u8],
    request: &Message,
    patience: Duration,
) -> io::Result<Message> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        socket.send(packet).await?;
        let answer = async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                match Message::from_vec(&buffer[..length]) {
                    Ok(answer) if answers(&answer, request) => return Ok(answer),
                    _ => {}
                }
            }
        };
        match tokio::time::timeout(patience, answer).await {
            Ok(answer) => return answer,
            Err(_) => continue,
        }
    }
}

async fn over_tcp(server: SocketAddr, packet: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(packet.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream
        .write_all(&[&length.to_be_bytes(), packet].concat())
        .await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn answers(answer: &Message, request: &Message) -> bool {
    answer.metadata.id == request.metadata.id
        && answer.metadata.message_type == hickory_proto::op::MessageType::Response
        && answer.queries == request.queries
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::OpCode;
    use hickory_proto::rr::rdata::TXT;
    use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
    use tokio::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(600);

    fn question() -> Query {
        let mut query = Query::query(Name::from_ascii("whoami.cloudflare.").unwrap(), RecordType::TXT);
        query.set_query_class(DNSClass::CH);
        query
    }

    fn answer(request: &[u8], text: &str) -> Message {
        let request = Message::from_vec(request).unwrap();
        let mut answer = Message::response(request.metadata.id, OpCode::Query);
        let name = request.queries[0].name().clone();
        answer.add_queries(request.queries);
        let text = RData::TXT(TXT::new(vec![text.to_owned()]));
        answer.add_answer(Record::from_rdata(name, 0, text));
        answer
    }

    fn said(message: &Message) -> String {
        message.answers[0].data.to_string()
    }

    #[tokio::test]
    async fn dns_packets_of_others_are_passed_over() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            // The first question is lost.
            socket.recv_from(&mut packet).await.unwrap();
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            let mut forged = answer(&packet[..length], "forged");
            forged.metadata.id = !forged.metadata.id;
            let right = answer(&packet[..length], "right");
            for packet in [vec![1, 2, 3], forged.to_vec().unwrap(), right.to_vec().unwrap()] {
                socket.send_to(&packet, client).await.unwrap();
            }
        });
        let answer = ask(server, &question(), false, TIMEOUT).await.unwrap();
        assert_eq!(said(&answer), "right");
    }

    #[tokio::test]
    async fn dns_what_does_not_fit_comes_over_tcp() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let socket = UdpSocket::bind(server).await.unwrap();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            let mut cut = answer(&packet[..length], "");
            cut.metadata.truncation = true;
            socket.send_to(&cut.to_vec().unwrap(), client).await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = usize::from(stream.read_u16().await.unwrap());
            stream.read_exact(&mut packet[..length]).await.unwrap();
            let whole = answer(&packet[..length], "whole").to_vec().unwrap();
            stream.write_u16(whole.len() as u16).await.unwrap();
            stream.write_all(&whole).await.unwrap();
        });
        let answer = ask(server, &question(), false, TIMEOUT).await.unwrap();
        assert_eq!(said(&answer), "whole");
    }

    #[tokio::test]
    async fn dns_silence_and_refusal_name_the_server() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = socket.local_addr().unwrap();
        let told = ask(server, &question(), false, TIMEOUT)
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(told, format!("{server} did not answer within {TIMEOUT:?}"));
        tokio::spawn(async move {
            let mut packet = [0; 512];
            loop {
                let (length, client) = socket.recv_from(&mut packet).await.unwrap();
                let mut refusal = answer(&packet[..length], "");
                refusal.metadata.response_code = ResponseCode::Refused;
                socket.send_to(&refusal.to_vec().unwrap(), client).await.unwrap();
            }
        });
        let told = ask(server, &question(), false, TIMEOUT)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("answered") && told.contains("whoami.cloudflare."),
            "{told}"
        );
    }
}
