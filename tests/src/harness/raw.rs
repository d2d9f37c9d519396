//! A client that sends exactly the bytes that it is told, over TLS settings that it is told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::{
    ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::Answer;
use super::identity::Identity;
use super::within;

/// What a hand-made TLS client offers.
#[derive(Clone)]
pub struct Tls {
    /// Offered versions.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// Offered key exchanges; `None` for the provider's own list.
    pub groups: Option<Vec<&'static dyn SupportedKxGroup>>,
    /// Offered application protocols.
    pub alpn: Vec<&'static str>,
    /// Whether the name is sent.
    pub sni: bool,
    /// Who it is, if it is asked.
    pub identity: Identity,
}

impl Default for Tls {
    fn default() -> Self {
        Tls {
            versions: rustls::ALL_VERSIONS.to_vec(),
            groups: None,
            alpn: vec!["http/1.1"],
            sni: true,
            identity: Identity::default(),
        }
    }
}

impl Tls {
    /// One version only.
    pub fn only(version: &'static SupportedProtocolVersion) -> Self {
        Tls {
            versions: vec![version],
            ..Tls::default()
        }
    }
}

/// A client configuration for `tls` that takes any certificate: scenarios look at the certificate themselves.
pub fn tls_client(tls: &Tls) -> ClientConfig {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(groups) = &tls.groups {
        provider.kx_groups = groups.clone();
    }
    let provider = Arc::new(provider);
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&tls.versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)));
    let mut config = config.with_client_cert_resolver(Arc::new(tls.identity.clone()));
    config.alpn_protocols = tls
        .alpn
        .iter()
        .map(|protocol| protocol.as_bytes().to_vec())
        .collect();
    config.enable_sni = tls.sni;
    config
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// What a handshake agreed on.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// TLS 1.2 or 1.3.
    pub version: Option<ProtocolVersion>,
    /// `X25519MLKEM768` and the like.
    pub group: Option<String>,
    /// `h2`, `http/1.1`.
    pub alpn: Option<String>,
    /// What the server showed, leaf first.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// One connection.
pub struct Connection {
    io: Box<dyn Io>,
    read: Vec<u8>,
    /// `None` on a plain connection.
    pub handshake: Option<Handshake>,
}

impl Connection {
    /// Plain TCP.
    pub async fn plain(address: SocketAddr) -> io::Result<Self> {
        let tcp = within("a TCP connection", TcpStream::connect(address)).await?;
        tcp.set_nodelay(true)?;
        Ok(Connection {
            io: Box::new(tcp),
            read: Vec::new(),
            handshake: None,
        })
    }

    /// TLS to `name`.
    pub async fn tls(address: SocketAddr, name: &str, tls: &Tls) -> io::Result<Self> {
        let stream = tls_stream(address, name, tls).await?;
        let (_, session) = stream.get_ref();
        let handshake = Handshake {
            version: session.protocol_version(),
            group: session
                .negotiated_key_exchange_group()
                .map(|group| format!("{:?}", group.name())),
            alpn: session
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            certificates: session.peer_certificates().unwrap_or_default().to_vec(),
        };
        Ok(Connection {
            io: Box::new(stream),
            read: Vec::new(),
            handshake: Some(handshake),
        })
    }

    /// TLS to `name` behind bytes in the clear, as a proxy sends a PROXY protocol header.
    pub async fn tls_behind(address: SocketAddr, prefix: &[u8], name: &str) -> io::Result<Self> {
        let mut tcp = within("a TCP connection", TcpStream::connect(address)).await?;
        tcp.set_nodelay(true)?;
        tcp.write_all(prefix).await?;
        let connector = TlsConnector::from(Arc::new(tls_client(&Tls::default())));
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stream = within("a TLS handshake", connector.connect(name, tcp)).await?;
        Ok(Connection {
            io: Box::new(stream),
            read: Vec::new(),
            handshake: None,
        })
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        within("to send", async {
            self.io.write_all(bytes.as_ref()).await?;
            self.io.flush().await
        })
        .await
    }

    /// Reads one response; interim ones (1xx) are passed over.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let answer = self.any_answer(true).await?;
            if answer.status >= 200 {
                return Ok(answer);
            }
        }
    }

    /// Reads the head of a response, an interim one too, and leaves its body unread.
    pub async fn head(&mut self) -> io::Result<Answer> {
        self.any_answer(false).await
    }

    /// Whatever arrives next; empty at the end.
    pub async fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.read.is_empty() {
            self.fill().await?;
        }
        Ok(std::mem::take(&mut self.read))
    }

    /// All that arrives until the peer closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        while matches!(self.fill().await, Ok(count) if count > 0) {}
        std::mem::take(&mut self.read)
    }

    async fn any_answer(&mut self, with_body: bool) -> io::Result<Answer> {
        let end = loop {
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                break at + 4;
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let mut answer = parse_head(&head).ok_or(io::ErrorKind::InvalidData)?;
        if with_body && answer.status >= 200 && !matches!(answer.status, 204 | 304) {
            answer.body = self.body(&answer).await?;
        }
        Ok(answer)
    }

    async fn body(&mut self, answer: &Answer) -> io::Result<Vec<u8>> {
        if answer.header("transfer-encoding") == Some("chunked") {
            return self.chunked().await;
        }
        match answer
            .header("content-length")
            .and_then(|length| length.parse().ok())
        {
            Some(length) => self.exactly(length).await,
            None => Ok(self.rest().await),
        }
    }

    async fn chunked(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = String::from_utf8_lossy(&line);
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.exactly(size).await?);
            self.line().await?;
        }
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = find(&self.read, b"\r\n") {
                let mut line: Vec<u8> = self.read.drain(..at + 2).collect();
                line.truncate(at);
                return Ok(line);
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.read.len() < count {
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.read.drain(..count).collect())
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let count = within("bytes from the peer", self.io.read(&mut chunk)).await?;
        self.read.extend_from_slice(&chunk[..count]);
        Ok(count)
    }
}

/// The bare stream, for those who speak another protocol over it.
pub async fn tls_stream(address: SocketAddr, name: &str, tls: &Tls) -> io::Result<TlsStream<TcpStream>> {
    let tcp = within("a TCP connection", TcpStream::connect(address)).await?;
    tcp.set_nodelay(true)?;
    let connector = TlsConnector::from(Arc::new(tls_client(tls)));
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    within("a TLS handshake", connector.connect(name, tcp)).await
}

fn parse_head(head: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Answer {
        status,
        headers,
        body: Vec::new(),
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
