//! A plan -> calls. What belongs together happens together or not at all; what fails is told and holds up nothing
//! else. Dropping the future at any point is safe: the next round lists what is there, and goes on from that.

use std::collections::BTreeMap;
use std::fmt;

use super::{Kind, Part, Plan, Subject};
use crate::cloudflare::{ApiError, BATCH_LIMIT, Batch, Client};

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Records that were made, changed or deleted, marks among them.
    pub done: usize,
    /// What was refused; the rest went on.
    pub failures: Vec<Failure>,
    /// Why it stopped before its end: the limit of calls, the token, the network.
    pub stopped: Option<ApiError>,
}

/// Changes that were refused.
#[derive(Debug)]
pub struct Failure {
    /// Which: `A www.example.com`.
    pub what: String,
    /// Why.
    pub error: ApiError,
}

/// What happens in one transaction at the least: a record set and its mark; or all of a host, where one kind makes
/// room for another.
struct Unit {
    host: String,
    kinds: Vec<Kind>,
    batch: Batch,
}

/// Carries out a plan.
pub async fn apply(plan: &Plan, zone_id: &str, client: &Client) -> Applied {
    let mut applied = Applied::default();
    for chunk in chunks(units(plan)) {
        if let Err(error) = carry_out(chunk, zone_id, client, &mut applied).await {
            applied.stopped = Some(error);
            break;
        }
    }
    applied
}

/// One call for the whole chunk. If the API refuses it, nothing of it has happened: then unit by unit.
async fn carry_out(
    chunk: Vec<Unit>,
    zone_id: &str,
    client: &Client,
    applied: &mut Applied,
) -> Result<(), ApiError> {
    let mut whole = Batch::default();
    chunk.iter().for_each(|unit| whole.extend(unit.batch.clone()));
    let refused = match client.batch(zone_id, &whole).await {
        Ok(()) => {
            applied.done += whole.len();
            return Ok(());
        }
        Err(error) => error,
    };
    if chunk.len() == 1 {
        return applied.refused(&chunk, refused);
    }
    if ends_all(&refused) && !refused.is_full() {
        return Err(refused);
    }
    for unit in chunk {
        match client.batch(zone_id, &unit.batch).await {
            Ok(()) => applied.done += unit.batch.len(),
            Err(error) => applied.refused(&[unit], error)?,
        }
    }
    Ok(())
}

impl Applied {
    fn refused(&mut self, units: &[Unit], error: ApiError) -> Result<(), ApiError> {
        if ends_all(&error) {
            return Err(error);
        }
        self.failures.extend(units.iter().map(|unit| Failure {
            what: unit.to_string(),
            error: error.clone(),
        }));
        Ok(())
    }
}

/// Whether no other call would fare better. Only what the API refuses for its own sake lets others try.
fn ends_all(error: &ApiError) -> bool {
    let refused = matches!(error, ApiError::Api { .. });
    !refused || error.is_transient() || error.is_auth() || error.is_full() || error.is_zone_gone()
}

/// Whole units, as many as fit into a call. What makes room comes first: a full zone takes no record before.
fn chunks(mut units: Vec<Unit>) -> Vec<Vec<Unit>> {
    units.sort_by_key(|unit| !unit.batch.posts.is_empty());
    let mut chunks: Vec<Vec<Unit>> = Vec::new();
    let mut room = 0;
    for unit in units {
        match chunks.last_mut() {
            Some(chunk) if unit.batch.len() <= room => {
                room -= unit.batch.len();
                chunk.push(unit);
            }
            _ => {
                room = BATCH_LIMIT.saturating_sub(unit.batch.len());
                chunks.push(vec![unit]);
            }
        }
    }
    chunks
}

fn units(plan: &Plan) -> Vec<Unit> {
    let mut units = Units::of(plan);
    for delete in &plan.deletes {
        units
            .batch(&delete.subject)
            .deletes
            .push(delete.before.id.clone());
    }
    for update in &plan.updates {
        let patch = (update.before.id.clone(), update.patch.clone());
        units.batch(&update.subject).patches.push(patch);
    }
    // Marks first, as the plan has them sorted: nothing is there before it is said whose it is.
    for part in [Part::Mark, Part::Record] {
        for create in plan.creates.iter().filter(|create| create.subject.part == part) {
            units.batch(&create.subject).posts.push(create.record.clone());
        }
    }
    units.units.into_values().collect()
}

