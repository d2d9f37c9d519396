//! The calls.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, redirect};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::answer::{self, Answer};
use super::{ApiError, Batch, NewRecord, Quota, Record, RecordPatch};
use crate::secret::Secret;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of an answer to a list: 3,500 records, the most of any plan, take some 3 MB.
const LIST_LIMIT: usize = 32 << 20;
/// Bytes of any other answer.
const ANSWER_LIMIT: usize = 1 << 20;

/// The API gives up to 5,000,000. A zone of a usual size is one page, and so seen at one moment.
const PER_PAGE: u64 = 1000;
/// More pages than the largest plan's zone has.
const MOST_PAGES: u64 = 200;
/// A zone that changes under our hands is listed anew this often.
const LISTINGS: usize = 3;

/// A client with one token. Clones share what is known of the limits.
#[derive(Clone)]
pub struct Client {
    base: Arc<str>,
    token: Result<HeaderValue, ApiError>,
    // A machine without root certificates cannot build one. That is told at each call: the edge serves without.
    http: Result<reqwest::Client, ApiError>,
    quota: Arc<Mutex<Quota>>,
}

/// A zone at Cloudflare.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Zone {
    /// The API's identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active`, or why it is not: `pending` until the registrar knows its name servers.
    pub status: String,
    /// The name servers that answer for it.
    #[serde(default)]
    pub name_servers: Vec<String>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Token {
    /// The API's identifier; no secret.
    pub id: String,
    /// `active`, `disabled` or `expired`.
    pub status: String,
}

impl Client {
    /// A client for the API at `base_url`, such as `https://api.cloudflare.com/client/v4`.
    pub fn new(base_url: &str, token: Secret) -> Self {
        Self::with_http(reqwest::Client::builder(), base_url, token)
    }

