//! A WebSocket that returns what it gets.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::Journal;
use super::journal::Seen;

/// One connection: upgrades and echoes until the peer closes.
pub(super) async fn echo(stream: TcpStream, journal: Journal) {
    // The error type is the library's own.
    #[allow(clippy::result_large_err)]
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let headers = request.headers().iter();
        let headers = headers
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        journal.seen(Seen {
            method: request.method().to_string(),
            uri: request.uri().to_string(),
            headers,
        });
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, note).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() {
            break;
        }
        if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
            break;
        }
    }
    socket.close(None).await.ok();
}
