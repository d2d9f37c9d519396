//! From the body of a request to a record that is valid by itself.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::content;
use super::error::ApiError;
use super::record::{Record, is_private, is_proxiable_type};
use super::state::Rules;

/// What a body may name.
const FIELDS: [&str; 9] = [
    "type", "name", "content", "ttl", "proxied", "comment", "tags", "priority", "data",
];

/// What the API keeps of a comment on the free plan.
const COMMENT_LIMIT: usize = 100;

/// What a record is made over.
pub(super) struct Ground<'a> {
    /// The name of the zone.
    pub zone: &'a str,
    /// The record that is changed, for what the body does not name (PATCH).
    pub base: Option<&'a Record>,
    /// The record's id and the time of its creation.
    pub id: &'a str,
    pub created_on: &'a str,
    pub rules: Rules,
}

impl Ground<'_> {
    /// The record that the body describes.
    pub(super) fn record(&self, body: &Map<String, Value>) -> Result<Record, ApiError> {
        let known = |field: &&String| FIELDS.contains(&field.as_str()) || *field == "settings";
        if let Some(unknown) = body.keys().find(|field| !known(field)) {
            return Err(ApiError::strict(&format!("unknown field {unknown}")));
        }
        let kind = self.required("type", string(body, "type")?, |base| &base.kind)?;
        let name = self.required("name", string(body, "name")?, |base| &base.name)?;
        let name = content::name(&name, self.zone)?;
        let data = body
            .get("data")
            .or(self.base.and_then(|base| base.data.as_ref()))
            .cloned();
        let content = match data.as_ref().and_then(|data| content::of_data(&kind, data)) {
            Some(content) => content,
            None => {
                let content = self.required("content", string(body, "content")?, |base| &base.content)?;
                content::normalised(&kind, &content, self.rules.quotes_txt)?
            }
        };
        let proxied = boolean(body, "proxied")?
            .or(self.base.map(|base| base.proxied))
            .unwrap_or(false);
        let ttl = integer(body, "ttl")?
            .or(self.base.map(|base| u64::from(base.ttl)))
            .unwrap_or(1);
        let mut record = Record {
            id: self.id.to_owned(),
            ttl: valid_ttl(ttl)?,
            proxied,
            comment: comment(body, self.base)?,
            tags: tags(body)?,
            priority: priority(body, &kind, self.base)?,
            data,
            settings: self.settings(body),
            created_on: self.created_on.to_owned(),
            modified_on: now(),
            kind,
            name,
            content,
        };
        check_proxy(&record)?;
        if record.proxied {
            record.ttl = 1;
        }
        Ok(record)
    }

    fn settings(&self, body: &Map<String, Value>) -> Value {
        let given = body.get("settings").or(self.base.map(|base| &base.settings));
        given.cloned().unwrap_or_else(|| json!({}))
    }

    fn required(
        &self,
        field: &str,
        given: Option<String>,
        of_base: impl Fn(&Record) -> &String,
    ) -> Result<String, ApiError> {
        let value = given.or_else(|| self.base.map(|base| of_base(base).clone()));
        value.ok_or_else(|| ApiError::bad_body(&format!("{field} is a required field")))
    }
}

/// A record of any type with whatever the body says.
pub(super) fn unchecked(body: &Value, zone: &str, id: &str) -> Record {
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let kind = text("type").expect("a record has a type");
    let data = body.get("data").cloned();
    let of_data = || data.as_ref().and_then(|data| content::of_data(&kind, data));
    let number = |field: &str| body[field].as_u64().map(|number| number as u32);
    let name = text("name").expect("a record has a name");
    Record {
        id: id.to_owned(),
        name: content::name(&name, zone).expect("a record has a valid name"),
        content: text("content").or_else(of_data).unwrap_or_default(),
        ttl: number("ttl").unwrap_or(1),
        proxied: body["proxied"].as_bool().unwrap_or(false),
        comment: text("comment"),
        tags: Vec::new(),
        priority: number("priority").map(|number| number as u16),
        data,
        settings: json!({}),
        created_on: now(),
        modified_on: now(),
        kind,
    }
}

/// The time as the API writes it.
pub(super) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap()
}

fn valid_ttl(ttl: u64) -> Result<u32, ApiError> {
    match u32::try_from(ttl) {
        Ok(ttl @ (1 | 60..=86_400)) => Ok(ttl),
        _ => {
            let message = "TTL must be between 60 and 86400 seconds, or 1 for Automatic.";
            Err(ApiError::invalid_record(9021, message))
        }
    }
}

fn check_proxy(record: &Record) -> Result<(), ApiError> {
    if record.proxied && !is_proxiable_type(&record.kind) {
        return Err(ApiError::invalid_record(
            9004,
            "This record type cannot be proxied.",
        ));
    }
    if record.proxied && is_private(&record.content) {
        return Err(ApiError::private_target(&record.content));
    }
    Ok(())
}

/// Null takes the comment away.
fn comment(body: &Map<String, Value>, base: Option<&Record>) -> Result<Option<String>, ApiError> {
    match body.get("comment") {
        None => Ok(base.and_then(|base| base.comment.clone())),
        Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= COMMENT_LIMIT => Ok(Some(text.clone())),
        // The limit is documented, the number is not.
        Some(Value::String(_)) => Err(ApiError::bad_body("comment exceeds 100 characters")),
        Some(_) => Err(ApiError::bad_body("comment must be a string")),
    }
}

/// Free zones have no tags.
fn tags(body: &Map<String, Value>) -> Result<Vec<String>, ApiError> {
    match body.get("tags").map(Value::as_array) {
        None => Ok(Vec::new()),
        Some(Some(tags)) if tags.is_empty() => Ok(Vec::new()),
        Some(Some(tags)) => {
            let message = format!("DNS record has {} tags, exceeding the quota of 0.", tags.len());
            Err(ApiError::invalid_record(9300, &message))
        }
        Some(None) => Err(ApiError::bad_body("tags must be a list")),
    }
}

fn priority(body: &Map<String, Value>, kind: &str, base: Option<&Record>) -> Result<Option<u16>, ApiError> {
    let given = integer(body, "priority")?.or(base.and_then(|base| base.priority).map(u64::from));
    match (kind, given) {
        ("MX" | "URI", None) => Err(ApiError::bad_body("priority is a required field")),
        ("MX" | "URI" | "SRV", Some(priority)) => match u16::try_from(priority) {
            Ok(priority) => Ok(Some(priority)),
            Err(_) => Err(ApiError::bad_body("priority must be at most 65535")),
        },
        // Ignored for the other types, which is documented.
        _ => Ok(None),
    }
}

fn string(body: &Map<String, Value>, field: &str) -> Result<Option<String>, ApiError> {
    match body.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::bad_body(&format!("{field} must be a string"))),
    }
}

fn boolean(body: &Map<String, Value>, field: &str) -> Result<Option<bool>, ApiError> {
    match body.get(field) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(ApiError::bad_body(&format!("{field} must be a boolean"))),
    }
}

fn integer(body: &Map<String, Value>, field: &str) -> Result<Option<u64>, ApiError> {
    match body.get(field) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(ApiError::bad_body(&format!("{field} must be a number"))),
        },
    }
}
