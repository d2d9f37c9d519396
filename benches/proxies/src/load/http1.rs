//! HTTP/1.1: bytes that were written once, and an answer that is read as far as its length.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{LoadError, Target, io, number, tls};
use crate::upstream;
use palisade_bench_engine::requests::Request;

pub(super) struct Http1 {
    target: Target,
    stream: TlsStream<TcpStream>,
    request: Vec<u8>,
    /// Where its number stands, if it has one.
    numbers: Vec<usize>,
    expected: usize,
    answer: Vec<u8>,
}

impl Http1 {
    pub(super) async fn connect(target: &Target, request: &Request) -> Result<Self, LoadError> {
        let bytes = bytes_of(request);
        Ok(Self {
            target: target.clone(),
            stream: tls::connect(target, false).await?,
            numbers: number::places(&bytes),
            request: bytes,
            expected: upstream::body_bytes(request.uri),
            answer: Vec::with_capacity(4096),
        })
    }

    pub(super) async fn reconnect(&mut self) -> Result<(), LoadError> {
        self.stream = tls::connect(&self.target, false).await?;
        Ok(())
    }

    pub(super) async fn close(&mut self) -> Result<(), LoadError> {
        // The proxy may have closed already: that is no error of it.
        let _ = self.stream.shutdown().await;
        Ok(())
    }

    /// `false` if the proxy had closed the connection: the request is to be sent again on another.
    pub(super) async fn once(&mut self) -> Result<bool, LoadError> {
        if !self.exchange().await? {
            return Ok(false);
        }
        match head(&self.answer) {
            Some((200, _, body)) if body == self.expected => Ok(true),
            _ => Err(LoadError::Answer(
                String::from_utf8_lossy(&self.answer).into_owned(),
            )),
        }
    }

    pub(super) async fn status(&mut self) -> Result<u16, LoadError> {
        self.exchange().await?;
        let answer = || LoadError::Answer(String::from_utf8_lossy(&self.answer).into_owned());
        head(&self.answer).map(|(status, ..)| status).ok_or_else(answer)
    }

    async fn exchange(&mut self) -> Result<bool, LoadError> {
        self.answer.clear();
        number::put(&mut self.request, &self.numbers);
        if self.stream.write_all(&self.request).await.is_err() || self.stream.flush().await.is_err() {
            return Ok(false);
        }
        loop {
            let read = self.stream.read_buf(&mut self.answer).await;
            match read {
                Ok(0) => return Ok(!self.answer.is_empty()),
                Err(_) if self.answer.is_empty() => return Ok(false),
                read => read.map_err(io("reading an answer"))?,
            };
            if head(&self.answer).is_some_and(|(_, head, body)| self.answer.len() >= head + body) {
                return Ok(true);
            }
        }
    }
}

/// One request and its whole answer, on any connection.
pub async fn ask(stream: &mut TlsStream<TcpStream>, request: &Request) -> Result<(), LoadError> {
    stream
        .write_all(&bytes_of(request))
        .await
        .map_err(io("sending a request"))?;
    stream.flush().await.map_err(io("sending a request"))?;
    let mut answer = Vec::with_capacity(4096);
    loop {
        if stream
            .read_buf(&mut answer)
            .await
            .map_err(io("reading an answer"))?
            == 0
        {
            return Err(LoadError::Answer(String::from_utf8_lossy(&answer).into_owned()));
        }
        if head(&answer).is_some_and(|(_, head, body)| answer.len() >= head + body) {
            return Ok(());
        }
    }
}

/// Status, length of the head, length of the body, once the head is there.
fn head(answer: &[u8]) -> Option<(u16, usize, usize)> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse().ok())?
    });
    Some((status, end, length.unwrap_or(0)))
}

fn bytes_of(request: &Request) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.uri).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n"), None);
        let answer = b"HTTP/1.1 403 Forbidden\r\nServer: x\r\nContent-Length: 7\r\n\r\nrefused";
        assert_eq!(head(answer), Some((403, answer.len() - 7, 7)));
    }
}
