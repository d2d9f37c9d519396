//! Records as the API has them. What we do not know is kept and never fails a list: a zone holds CAA, HTTPS and
//! whatever comes next, and none of them is our business.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The type of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Text.
    Txt,
    /// Any other, by its name.
    Other(String),
}

/// A record of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The API's identifier.
    pub id: String,
    /// The whole name, without a trailing dot.
    pub name: String,
    /// Its type.
    pub kind: RecordType,
    /// An address, a name, a text; empty where a type has none.
    pub content: String,
    /// Seconds; 1 is automatic.
    pub ttl: u32,
    /// Whether Cloudflare stands in between.
    pub proxied: bool,
    /// A note of whoever keeps the zone.
    pub comment: Option<String>,
    /// Likewise.
    pub tags: Vec<String>,
    /// The whole of it, for types that are no more than a name to us.
    pub raw: Option<Value>,
}

/// A record to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewRecord {
    /// The whole name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: RecordType,
    /// An address, a name, a text.
    pub content: String,
    /// Seconds; 1 is automatic.
    pub ttl: u32,
    /// Whether Cloudflare stands in between; `None` for types that cannot be proxied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxied: Option<bool>,
    /// A note of whoever keeps the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What to change about a record; the rest stays as it is, even if somebody changes it meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecordPatch {
    /// An address, a name, a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Seconds; 1 is automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// Whether Cloudflare stands in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxied: Option<bool>,
}

impl RecordPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RecordType {
    /// As the API writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Txt => "TXT",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for RecordType {
    fn from(name: &str) -> Self {
        match name {
            "A" => Self::A,
            "AAAA" => Self::Aaaa,
            "CNAME" => Self::Cname,
            "TXT" => Self::Txt,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RecordType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let kind = RecordType::from(value.get("type").and_then(Value::as_str).unwrap_or_default());
        match kind {
            RecordType::Other(_) => Ok(unknown(kind, value)),
            // Of those that we plan with, everything has to be there.
            _ => Ok(known(
                kind,
                Known::deserialize(value).map_err(serde::de::Error::custom)?,
            )),
        }
    }
}

/// The fields that are read; others may come and go.
#[derive(Deserialize)]
struct Known {
    id: String,
    name: String,
    content: String,
    ttl: u32,
    #[serde(default)]
    proxied: Option<bool>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

fn known(kind: RecordType, fields: Known) -> Record {
    Record {
        id: fields.id,
        name: canonical(&fields.name),
        kind,
        content: fields.content,
        ttl: fields.ttl,
        proxied: fields.proxied.unwrap_or_default(),
        comment: fields.comment,
        tags: fields.tags.unwrap_or_default(),
        raw: None,
    }
}

fn unknown(kind: RecordType, value: Value) -> Record {
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    Record {
        id: text("id").unwrap_or_default(),
        name: canonical(&text("name").unwrap_or_default()),
        kind,
        content: text("content").unwrap_or_default(),
        ttl: value
            .get("ttl")
            .and_then(Value::as_u64)
            .and_then(|ttl| u32::try_from(ttl).ok())
            .unwrap_or(1),
        proxied: value.get("proxied").and_then(Value::as_bool).unwrap_or_default(),
        comment: text("comment"),
        tags: Vec::new(),
        raw: Some(value),
    }
}

/// Names are compared as texts; their case does not count.
fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
