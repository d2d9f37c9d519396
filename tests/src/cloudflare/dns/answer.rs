//! From a question to an authoritative answer.

use hickory_proto::op::{Edns, Message, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};

use super::view::{View, lower};

/// What the name servers take over UDP.
const PAYLOAD: u16 = 1232;

/// More aliases than this are a loop.
const MOST_ALIASES: usize = 8;

/// The answer of a server that knows these zones and nothing else.
pub(super) fn answer(views: &[View], request: &Message) -> Message {
    if request.metadata.op_code != OpCode::Query {
        return error(request, ResponseCode::NotImp);
    }
    let [query] = request.queries.as_slice() else {
        return error(request, ResponseCode::FormErr);
    };
    if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        return error(request, ResponseCode::BADVERS);
    }
    let kind = query.query_type();
    let transfer = matches!(kind, RecordType::AXFR | RecordType::IXFR);
    if query.query_class() != DNSClass::IN || transfer || zone_of(views, &lower(query.name())).is_none() {
        return error(request, ResponseCode::Refused);
    }
    let mut answer = error(request, ResponseCode::NoError);
    answer.metadata.authoritative = true;
    fill(views, query.name(), kind, MOST_ALIASES, &mut answer);
    answer
}

/// An answer without records.
pub(super) fn error(request: &Message, code: ResponseCode) -> Message {
    let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
    answer.metadata.recursion_desired = request.metadata.recursion_desired;
    answer.metadata.response_code = code;
    answer.add_queries(request.queries.clone());
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        answer.set_edns(edns);
    }
    answer
}

/// Follows aliases for as long as they stay in the zones.
fn fill(views: &[View], name: &Name, kind: RecordType, most_aliases: usize, answer: &mut Message) {
    let mut name = name.clone();
    for left in (0..most_aliases).rev() {
        let text = lower(&name);
        let Some(view) = zone_of(views, &text) else {
            return;
        };
        let delegation = view.delegation(&text);
        if !delegation.is_empty() {
            answer.metadata.authoritative = !answer.answers.is_empty();
            answer.add_authorities(delegation);
            return;
        }
        let Some(entries) = view.find(&text) else {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.authorities.extend(view.soa());
            return;
        };
        let matching = entries.iter().filter(|entry| entry.is(kind));
        let records: Vec<_> = matching.filter_map(|entry| entry.record(&name)).collect();
        let alias = entries.iter().find(|entry| entry.is(RecordType::CNAME));
        match alias {
            _ if !records.is_empty() && (text != view.zone || kind != RecordType::CNAME) => {
                answer.add_answers(records);
                return;
            }
            Some(alias) if text != view.zone => {
                answer.answers.extend(alias.record(&name));
                if let Some(RData::CNAME(target)) = &alias.data {
                    name = target.0.clone();
                }
            }
            Some(alias) => {
                if let Some(RData::CNAME(target)) = &alias.data {
                    flatten(views, &name, kind, &target.0, left, answer);
                }
                if answer.answers.is_empty() {
                    answer.authorities.extend(view.soa());
                }
                return;
            }
            None => {
                answer.authorities.extend(view.soa());
                return;
            }
        }
    }
}

/// An alias at the zone's own name is shown as the addresses behind it, as beside a SOA no CNAME can be.
fn flatten(views: &[View], name: &Name, kind: RecordType, target: &Name, left: usize, answer: &mut Message) {
    if !matches!(kind, RecordType::A | RecordType::AAAA) {
        return;
    }
    let mut behind = Message::response(0, OpCode::Query);
    fill(views, target, kind, left, &mut behind);
    let addresses = behind
        .answers
        .into_iter()
        .filter(|record| record.record_type() == kind);
    answer.answers.extend(addresses.map(|mut record| {
        record.name = name.clone();
        record
    }));
}

/// The zone that is nearest to the name.
fn zone_of<'a>(views: &'a [View], name: &str) -> Option<&'a View> {
    let holding = views.iter().filter(|view| view.holds(name));
    holding.max_by_key(|view| view.zone.len())
}
