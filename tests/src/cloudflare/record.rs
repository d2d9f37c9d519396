//! A DNS record as the API has it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

/// One record of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// 32 hexadecimal digits.
    pub id: String,
    /// `type`.
    pub kind: String,
    /// The full name in lower case, without a dot at its end.
    pub name: String,
    /// As the API shows it.
    pub content: String,
    /// Seconds; 1 is automatic.
    pub ttl: u32,
    /// Whether the DNS shows the proxy's addresses instead.
    pub proxied: bool,
    /// The note.
    pub comment: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Of MX and URI.
    pub priority: Option<u16>,
    /// Of the types that have parts.
    pub data: Option<Value>,
    /// Settings that the fake keeps and does not heed.
    pub settings: Value,
    /// RFC 3339.
    pub created_on: String,
    /// RFC 3339.
    pub modified_on: String,
}

impl Record {
    /// Whether the proxy could serve it.
    pub fn proxiable(&self) -> bool {
        is_proxiable_type(&self.kind) && !is_private(&self.content)
    }

    pub(super) fn json(&self, zone: &str) -> Value {
        let mut json = json!({
            "id": self.id, "zone_name": zone, "name": self.name, "type": self.kind, "content": self.content,
            "proxiable": self.proxiable(), "proxied": self.proxied, "ttl": self.ttl, "settings": self.settings,
            "meta": {}, "comment": self.comment, "tags": self.tags,
            "created_on": self.created_on, "modified_on": self.modified_on,
        });
        if let Some(priority) = self.priority {
            json["priority"] = json!(priority);
        }
        if let Some(data) = &self.data {
            json["data"] = data.clone();
        }
        if self.comment.is_some() {
            json["comment_modified_on"] = json!(self.modified_on);
        }
        json
    }
}

/// The types that the proxy can serve.
pub(super) fn is_proxiable_type(kind: &str) -> bool {
    matches!(kind, "A" | "AAAA" | "CNAME")
}

/// Where the proxy never goes: the networks that the internet does not route.
pub(super) fn is_private(content: &str) -> bool {
    match content.parse() {
        Ok(IpAddr::V4(address)) => is_private_v4(address),
        Ok(IpAddr::V6(address)) => is_private_v6(address),
        Err(_) => false,
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || (first == 100 && (64..128).contains(&second))
        || first >= 224
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
}
