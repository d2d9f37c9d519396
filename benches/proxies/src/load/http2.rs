//! HTTP/2: one connection, shared by its requests in flight.

use bytes::Bytes;
use h2::client::SendRequest;

use super::{LoadError, Target, number, tls};
use crate::upstream;
use palisade_bench_engine::requests::{NUMBER, Request};

#[derive(Clone)]
pub(super) struct Http2 {
    connection: SendRequest<Bytes>,
    request: http::Request<()>,
    body: Bytes,
    expected: usize,
}

impl Http2 {
    pub(super) async fn connect(target: &Target, request: &Request) -> Result<Self, LoadError> {
        let stream = tls::connect(target, true).await?;
        let (connection, driver) = h2::client::handshake(stream).await?;
        tokio::spawn(driver);
        Ok(Self {
            connection,
            request: head_of(request)?,
            body: request.body.clone(),
            expected: upstream::body_bytes(request.uri),
        })
    }

    pub(super) async fn once(&mut self) -> Result<(), LoadError> {
        let mut connection = self.connection.clone().ready().await?;
        let (answer, mut stream) = connection.send_request(self.numbered()?, self.body.is_empty())?;
        if !self.body.is_empty() {
            stream.send_data(self.body.clone(), true)?;
        }
        let answer = answer.await?;
        let status = answer.status();
        let mut body = answer.into_body();
        let mut length = 0;
        while let Some(data) = body.data().await {
            let data = data?;
            length += data.len();
            body.flow_control().release_capacity(data.len())?;
        }
        if status == 200 && length == self.expected {
            return Ok(());
        }
        Err(LoadError::Answer(format!("{status}, {length} bytes")))
    }

    fn numbered(&self) -> Result<http::Request<()>, LoadError> {
        let mut request = self.request.clone();
        let uri = request.uri().to_string();
        if uri.contains(NUMBER) {
            let uri = uri.replace(NUMBER, &number::next()).parse();
            *request.uri_mut() = uri.map_err(|error: http::uri::InvalidUri| refused(error.into()))?;
        }
        Ok(request)
    }
}

fn refused(error: http::Error) -> LoadError {
    LoadError::Answer(format!("no request: {error}"))
}

fn head_of(request: &Request) -> Result<http::Request<()>, LoadError> {
    let uri = format!("https://{}{}", tls::HOST, request.uri);
    let mut builder = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.headers {
        if *name != "host" {
            builder = builder.header(*name, value);
        }
    }
    builder.body(()).map_err(refused)
}
