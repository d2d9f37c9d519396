//! Ordinary clients: reqwest, with the test's CA and every name leading to the edge.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, RequestBuilder};

use super::answer::Answer;
use super::ask::Ask;
use super::{PATIENCE, TestCa, within};

/// Which protocols a polite client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// As browsers do: h2 and http/1.1 in ALPN.
    Both,
    /// http/1.1 only.
    Http1,
    /// h2 only.
    Http2,
}

/// A client for which every name is at `edge`.
pub fn client(ca: &TestCa, edge: SocketAddr, versions: Versions) -> Client {
    let builder = builder(ca, edge);
    let builder = match versions {
        Versions::Both => builder,
        Versions::Http1 => builder.http1_only(),
        Versions::Http2 => builder.http2_prior_knowledge(),
    };
    builder.build().unwrap()
}

fn builder(ca: &TestCa, edge: SocketAddr) -> reqwest::ClientBuilder {
    let root = Certificate::from_der(&ca.der()).unwrap();
    Client::builder()
        .tls_certs_only([root])
        .dns_resolver(Arc::new(Everything(edge)))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
}

/// The same with a new http/1.1 connection for each request.
pub fn client_without_reuse(ca: &TestCa, edge: SocketAddr) -> Client {
    let builder = builder(ca, edge).http1_only().pool_max_idle_per_host(0);
    builder.build().unwrap()
}

/// Sends and reads the whole answer; fails the test if there is none.
pub async fn send(request: RequestBuilder) -> Answer {
    match try_send(request).await {
        Ok(answer) => answer,
        Err(error) => panic!("no answer: {}", chain(&error)),
    }
}

/// Sends and reads the whole answer.
pub async fn try_send(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    within("an answer", async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let body = response.bytes().await?.to_vec();
        Ok(Answer {
            status,
            headers,
            body,
        })
    })
    .await
}

/// The same request, politely: as far as reqwest can say it.
pub fn request(client: &Client, host: &str, ask: &Ask) -> RequestBuilder {
    let url = format!("https://{host}{}", String::from_utf8_lossy(&ask.target));
    let mut request = client.request(ask.method.parse().unwrap(), url);
    for (name, value) in &ask.headers {
        request = request.header(name, value.as_slice());
    }
    match &ask.body {
        Some(body) => request.body(body.clone()),
        None => request,
    }
}

/// An error with its causes.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

struct Everything(SocketAddr);

impl Resolve for Everything {
    fn resolve(&self, _: Name) -> Resolving {
        let address = self.0;
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}
