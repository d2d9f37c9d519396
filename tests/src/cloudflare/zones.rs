//! The routes, `/user/tokens/verify` and `/zones`.

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::auth::{Access, Grant};
use super::error::{Answer, ApiError, Success};
use super::query::Query;
use super::records::Change;
use super::state::State;
use super::zone::Zone;

/// A request as far as the API looks at it.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl State {
    /// Does what is asked by the holder of `token`.
    pub(super) fn answer(&mut self, asked: &Asked<'_>, token: &str) -> Answer {
        let no_route = || ApiError::no_route(asked.path);
        let path = asked.path.strip_prefix("/client/v4/").ok_or_else(no_route)?;
        let segments: Vec<&str> = path.split('/').collect();
        let query = Query::parse(asked.query)?;
        let grant = self.tokens.grant(token);
        if segments == ["user", "tokens", "verify"] {
            query.none()?;
            asked.expect_method(&["GET"])?;
            return verify(grant);
        }
        let grant = grant.ok_or_else(ApiError::invalid_access_token)?;
        match segments[..] {
            ["zones"] => {
                asked.expect_method(&["GET"])?;
                self.list_zones(&grant, &query)
            }
            ["zones", id] if is_id(id) => {
                asked.expect_method(&["GET"])?;
                query.none()?;
                self.one_zone(&grant, id)
            }
            ["zones", id, "dns_records", ref rest @ ..] if is_id(id) && rest.len() <= 1 => {
                let zone = self.zone_index(id)?;
                self.dns_records(zone, rest.first().copied(), asked, &grant, &query)
            }
            _ => Err(no_route()),
        }
    }

    fn dns_records(
        &mut self,
        zone: usize,
        rest: Option<&str>,
        asked: &Asked<'_>,
        grant: &Grant,
        query: &Query,
    ) -> Answer {
        let access = match asked.method {
            "GET" => Access::Read,
            _ => Access::Edit,
        };
        if !grant.allows(&self.zones[zone].name, access) {
            return Err(ApiError::authentication());
        }
        if (asked.method, rest) != ("GET", None) {
            query.none()?;
        }
        match (asked.method, rest) {
            ("GET", None) => self.list_records(zone, query),
            ("POST", None) => self.change_record(zone, Change::Post, &asked.json()?),
            ("POST", Some("batch")) => self.batch(zone, &asked.json()?),
            (_, None) => Err(ApiError::method_not_allowed(asked.method)),
            (_, Some(id)) if !is_id(id) => Err(ApiError::no_route(asked.path)),
            ("GET", Some(id)) => self.one_record(zone, id),
            ("PUT", Some(id)) => self.change_record(zone, Change::Put(id), &asked.json()?),
            ("PATCH", Some(id)) => self.change_record(zone, Change::Patch(id), &asked.json()?),
            ("DELETE", Some(id)) => self.change_record(zone, Change::Delete(id), &asked.empty()?),
            _ => Err(ApiError::method_not_allowed(asked.method)),
        }
    }

    fn list_zones(&self, grant: &Grant, query: &Query) -> Answer {
        query.only(&["name", "status", "page", "per_page"])?;
        let page = query.page(20, 5, 50)?;
        let in_status = |zone: &&Zone| query.value("status").is_none_or(|status| status == zone.status);
        let named = |zone: &&Zone| {
            query
                .value("name")
                .is_none_or(|name| name.eq_ignore_ascii_case(&zone.name))
        };
        let zones = self.zones.iter().filter(|zone| grant.reads(&zone.name));
        let zones: Vec<&Zone> = zones.filter(named).filter(in_status).collect();
        let (info, shown) = page.cut(&zones);
        let mut answer = Success::new(shown.iter().map(|zone| zone.json()).collect());
        answer.result_info = Some(info);
        Ok(answer)
    }

    fn one_zone(&self, grant: &Grant, id: &str) -> Answer {
        let zone = &self.zones[self.zone_index(id)?];
        match grant.reads(&zone.name) {
            true => Ok(Success::new(zone.json())),
            false => Err(ApiError::unauthorized_resource()),
        }
    }

    fn zone_index(&self, id: &str) -> Result<usize, ApiError> {
        let index = self.zones.iter().position(|zone| zone.id == id);
        index.ok_or_else(ApiError::unknown_zone)
    }
}

impl Asked<'_> {
    fn expect_method(&self, known: &[&str]) -> Result<(), ApiError> {
        match known.contains(&self.method) {
            true if self.body.is_empty() => Ok(()),
            true => Err(ApiError::strict("a GET has no body")),
            false => Err(ApiError::method_not_allowed(self.method)),
        }
    }

    /// The body, which must be a JSON object and say that it is.
    fn json(&self) -> Result<Map<String, Value>, ApiError> {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.and_then(|kind| kind.split(';').next()) != Some("application/json") {
            return Err(ApiError::strict("the body must be application/json"));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(body)) => Ok(body),
            Ok(_) => Err(ApiError::bad_body("it must be an object")),
            Err(_) => Err(ApiError::not_json()),
        }
    }

    /// No body, or an empty object.
    fn empty(&self) -> Result<Map<String, Value>, ApiError> {
        match self.body.is_empty() {
            true => Ok(Map::new()),
            false => self.json().and_then(|body| match body.is_empty() {
                true => Ok(body),
                false => Err(ApiError::strict("a delete has no fields")),
            }),
        }
    }
}

fn verify(grant: Option<Grant>) -> Answer {
    let grant = grant.ok_or_else(ApiError::invalid_token)?;
    let mut answer = Success::new(json!({"id": grant.id, "status": "active"}));
    let message = "This API Token is valid and active";
    answer
        .messages
        .push(json!({"code": 10_000, "message": message, "type": null}));
    Ok(answer)
}

/// 32 hexadecimal digits in lower case.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
