//! `/zones/{id}/dns_records`: reading and single changes.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::conflict;
use super::draft::{self, Ground};
use super::error::{Answer, ApiError, Success};
use super::query::{self, Query};
use super::record::Record;
use super::state::{Rules, State};

/// What the real API says to TXT content without quotation marks.
const UNQUOTED: &str = "The content field of TXT records must be in quotation marks. Cloudflare may add quotation \
    marks on your behalf, which will not affect how the record works.";

impl State {
    pub(super) fn list_records(&self, zone: usize, query: &Query) -> Answer {
        let zone = &self.zones[zone];
        let (page, records) = query::records(query, &zone.records)?;
        let (info, shown) = page.cut(&records);
        let shown: Vec<Value> = shown.iter().map(|record| record.json(&zone.name)).collect();
        let mut answer = Success::new(Value::Array(shown));
        answer.result_info = Some(info);
        Ok(answer)
    }

    pub(super) fn one_record(&self, zone: usize, id: &str) -> Answer {
        let zone = &self.zones[zone];
        let record = find(&zone.records, id)?;
        Ok(Success::new(record.json(&zone.name)))
    }

    /// One change, seen by the DNS if it succeeds.
    pub(super) fn change_record(
        &mut self,
        zone: usize,
        change: Change<'_>,
        body: &Map<String, Value>,
    ) -> Answer {
        let (id, rules) = (self.next_id(), self.rules);
        let zone = &mut self.zones[zone];
        let record = apply(&mut zone.records, &zone.name, &id, rules, &change, body)?;
        zone.changed(Instant::now());
        let mut answer = match change {
            Change::Delete(_) => Success::new(json!({"id": record.id})),
            _ => Success::new(record.json(&zone.name)),
        };
        if body
            .get("content")
            .and_then(Value::as_str)
            .is_some_and(|text| !text.starts_with('"'))
            && record.kind == "TXT"
        {
            answer.messages.push(json!({"code": 10_000, "message": UNQUOTED}));
        }
        Ok(answer)
    }
}

/// What is done to which record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    Post,
    Put(&'a str),
    Patch(&'a str),
    Delete(&'a str),
}

/// Does it, or leaves the records as they are. `new_id` is the id of a record that is made.
pub(super) fn apply(
    records: &mut Vec<Record>,
    zone: &str,
    new_id: &str,
    rules: Rules,
    change: &Change<'_>,
    body: &Map<String, Value>,
) -> Result<Record, ApiError> {
    let old = match change {
        Change::Post => None,
        Change::Put(id) | Change::Patch(id) | Change::Delete(id) => Some(find(records, id)?.clone()),
    };
    if let (Change::Delete(id), Some(old)) = (change, &old) {
        records.retain(|record| record.id != *id);
        return Ok(old.clone());
    }
    let created_on = old.as_ref().map_or_else(draft::now, |old| old.created_on.clone());
    let ground = Ground {
        zone,
        base: old.as_ref().filter(|_| matches!(change, Change::Patch(_))),
        id: old.as_ref().map_or(new_id, |old| &old.id),
        created_on: &created_on,
        rules,
    };
    let record = ground.record(body)?;
    conflict::check(&record, records)?;
    match records.iter().position(|known| known.id == record.id) {
        Some(known) => records[known] = record.clone(),
        None if records.len() >= rules.record_quota => return Err(ApiError::record_quota()),
        None => records.push(record.clone()),
    }
    Ok(record)
}

fn find<'a>(records: &'a [Record], id: &str) -> Result<&'a Record, ApiError> {
    let record = records.iter().find(|record| record.id == id);
    record.ok_or_else(ApiError::record_not_found)
}
