//! `/zones/{id}/dns_records/batch`: all changes or none.

use std::time::Instant;

use serde_json::{Map, Value};

use super::error::{Answer, ApiError, Success};
use super::records::{Change, apply};
use super::state::State;

/// The parts of a batch in the order in which they are done, whatever order the body has.
const ORDER: [&str; 4] = ["deletes", "patches", "puts", "posts"];

impl State {
    /// Does every operation in the documented order; after an error the zone is as it was.
    pub(super) fn batch(&mut self, zone: usize, body: &Map<String, Value>) -> Answer {
        if let Some(unknown) = body.keys().find(|key| !ORDER.contains(&key.as_str())) {
            return Err(ApiError::strict(&format!("unknown field {unknown}")));
        }
        let mut operations = Vec::new();
        for part in ORDER {
            for operation in list(body, part)? {
                operations.push((part, operation));
            }
        }
        if operations.len() > self.rules.batch_limit {
            return Err(ApiError::batch_limit(self.rules.batch_limit));
        }
        let (name, rules) = (self.zones[zone].name.clone(), self.rules);
        let mut records = self.zones[zone].records.clone();
        let mut result = Map::from_iter(ORDER.map(|part| (part.to_owned(), Value::Array(Vec::new()))));
        for (part, operation) in operations {
            let (id, fields) = split(part, operation)?;
            let change = match part {
                "deletes" => Change::Delete(&id),
                "patches" => Change::Patch(&id),
                "puts" => Change::Put(&id),
                _ => Change::Post,
            };
            let record = apply(&mut records, &name, &self.next_id(), rules, &change, &fields)?;
            if let Some(Value::Array(done)) = result.get_mut(part) {
                done.push(record.json(&name));
            }
        }
        let zone = &mut self.zones[zone];
        zone.records = records;
        zone.changed(Instant::now());
        Ok(Success::new(Value::Object(result)))
    }
}

fn list<'a>(body: &'a Map<String, Value>, part: &str) -> Result<&'a [Value], ApiError> {
    match body.get(part) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(operations)) => Ok(operations),
        Some(_) => Err(ApiError::bad_body(&format!("{part} must be a list"))),
    }
}

/// The id and the other fields of an operation. A post has no id, and a delete nothing else.
fn split(part: &str, operation: &Value) -> Result<(String, Map<String, Value>), ApiError> {
    let Value::Object(fields) = operation else {
        return Err(ApiError::bad_body(&format!("{part} must hold objects")));
    };
    let mut fields = fields.clone();
    let id = fields.remove("id");
    match (part, id) {
        ("posts", None) => Ok((String::new(), fields)),
        ("posts", Some(_)) => Err(ApiError::strict("a post has no id")),
        ("deletes", Some(_)) if !fields.is_empty() => Err(ApiError::strict("a delete has an id and no more")),
        (_, Some(Value::String(id))) => Ok((id, fields)),
        _ => Err(ApiError::bad_body(&format!("{part} must have an id"))),
    }
}
