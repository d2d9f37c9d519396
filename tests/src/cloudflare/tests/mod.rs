//! The fake does what its documentation says: what others are tested against must be right itself.

mod api;
mod dns;
mod faults;
mod reading;
mod writing;

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use super::{FakeCloudflare, FakeOptions};

const ZONE: &str = "example.com";

/// An answer of the API.
struct Told {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Told {
    fn result(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.body["success"], true);
        &self.body["result"]
    }

    /// The codes of the errors, each followed by those of its chain.
    fn codes(&self) -> Vec<u64> {
        assert_eq!(self.body["success"], false, "{}", self.body);
        assert!(self.body["result"].is_null());
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let of = |error: &Value| error["code"].as_u64().unwrap();
        let errors = list(&self.body["errors"]);
        let with_chain = |error: &Value| {
            let chain = list(&error["error_chain"]);
            [error].into_iter().chain(&chain).map(of).collect::<Vec<_>>()
        };
        errors.iter().flat_map(with_chain).collect()
    }

    fn id(&self) -> String {
        self.result()["id"].as_str().unwrap().to_owned()
    }
}

async fn fake() -> FakeCloudflare {
    FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await
}

/// The path of the zone's records, `rest` after it.
fn records(fake: &FakeCloudflare, rest: &str) -> String {
    format!("/zones/{}/dns_records{rest}", fake.zone_id(ZONE))
}

/// A request, or the client's error.
async fn send(
    fake: &FakeCloudflare,
    method: &str,
    path: &str,
    authorization: &str,
    body: Option<String>,
) -> Result<Told, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5));
    let client = client.no_proxy().build().unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = client.request(method, format!("{}{path}", fake.base_url()));
    if !authorization.is_empty() {
        request = request.header(AUTHORIZATION, authorization);
    }
    if let Some(body) = body {
        request = request.header(CONTENT_TYPE, "application/json").body(body);
    }
    let answer = request.send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await?;
    Ok(Told {
        status,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}

async fn ask(fake: &FakeCloudflare, method: &str, path: &str, body: Option<Value>) -> Told {
    let bearer = format!("Bearer {}", fake.token());
    let body = body.map(|body| body.to_string());
    send(fake, method, path, &bearer, body).await.unwrap()
}

async fn get(fake: &FakeCloudflare, path: &str) -> Told {
    ask(fake, "GET", path, None).await
}

async fn post(fake: &FakeCloudflare, body: Value) -> Told {
    ask(fake, "POST", &records(fake, ""), Some(body)).await
}

fn a(name: &str, content: &str) -> Value {
    json!({"type": "A", "name": name, "content": content, "ttl": 60})
}

fn txt(name: &str, content: &str) -> Value {
    json!({"type": "TXT", "name": name, "content": content, "ttl": 60})
}

fn cname(name: &str, content: &str) -> Value {
    json!({"type": "CNAME", "name": name, "content": content, "ttl": 60})
}
