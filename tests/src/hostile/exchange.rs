//! Bytes out, and what comes back.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::{HOST, Input, frames};
use crate::harness::{Tls, tls_stream};

/// Longer than the deadlines that the proxies are set to for this.
const PATIENCE: Duration = Duration::from_secs(8);

/// So long is waited for what an upstream may see behind a request that it answered.
const QUIET: Duration = Duration::from_millis(250);

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Status(u16),
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY with this code.
    GoAway(u32),
    /// The connection ended without a word.
    Closed,
    /// Nothing, for as long as anybody waits.
    Silence,
}

impl Outcome {
    /// Whether the request was turned away.
    #[must_use]
    pub fn refuses(self) -> bool {
        match self {
            Outcome::Status(status) => status >= 400,
            Outcome::Silence => false,
            _ => true,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Status(status) => write!(f, "{status}"),
            Outcome::Reset(code) => write!(f, "RST_STREAM {}", reason(*code)),
            Outcome::GoAway(code) => write!(f, "GOAWAY {}", reason(*code)),
            Outcome::Closed => f.write_str("closed"),
            Outcome::Silence => f.write_str("nothing"),
        }
    }
}

/// RFC 9113 section 7.
fn reason(code: u32) -> String {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES
        .get(code as usize)
        .map_or_else(|| code.to_string(), |name| (*name).to_owned())
}

/// Sends `input` on a connection of its own.
pub async fn exchange(address: SocketAddr, input: &Input) -> io::Result<Outcome> {
    let (alpn, bytes) = match input {
        Input::Http1(bytes) => ("http/1.1", bytes),
        Input::Http2(bytes) | Input::Flood(bytes) => ("h2", bytes),
    };
    let tls = Tls {
        alpn: vec![alpn],
        ..Tls::default()
    };
    let stream = tls_stream(address, HOST, &tls).await?;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let bytes = bytes.clone();
    // Who is refused may not be read to the end.
    let sender = tokio::spawn(async move {
        if writer.write_all(&bytes).await.is_ok() {
            let _ = writer.flush().await;
        }
        writer
    });
    let told = async {
        match input {
            Input::Http1(_) => http1(&mut reader).await,
            Input::Http2(_) => http2(&mut reader, false).await,
            Input::Flood(_) => http2(&mut reader, true).await,
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, told)
        .await
        .unwrap_or(Outcome::Silence);
    if outcome == Outcome::Status(200) && matches!(input, Input::Http1(_)) {
        rest(&mut reader).await;
    }
    sender.abort();
    Ok(outcome)
}

/// The status of the first final answer.
async fn http1(reader: &mut (impl AsyncRead + Unpin)) -> Outcome {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        let statuses = text.match_indices("HTTP/1.").filter_map(|(at, _)| {
            let status = text.get(at + 9..at + 12)?;
            status.parse::<u16>().ok()
        });
        if let Some(status) = statuses.into_iter().find(|status| *status >= 200) {
            return Outcome::Status(status);
        }
        let mut chunk = [0; 4096];
        match reader.read(&mut chunk).await {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return Outcome::Closed,
        }
    }
}

/// Until the connection ends, or nothing more comes: what was smuggled behind a request arrives after its answer.
async fn rest(reader: &mut (impl AsyncRead + Unpin)) {
    let mut more = [0; 4096];
    while let Ok(Ok(1..)) = tokio::time::timeout(QUIET, reader.read(&mut more)).await {}
}

/// The first frame that answers something; with `to_the_end` what ends the connection.
async fn http2(reader: &mut (impl AsyncRead + Unpin), to_the_end: bool) -> Outcome {
    let mut goaway = None;
    loop {
        let Ok((kind, payload)) = frame(reader).await else {
            return goaway.unwrap_or(Outcome::Closed);
        };
        let code = |at: usize| {
            let bytes = payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_be_bytes)
        };
        match kind {
            1 if !to_the_end => return frames::status(&payload).map_or(Outcome::Closed, Outcome::Status),
            3 if !to_the_end => return Outcome::Reset(code(0)),
            7 if code(4) != 0 => return Outcome::GoAway(code(4)),
            7 => goaway = Some(Outcome::GoAway(0)),
            _ => {}
        }
    }
}

async fn frame(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 9];
    reader.read_exact(&mut header).await?;
    let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).await?;
    Ok((header[3], payload))
}
