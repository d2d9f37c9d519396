//! A request and its response, as bytes that can be written by hand.

use bytes::Bytes;
use palisade_waf::{Completeness, Evaluation, RequestOrigin, RuleSet, Transaction, Verdict};

/// What stands between the request and its response.
const ANSWER: &[u8] = b"\n\0\n";

/// 2024-02-29 12:34:56 UTC.
const NOON: u64 = 1_709_210_096_000_000;

/// A request and its response.
///
/// ```text
/// POST /path?query HTTP/1.1
/// Name: value
///
/// body
/// <NUL on a line of its own>
/// 200
/// Name: value
///
/// body
/// ```
///
/// Lines end with LF; all but the first line may be missing. Any bytes are some exchange.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// The method.
    pub method: Vec<u8>,
    /// The request target.
    pub uri: Vec<u8>,
    /// The protocol.
    pub protocol: Vec<u8>,
    /// The request's headers.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The request's body.
    pub body: Vec<u8>,
    /// The response's status.
    pub status: u16,
    /// The response's headers.
    pub response_headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The response's body.
    pub response_body: Vec<u8>,
}

impl Exchange {
    /// Reads bytes.
    pub fn parse(data: &[u8]) -> Self {
        let (request, response) = split_once(data, ANSWER);
        let (first, headers, body) = message(request);
        let mut words = first.splitn(3, |byte| *byte == b' ');
        let mut word = |or: &[u8]| words.next().unwrap_or(or).to_vec();
        let (method, uri, protocol) = (word(b""), word(b"/"), word(b"HTTP/1.1"));
        let (status, response_headers, response_body) = message(response);
        let status = std::str::from_utf8(status)
            .ok()
            .and_then(|status| status.parse().ok());
        Self {
            method,
            uri,
            protocol,
            headers,
            body: body.to_vec(),
            status: status.unwrap_or(200),
            response_headers,
            response_body: response_body.to_vec(),
        }
    }

    /// The exchange through all phases, and what the first four of them answered.
    pub fn run(&self, rules: &RuleSet, evaluation: Evaluation) -> (Transaction, [Verdict; 4]) {
        let (mut transaction, [head, body]) = self.ask(rules, evaluation);
        transaction.response_line(self.status, &self.protocol);
        for (name, value) in &self.response_headers {
            transaction.add_response_header(name, value);
        }
        let answer = transaction.response_headers();
        let text = Bytes::copy_from_slice(&self.response_body);
        let answer_body = transaction.response_body(text, Completeness::Complete);
        transaction.logging();
        (transaction, [head, body, answer, answer_body])
    }

    /// The request alone, as where answers are not inspected.
    pub fn run_unanswered(&self, rules: &RuleSet, evaluation: Evaluation) -> (Transaction, [Verdict; 4]) {
        let (mut transaction, [head, body]) = self.ask(rules, evaluation);
        transaction.logging();
        (transaction, [head, body, Verdict::Pass, Verdict::Pass])
    }

    fn ask(&self, rules: &RuleSet, evaluation: Evaluation) -> (Transaction, [Verdict; 2]) {
        let origin = RequestOrigin {
            id: "id-1".into(),
            unix_micros: NOON,
            utc_offset_seconds: 3600,
        };
        let mut transaction = rules.transaction_evaluated(origin, evaluation);
        transaction.connection(([203, 0, 113, 9], 4711).into(), ([192, 0, 2, 1], 443).into());
        transaction.request_line(&self.method, &self.uri, &self.protocol);
        for (name, value) in &self.headers {
            transaction.add_request_header(name, value);
        }
        let head = transaction.request_headers();
        let body = transaction.request_body(Bytes::copy_from_slice(&self.body), Completeness::Complete);
        (transaction, [head, body])
    }
}

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// First line, headers, body.
fn message(text: &[u8]) -> (&[u8], Headers, &[u8]) {
    let (head, body) = split_once(text, b"\n\n");
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let headers = lines.map(|line| {
        let (name, value) = split_once(line, b":");
        (name.to_vec(), value.strip_prefix(b" ").unwrap_or(value).to_vec())
    });
    (first, headers.collect(), body)
}

/// Before and after the first `separator`; nothing after it if there is none.
pub(super) fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    let found = text
        .windows(separator.len())
        .position(|window| window == separator);
    match found {
        Some(at) => (&text[..at], &text[at + separator.len()..]),
        None => (text, b""),
    }
}