    /// Likewise, over connections that are made in another way. Our limits go on top.
    pub fn with_http(http: reqwest::ClientBuilder, base_url: &str, token: Secret) -> Self {
        let http = http
            .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // The token goes to the API and nowhere else.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            base: base_url.trim_end_matches('/').into(),
            token: authorization(&token),
            http: http.map_err(answer::transport),
            quota: Arc::default(),
        }
    }

    /// What the API said of its limits, last.
    pub fn quota(&self) -> Quota {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the token is one.
    pub async fn verify_token(&self) -> Result<Token, ApiError> {
        self.read("/user/tokens/verify", ANSWER_LIMIT)
            .await
            .map(|answer| answer.result)
    }

    /// The zone of this name. Another account may have had it and keep a zone that no name server answers for: an
    /// active one comes first.
    pub async fn zone(&self, name: &str) -> Result<Zone, ApiError> {
        let path = format!("/zones?name={name}");
        let answer: Answer<Vec<Zone>> = self.read(&path, ANSWER_LIMIT).await?;
        let zones = answer.result.into_iter();
        zones
            .filter(|zone| zone.name.eq_ignore_ascii_case(name))
            .min_by_key(|zone| zone.status != "active")
            .ok_or_else(|| ApiError::NoZone {
                name: name.to_owned(),
            })
    }

    /// All records of a zone. Pages are no snapshot: a list whose pages do not fit together is taken anew.
    pub async fn records(&self, zone_id: &str) -> Result<Vec<Record>, ApiError> {
        for _ in 0..LISTINGS {
            if let Some(records) = self.listing(zone_id).await? {
                return Ok(records);
            }
        }
        Err(ApiError::Unstable)
    }

    /// Makes a record.
    pub async fn create(&self, zone_id: &str, record: &NewRecord) -> Result<Record, ApiError> {
        let path = format!("/zones/{zone_id}/dns_records");
        self.write(Method::POST, &path, record).await
    }

    /// Changes a record.
    pub async fn patch(
        &self,
        zone_id: &str,
        record_id: &str,
        patch: &RecordPatch,
    ) -> Result<Record, ApiError> {
        let path = format!("/zones/{zone_id}/dns_records/{record_id}");
        self.write(Method::PATCH, &path, patch).await
    }

    /// Deletes a record. One that is gone already is as good.
    pub async fn delete(&self, zone_id: &str, record_id: &str) -> Result<(), ApiError> {
        let path = format!("/zones/{zone_id}/dns_records/{record_id}");
        let request = self.request(Method::DELETE, &path)?;
        match self.send::<IgnoredAny>(request, ANSWER_LIMIT).await {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }

    /// Carries out a batch: all of it or nothing.
    pub async fn batch(&self, zone_id: &str, batch: &Batch) -> Result<(), ApiError> {
        let path = format!("/zones/{zone_id}/dns_records/batch");
        let request = with_body(self.request(Method::POST, &path)?, batch)?;
        // The answer tells of every record.
        self.send::<IgnoredAny>(request, LIST_LIMIT).await.map(drop)
    }

    /// One go through the pages; `None` if records came or went meanwhile.
    async fn listing(&self, zone_id: &str) -> Result<Option<Vec<Record>>, ApiError> {
        let (mut records, mut seen) = (Vec::new(), HashSet::new());
        let mut total = None;
        for page in 1..=MOST_PAGES {
            // By name, so that a new record moves as few others as can be.
            let path = format!(
                "/zones/{zone_id}/dns_records?page={page}&per_page={PER_PAGE}&order=name&direction=asc"
            );
            let answer: Answer<Vec<Record>> = self.read(&path, LIST_LIMIT).await?;
            let count = answer.result.len() as u64;
            let fresh = answer
                .result
                .into_iter()
                .filter(|record| record.id.is_empty() || seen.insert(record.id.clone()));
            records.extend(fresh);
            let counted = answer.pages.and_then(|pages| pages.total_count);
            if page > 1 && counted != total {
                return Ok(None);
            }
            total = counted;
            // A server may have smaller pages than it was asked for: its count of them decides.
            let last = match answer.pages.and_then(|pages| pages.total_pages) {
                Some(pages) => page >= pages,
                None => count < PER_PAGE,
            };
            if last || count == 0 {
                let whole = total.is_none_or(|total| total == records.len() as u64);
                return Ok(whole.then_some(records));
            }
        }
        Err(ApiError::TooMany {
            limit: (MOST_PAGES * PER_PAGE) as usize,
        })
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, limit: usize) -> Result<Answer<T>, ApiError> {
        self.send(self.request(Method::GET, path)?, limit).await
    }

    async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let request = with_body(self.request(method, path)?, body)?;
        self.send(request, ANSWER_LIMIT).await.map(|answer| answer.result)
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, ApiError> {
        let http = self.http.as_ref().map_err(Clone::clone)?;
        let token = self.token.clone()?;
        let url = format!("{}{path}", self.base);
        Ok(http
            .request(method, url)
            .header(reqwest::header::AUTHORIZATION, token))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<Answer<T>, ApiError> {
        if let Some(retry_after) = self.quota().wait() {
            return Err(ApiError::RateLimited { retry_after });
        }
        let response = request.send().await.map_err(answer::transport)?;
        let status = response.status();
        let quota = self.note(&response);
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            let retry_after = quota.wait().unwrap_or_default();
            return Err(ApiError::RateLimited { retry_after });
        }
        answer::parse(status, &answer::body(response, limit).await?)
    }

    fn note(&self, response: &reqwest::Response) -> Quota {
        let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        quota.note(response.status(), response.headers());
        *quota
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

fn authorization(token: &Secret) -> Result<HeaderValue, ApiError> {
    let mut value =
        HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| ApiError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

fn with_body(request: RequestBuilder, body: &impl Serialize) -> Result<RequestBuilder, ApiError> {
    let body = serde_json::to_vec(body).map_err(|source| ApiError::NotJson {
        status: 0,
        source: Arc::new(source),
    })?;
    Ok(request
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .body(body))
}
