//! What is told about a run.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::corpus::wire::Message;

use super::compare::Difference;

/// An unexplained kind of difference, with its first examples.
#[derive(Debug, Default)]
pub(super) struct Unexplained {
    pub count: usize,
    pub example: Option<(Message, Difference)>,
}

/// Classes by how often they were seen.
pub(super) fn classes(counts: &BTreeMap<String, usize>) -> String {
    let mut rows: Vec<(&String, &usize)> = counts.iter().filter(|(_, count)| **count > 0).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    rows.iter().fold(String::new(), |mut text, (id, count)| {
        let _ = writeln!(text, "{count:8}  {id}");
        text
    })
}

/// A request as it would stand on the wire, its odd bytes escaped.
pub(super) fn request(message: &Message) -> String {
    let mut text = String::new();
    let escaped = |bytes: &[u8]| {
        bytes
            .escape_ascii()
            .to_string()
            .replace("\\'", "'")
            .replace("\\\"", "\"")
    };
    let _ = writeln!(
        text,
        "    {} {} {}",
        escaped(&message.method),
        escaped(&message.target),
        escaped(&message.protocol)
    );
    for (name, value) in &message.headers {
        let _ = writeln!(text, "    {}: {}", escaped(name), escaped(value));
    }
    let _ = writeln!(text, "\n    {}", escaped(&message.body));
    text
}

/// The bytes of a request for the patterns of known classes: line, headers, blank line, body.
pub(super) fn flat(message: &Message) -> Vec<u8> {
    let mut flat = [
        &message.method,
        &b" "[..],
        &message.target,
        b" ",
        &message.protocol,
        b"\n",
    ]
    .concat();
    for (name, value) in &message.headers {
        flat.extend(name.to_ascii_lowercase());
        flat.extend_from_slice(b": ");
        flat.extend_from_slice(value);
        flat.push(b'\n');
    }
    flat.push(b'\n');
    flat.extend_from_slice(&message.body);
    flat
}
