//! The HTTP client under the ACME library: with deadlines, which the library's own has not, and a memory for what the
//! library does not hand on: Retry-After of a refusal, a chain and where its alternates are.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, LINK, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::error::AcmeError;

/// For one request, connection included.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Directories, orders and chains take a few kilobytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// RFC 9773, section 4.3.2, makes Retry-After a must for renewal information, and the library insists on it. For a
/// CA that forgets it: what the RFC recommends after failures.
const RENEWAL_INFO_AGAIN: HeaderValue = HeaderValue::from_static("21600");

/// RFC 8555, section 7.4.2.
const CHAIN: &str = "application/pem-certificate-chain";

/// CAs have one or two.
const MOST_ALTERNATES: usize = 8;

/// A client for one CA.
#[derive(Debug, Clone)]
pub(super) struct CaHttp {
    client: reqwest::Client,
    heard: Arc<Mutex<Heard>>,
}

/// What the last answer said besides.
#[derive(Debug, Default)]
struct Heard {
    retry_after: Option<OffsetDateTime>,
    /// Of the last answer that was a chain.
    chain: Option<String>,
    alternates: Vec<String>,
}

impl CaHttp {
    /// A client that trusts this root only, or those of the system.
    pub(super) fn new(root: Option<&Path>) -> Result<Self, AcmeError> {
        let failed = |reason: String| AcmeError::Client { reason };
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT);
        if let Some(path) = root {
            let pem = std::fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem);
            let roots = roots.map_err(|error| failed(format!("{}: {error}", path.display())))?;
            builder = builder.tls_certs_only(roots);
        }
        Ok(Self {
            client: builder.build().map_err(|error| failed(error.to_string()))?,
            heard: Arc::default(),
        })
    }

    /// When the last refusal allows another attempt, if it says so.
    pub(super) fn retry_after(&self) -> Option<OffsetDateTime> {
        self.heard().retry_after
    }

    /// The last chain that came, once.
    pub(super) fn take_chain(&self) -> Option<String> {
        self.heard().chain.take()
    }

    /// Where the alternates of that chain are.
    pub(super) fn alternates(&self) -> Vec<String> {
        self.heard().alternates.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let asks = request.method() == Method::GET;
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let request = Request::from_parts(head, reqwest::Body::from(body.to_bytes()));
        let request = reqwest::Request::try_from(request).map_err(other)?;
        let response = self.client.execute(request).await.map_err(other)?;
        let refused = !response.status().is_success();
        self.heard().retry_after = moment(response.headers()).filter(|_| refused);
        let url = response.url().clone();
        let (mut head, body) = Response::from(response).into_parts();
        if asks && !refused {
            head.headers.entry(RETRY_AFTER).or_insert(RENEWAL_INFO_AGAIN);
        }
        let body = Limited::new(body, LONGEST_ANSWER)
            .collect()
            .await
            .map_err(Error::Other)?
            .to_bytes();
        if !refused && is_chain(&head.headers) {
            let mut heard = self.heard();
            heard.alternates = alternates(&head.headers, &url);
            heard.chain = String::from_utf8(body.to_vec()).ok();
        }
        Ok(BytesResponse {
            parts: head,
            body: Box::new(body),
        })
    }
}

impl HttpClient for CaHttp {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().exchange(request))
    }
}

/// RFC 9110, section 10.2.3: seconds or a date.
fn moment(headers: &HeaderMap) -> Option<OffsetDateTime> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse::<u32>() {
        Ok(seconds) => Some(OffsetDateTime::now_utc() + Duration::from_secs(seconds.into())),
        // The date of HTTP is one of RFC 2822, but for the name of the zone.
        Err(_) => OffsetDateTime::parse(&value.replace("GMT", "+0000"), &Rfc2822).ok(),
    }
}

fn is_chain(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with(CHAIN))
}

/// RFC 8288: `<https://ca.example/chain/1>;rel="alternate"`.
fn alternates(headers: &HeaderMap, of: &reqwest::Url) -> Vec<String> {
    let lines = headers.get_all(LINK).iter().filter_map(|line| line.to_str().ok());
    let links = lines.flat_map(|line| line.split(',')).filter_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let alternate = parameters.split(';').any(|parameter| {
            let words = parameter.trim().strip_prefix("rel=");
            words.is_some_and(|words| words.trim_matches('"').eq_ignore_ascii_case("alternate"))
        });
        alternate.then(|| of.join(target).ok()).flatten()
    });
    links.map(String::from).take(MOST_ALTERNATES).collect()
}

fn other(error: reqwest::Error) -> Error {
    Error::Other(Box::new(error))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn certificates_alternate_chains_are_linked() {
        let mut headers = HeaderMap::new();
        for line in [
            "<https://ca.example/directory>;rel=\"index\"",
            "</chain/1>; rel=alternate, <https://ca.example/chain/2>;title=x;rel=\"alternate\"",
            "nonsense; rel=alternate",
        ] {
            headers.append(LINK, HeaderValue::from_static(line));
        }
        let of = reqwest::Url::parse("https://ca.example/chain/0").unwrap();
        let expected = ["https://ca.example/chain/1", "https://ca.example/chain/2"];
        assert_eq!(alternates(&headers, &of), expected);
    }

    #[test]
    fn certificates_retry_after_is_seconds_or_a_date() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            moment(&headers)
        };
        let left = read("120").unwrap() - OffsetDateTime::now_utc();
        assert!((118..=120).contains(&left.whole_seconds()));
        let date = read("Fri, 31 Dec 2027 23:59:59 GMT");
        assert_eq!(date, Some(datetime!(2027-12-31 23:59:59 UTC)));
        for nonsense in ["", "soon", "-1"] {
            assert_eq!(read(nonsense), None);
        }
    }
}