/// Units by host and, unless a CNAME is among its changes, by kind.
struct Units {
    units: BTreeMap<(String, Option<Kind>), Unit>,
    whole: Vec<String>,
}

impl Units {
    fn of(plan: &Plan) -> Self {
        let creates = plan.creates.iter().map(|create| &create.subject);
        let updates = plan.updates.iter().map(|update| &update.subject);
        let deletes = plan.deletes.iter().map(|delete| &delete.subject);
        let subjects = creates.chain(updates).chain(deletes);
        let mut whole: Vec<String> = subjects
            .filter(|subject| subject.kind == Kind::Cname)
            .map(|subject| subject.host.clone())
            .collect();
        whole.sort();
        Self {
            units: BTreeMap::new(),
            whole,
        }
    }

    fn batch(&mut self, subject: &Subject) -> &mut Batch {
        let whole = self.whole.binary_search(&subject.host).is_ok();
        let key = (subject.host.clone(), (!whole).then_some(subject.kind));
        let unit = self.units.entry(key).or_insert_with(|| Unit {
            host: subject.host.clone(),
            kinds: Vec::new(),
            batch: Batch::default(),
        });
        if !unit.kinds.contains(&subject.kind) {
            unit.kinds.push(subject.kind);
        }
        &mut unit.batch
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, kind) in self.kinds.iter().enumerate() {
            let separator = if nth == 0 { "" } else { "/" };
            write!(f, "{separator}{kind}")?;
        }
        write!(f, " {}", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudflare::NewRecord;
    use crate::dns::Create;

    fn creates(host: &str, kinds: &[Kind]) -> Vec<Create> {
        let parts = [Part::Record, Part::Mark];
        let subjects = kinds.iter().flat_map(|kind| parts.map(|part| (*kind, part)));
        let creates = subjects.map(|(kind, part)| Create {
            subject: Subject {
                host: host.to_owned(),
                kind,
                part,
            },
            record: NewRecord {
                name: format!("{part:?}-{kind}-{host}"),
                kind: kind.record_type(),
                content: String::new(),
                ttl: 1,
                proxied: None,
                comment: None,
            },
        });
        creates.collect()
    }

    fn plan_of(hosts: usize, kinds: &[Kind]) -> Plan {
        Plan {
            creates: (0..hosts)
                .flat_map(|nth| creates(&format!("h{nth:04}.ex.com"), kinds))
                .collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn dns_a_record_and_its_mark_are_in_the_same_call_and_calls_are_few() {
        let chunks = chunks(units(&plan_of(1001, &[Kind::A])));
        let sizes: Vec<usize> = chunks
            .iter()
            .map(|chunk| chunk.iter().map(|unit| unit.batch.len()).sum())
            .collect();
        assert_eq!(sizes, [[200; 10].as_slice(), &[2]].concat());
        for unit in chunks.iter().flatten() {
            let names: Vec<&str> = unit.batch.posts.iter().map(|post| post.name.as_str()).collect();
            assert_eq!(
                names,
                [format!("Mark-A-{}", unit.host), format!("Record-A-{}", unit.host)]
            );
        }
    }

    #[test]
    fn dns_families_are_by_themselves_and_a_switch_is_whole() {
        let apart = units(&plan_of(1, &[Kind::A, Kind::Aaaa]));
        assert_eq!(
            apart.iter().map(Unit::to_string).collect::<Vec<_>>(),
            ["A h0000.ex.com", "AAAA h0000.ex.com"]
        );
        let together = units(&plan_of(1, &[Kind::Aaaa, Kind::Cname]));
        assert_eq!(
            together.iter().map(Unit::to_string).collect::<Vec<_>>(),
            ["AAAA/CNAME h0000.ex.com"]
        );
    }
}
