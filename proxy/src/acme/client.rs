//! The HTTP client under the ACME library: with deadlines, which the library's own has not, and a memory for
//! Retry-After, which its errors have not.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
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

/// A client for one CA.
#[derive(Debug, Clone)]
pub(super) struct CaHttp {
    client: reqwest::Client,
    retry_after: Arc<Mutex<Option<OffsetDateTime>>>,
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
            retry_after: Arc::default(),
        })
    }

    /// When the last refusal allows another attempt, if it says so.
    pub(super) fn retry_after(&self) -> Option<OffsetDateTime> {
        *self.retry_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, refusal: Option<OffsetDateTime>) {
        *self.retry_after.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let asks = request.method() == Method::GET;
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let request = Request::from_parts(head, reqwest::Body::from(body.to_bytes()));
        let request = reqwest::Request::try_from(request).map_err(other)?;
        let response = self.client.execute(request).await.map_err(other)?;
        let refused = !response.status().is_success();
        self.note(moment(response.headers()).filter(|_| refused));
        let (mut head, body) = Response::from(response).into_parts();
        if asks && !refused {
            head.headers.entry(RETRY_AFTER).or_insert(RENEWAL_INFO_AGAIN);
        }
        let body = Limited::new(body, LONGEST_ANSWER)
            .collect()
            .await
            .map_err(Error::Other)?;
        Ok(BytesResponse {
            parts: head,
            body: Box::new(body.to_bytes()),
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

fn other(error: reqwest::Error) -> Error {
    Error::Other(Box::new(error))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

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
