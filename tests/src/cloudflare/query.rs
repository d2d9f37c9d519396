//! Query parameters: filters, order and pages.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::error::ApiError;
use super::record::Record;

/// The parameters in their order, decoded.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

/// Which part of a list is wanted.
#[derive(Debug)]
pub(super) struct Page {
    page: usize,
    per_page: usize,
}

impl Query {
    /// Of the text after the question mark; a parameter that is given twice is a mistake.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(ApiError::strict(&format!("{name} is given twice")));
            }
            pairs.push((name, decoded(value)?));
        }
        Ok(Query(pairs))
    }

    /// Refuses every parameter.
    pub(super) fn none(&self) -> Result<(), ApiError> {
        self.only(&[])
    }

    /// Refuses parameters but these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(ApiError::strict(&format!("unknown parameter {name}"))),
            None => Ok(()),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// `page` and `per_page`.
    pub(super) fn page(&self, default: usize, least: usize, most: usize) -> Result<Page, ApiError> {
        let number = |name: &str, default: usize, least: usize, most: usize| match self.value(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if (least..=most).contains(&number) => Ok(number),
                _ => Err(ApiError::strict(&format!(
                    "{name} must be a number from {least} to {most}"
                ))),
            },
        };
        Ok(Page {
            page: number("page", 1, 1, usize::MAX)?,
            per_page: number("per_page", default, least, most)?,
        })
    }
}

impl Page {
    /// `result_info` and what stands on the page.
    pub(super) fn cut<'a, T>(&self, all: &'a [T]) -> (Value, &'a [T]) {
        let start = (self.page - 1).saturating_mul(self.per_page).min(all.len());
        let shown = &all[start..start.saturating_add(self.per_page).min(all.len())];
        let info = json!({
            "page": self.page, "per_page": self.per_page, "count": shown.len(), "total_count": all.len(),
            "total_pages": all.len().div_ceil(self.per_page),
        });
        (info, shown)
    }
}

const NAME: [&str; 5] = [
    "name",
    "name.exact",
    "name.contains",
    "name.startswith",
    "name.endswith",
];
const CONTENT: [&str; 5] = [
    "content",
    "content.exact",
    "content.contains",
    "content.startswith",
    "content.endswith",
];
const COMMENT: [&str; 7] = [
    "comment",
    "comment.exact",
    "comment.contains",
    "comment.startswith",
    "comment.endswith",
    "comment.present",
    "comment.absent",
];
const OTHERS: [&str; 7] = [
    "type",
    "proxied",
    "match",
    "order",
    "direction",
    "page",
    "per_page",
];

/// The page that is wanted, and the records that match in the order that is wanted.
pub(super) fn records<'a>(query: &Query, records: &'a [Record]) -> Result<(Page, Vec<&'a Record>), ApiError> {
    let known: Vec<&str> = [&NAME[..], &CONTENT, &COMMENT, &OTHERS].concat();
    query.only(&known)?;
    let page = query.page(100, 1, 5_000_000)?;
    let any = choice(query, "match", &["all", "any"])? == Some("any");
    let proxied = choice(query, "proxied", &["true", "false"])?;
    let mut matching: Vec<&Record> = Vec::new();
    for record in records {
        let mut told = Vec::new();
        for (name, value) in &query.0 {
            told.extend(matches(record, name, value, proxied));
        }
        let wanted = match any {
            _ if told.is_empty() => true,
            true => told.contains(&true),
            false => !told.contains(&false),
        };
        if wanted {
            matching.push(record);
        }
    }
    let order = choice(query, "order", &["type", "name", "content", "ttl", "proxied"])?;
    let down = choice(query, "direction", &["asc", "desc"])? == Some("desc");
    if let Some(order) = order {
        matching.sort_by(|a, b| {
            let ordering = compare(order, a, b);
            if down { ordering.reverse() } else { ordering }
        });
    }
    Ok((page, matching))
}

/// What a filter says of a record; nothing if the parameter is none.
fn matches(record: &Record, parameter: &str, value: &str, proxied: Option<&str>) -> Option<bool> {
    let (field, how) = parameter.split_once('.').unwrap_or((parameter, "exact"));
    let comment = record.comment.as_deref();
    let text = match field {
        "type" => return Some(record.kind == value),
        "proxied" => return Some(record.proxied == (proxied == Some("true"))),
        "name" => record.name.as_str(),
        "content" => record.content.as_str(),
        "comment" if how == "present" => return Some(comment.is_some()),
        "comment" if how == "absent" => return Some(comment.is_none()),
        "comment" => match comment {
            Some(comment) => comment,
            None => return Some(false),
        },
        _ => return None,
    };
    let (text, value) = (text.to_lowercase(), value.to_lowercase());
    Some(match how {
        "contains" => text.contains(&value),
        "startswith" => text.starts_with(&value),
        "endswith" => text.ends_with(&value),
        _ => text == value,
    })
}

fn compare(order: &str, a: &Record, b: &Record) -> Ordering {
    match order {
        "type" => a.kind.cmp(&b.kind),
        "name" => a.name.cmp(&b.name),
        "content" => a.content.cmp(&b.content),
        "ttl" => a.ttl.cmp(&b.ttl),
        _ => a.proxied.cmp(&b.proxied),
    }
}

fn choice<'a>(query: &'a Query, name: &str, known: &[&str]) -> Result<Option<&'a str>, ApiError> {
    match query.value(name) {
        Some(value) if !known.contains(&value) => {
            Err(ApiError::strict(&format!("{name} must be one of {known:?}")))
        }
        value => Ok(value),
    }
}

fn decoded(text: &str) -> Result<String, ApiError> {
    let bad = || ApiError::strict("a parameter is badly encoded");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                rest = rest.get(2..).unwrap_or_default();
                digits
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(bad)?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}
