//! The PROXY protocol, versions 1 and 2, in front of everything else on a connection.
//!
//! Not a byte behind the header is taken from the socket: what follows is the next reader's.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ppp::{HeaderResult, v1, v2};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The longest header of version 1, its line's end included.
const LONGEST_V1: usize = 107;

/// Version 2 up to its length field, and the longest that is taken: addresses and whatever fields a balancer adds.
const START_V2: usize = 16;
const LONGEST_V2: usize = START_V2 + 2048;

/// For whom a connection comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// For the proxy itself, such as a probe.
    Proxy,
    /// For somebody of whom the proxy tells no address.
    Unknown,
    /// For a client, who asked at this address.
    Client {
        /// The client.
        source: SocketAddr,
        /// Where it asked.
        destination: SocketAddr,
    },
}

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyProtocolError {
    #[error("no PROXY protocol header")]
    Missing,
    #[error("a malformed PROXY protocol header")]
    Malformed,
    #[error("a PROXY protocol header of more than {0} bytes")]
    TooLong(usize),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads the header.
pub(super) async fn read(socket: &mut TcpStream) -> Result<Origin, ProxyProtocolError> {
    let mut first = [0; 1];
    if socket.peek(&mut first).await? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let header = match first {
        [b'P'] => line(socket).await?,
        [b'\r'] => block(socket).await?,
        _ => return Err(ProxyProtocolError::Missing),
    };
    parse(&header).ok_or(ProxyProtocolError::Malformed)
}

/// Version 1: a line of text.
async fn line(socket: &mut TcpStream) -> Result<Vec<u8>, ProxyProtocolError> {
    let mut line = Vec::with_capacity(LONGEST_V1);
    while line.len() < LONGEST_V1 {
        let mut seen = [0; LONGEST_V1];
        let room = LONGEST_V1 - line.len();
        let count = socket.peek(&mut seen[..room]).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let end = seen[..count].iter().position(|byte| *byte == b'\n');
        // What was seen and has no end is all of this line: it can be taken.
        let ours = end.map_or(count, |end| end + 1);
        socket.read_exact(&mut seen[..ours]).await?;
        line.extend_from_slice(&seen[..ours]);
        if end.is_some() {
            return Ok(line);
        }
    }
    Err(ProxyProtocolError::TooLong(LONGEST_V1))
}

/// Version 2: a block that tells its length.
async fn block(socket: &mut TcpStream) -> Result<Vec<u8>, ProxyProtocolError> {
    let mut start = [0; START_V2];
    socket.read_exact(&mut start).await?;
    if !start.starts_with(v2::PROTOCOL_PREFIX) {
        return Err(ProxyProtocolError::Missing);
    }
    let length = START_V2 + usize::from(u16::from_be_bytes([start[14], start[15]]));
    if length > LONGEST_V2 {
        return Err(ProxyProtocolError::TooLong(LONGEST_V2));
    }
    let mut block = start.to_vec();
    block.resize(length, 0);
    socket.read_exact(&mut block[START_V2..]).await?;
    Ok(block)
}

fn parse(header: &[u8]) -> Option<Origin> {
    match HeaderResult::parse(header) {
        HeaderResult::V1(parsed) => match parsed.ok()?.addresses {
            v1::Addresses::Tcp4(to) => Some(origin(
                (to.source_address, to.source_port),
                (to.destination_address, to.destination_port),
            )),
            v1::Addresses::Tcp6(to) => Some(origin(
                (to.source_address, to.source_port),
                (to.destination_address, to.destination_port),
            )),
            v1::Addresses::Unknown => Some(Origin::Unknown),
        },
        HeaderResult::V2(parsed) => {
            let parsed = parsed.ok()?;
            match (parsed.command, parsed.addresses) {
                (v2::Command::Proxy, v2::Addresses::IPv4(to)) => Some(origin(
                    (to.source_address, to.source_port),
                    (to.destination_address, to.destination_port),
                )),
                (v2::Command::Proxy, v2::Addresses::IPv6(to)) => Some(origin(
                    (to.source_address, to.source_port),
                    (to.destination_address, to.destination_port),
                )),
                (v2::Command::Local, _) => Some(Origin::Proxy),
                // AF_UNSPEC and AF_UNIX: no address that is one.
                (v2::Command::Proxy, _) => Some(Origin::Unknown),
            }
        }
    }
}

fn origin<A: Into<IpAddr>>(source: (A, u16), destination: (A, u16)) -> Origin {
    let address = |(ip, port): (A, u16)| SocketAddr::new(ip.into().to_canonical(), port);
    Origin::Client {
        source: address(source),
        destination: address(destination),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    fn v2(rest: &[u8]) -> Vec<u8> {
        [SIGNATURE, rest].concat()
    }

    /// What is read of bytes that arrive in pieces of `size`, and what is left for the next reader.
    async fn read_of(bytes: &[u8], size: usize) -> (Result<Origin, String>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let (mut socket, _) = listener.accept().await.unwrap();
        let bytes = bytes.to_vec();
        let sender = tokio::spawn(async move {
            for piece in bytes.chunks(size) {
                if client.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            let _ = client.shutdown().await;
        });
        let found = read(&mut socket).await.map_err(|error| error.to_string());
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
        sender.await.unwrap();
        (found, rest)
    }

    #[tokio::test]
    async fn both_versions_and_not_a_byte_more() {
        let v4 = Origin::Client {
            source: "192.0.2.1:5000".parse().unwrap(),
            destination: "198.51.100.1:443".parse().unwrap(),
        };
        let v6 = Origin::Client {
            source: "[2001:db8::1]:5000".parse().unwrap(),
            destination: "[2001:db8::2]:443".parse().unwrap(),
        };
        let four = [
            &[0x21, 0x11, 0, 12][..],
            &[192, 0, 2, 1, 198, 51, 100, 1, 0x13, 0x88, 1, 0xbb],
        ]
        .concat();
        let unix = [&[0x21, 0x31, 0, 216][..], &[b'/'; 216]].concat();
        let with_field = [
            &[0x21, 0x11, 0, 16][..],
            &[192, 0, 2, 1, 198, 51, 100, 1, 0x13, 0x88, 1, 0xbb, 4, 0, 1, 0],
        ]
        .concat();
        for (header, wanted) in [
            (b"PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\r\n".to_vec(), v4),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 5000 443\r\n".to_vec(), v6),
            (b"PROXY UNKNOWN\r\n".to_vec(), Origin::Unknown),
            (b"PROXY UNKNOWN what ever\r\n".to_vec(), Origin::Unknown),
            (v2(&four), v4),
            (v2(&with_field), v4),
            (v2(&[0x20, 0, 0, 0]), Origin::Proxy),
            // LOCAL, whatever addresses it comes with.
            (v2(&[&[0x20][..], &four[1..]].concat()), Origin::Proxy),
            (v2(&[0x21, 0, 0, 0]), Origin::Unknown),
            (v2(&unix), Origin::Unknown),
        ] {
            for size in [1, 7, 4096] {
                let sent = [&header[..], b"\x16\x03\x01 and what follows"].concat();
                let (found, rest) = read_of(&sent, size).await;
                assert_eq!(found, Ok(wanted), "{header:?} by {size}");
                assert_eq!(rest, b"\x16\x03\x01 and what follows");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_none() {
        let long = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 200], b"\r\n".to_vec()].concat();
        for sent in [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"\x16\x03\x01\x00\x05hello".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 5000 70000\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 5000\r\n".to_vec(),
            b"PROXY TCP6 192.0.2.1 198.51.100.1 5000 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\n".to_vec(),
            b"POST / HTTP/1.1\r\n\r\n".to_vec(),
            b"PROXY".to_vec(),
            long,
            v2(&[0x31, 0x11, 0, 12]),
            v2(&[0x21, 0x11, 0, 4, 1, 2, 3, 4]),
            v2(&[0x21, 0x11, 0xff, 0xff]),
            b"\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec(),
            Vec::new(),
        ] {
            let (found, _) = read_of(&sent, 4096).await;
            assert!(found.is_err(), "{}", sent.escape_ascii());
        }
    }
}
