//! Stories: rules, a request, and what comes of it.

mod actions;
mod again;
mod arguments;
mod audit;
mod blocking;
mod bodies;
mod captures;
mod chains;
mod ctl;
mod flow;
mod hostile;
mod logs;
mod openings;
mod persistent;
mod recalled;
mod responses;
mod variables;

use bytes::Bytes;

use crate::{Completeness, Evaluation, Limits, MemorySource, RequestOrigin, RuleSet, Transaction, Verdict};

/// 2024-02-29 12:34:56 UTC, a Thursday.
pub(super) const NOON: u64 = 1_709_210_096_000_000;

/// A rule set of an engine that is On, out of SecLang.
pub(super) fn rules(text: &str) -> RuleSet {
    rules_within(Limits::default(), text)
}

pub(super) fn rules_within(limits: Limits, text: &str) -> RuleSet {
    let base = "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n";
    let builder = RuleSet::builder()
        .limits(limits)
        .text("base.conf", base)
        .text("t.conf", text);
    builder.build(&MemorySource::new()).unwrap()
}

fn origin_at(unix_micros: u64) -> RequestOrigin {
    RequestOrigin {
        id: "id-1".into(),
        unix_micros,
        utc_offset_seconds: 3600,
    }
}

/// A request to be.
#[derive(Clone)]
pub(super) struct Ask {
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(super) fn get(uri: &str) -> Ask {
    Ask {
        method: "GET".into(),
        uri: uri.into(),
        headers: vec![("Host".into(), "app.test:8443".into())],
        body: Vec::new(),
    }
}

pub(super) fn post(content_type: &str, body: impl Into<Vec<u8>>) -> Ask {
    let ask = Ask {
        method: "POST".into(),
        body: body.into(),
        ..get("/")
    };
    ask.header("Content-Type", content_type)
}

pub(super) fn form(body: &str) -> Ask {
    post("application/x-www-form-urlencoded", body)
}

impl Ask {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) fn uri(mut self, uri: &str) -> Self {
        self.uri = uri.into();
        self
    }

    /// The transaction before any phase.
    pub(super) fn open(&self, rules: &RuleSet) -> Transaction {
        self.open_at(NOON, rules)
    }

    pub(super) fn open_at(&self, unix_micros: u64, rules: &RuleSet) -> Transaction {
        self.begin(rules.transaction(origin_at(unix_micros)))
    }

    pub(super) fn open_evaluated(&self, rules: &RuleSet, evaluation: Evaluation) -> Transaction {
        self.begin(rules.transaction_evaluated(origin_at(NOON), evaluation))
    }

    fn begin(&self, mut transaction: Transaction) -> Transaction {
        transaction.connection(
            "203.0.113.9:4711".parse().unwrap(),
            "[2001:db8::1]:443".parse().unwrap(),
        );
        transaction.request_line(self.method.as_bytes(), self.uri.as_bytes(), b"HTTP/1.1");
        for (name, value) in &self.headers {
            transaction.add_request_header(name.as_bytes(), value.as_bytes());
        }
        transaction
    }

    /// Phases 1 and 2.
    pub(super) fn to(&self, rules: &RuleSet) -> Transaction {
        let mut transaction = self.open(rules);
        let _ = transaction.request_headers();
        let _ = transaction.request_body(Bytes::from(self.body.clone()), Completeness::Complete);
        transaction
    }

    /// All phases, with an answer 200 of that type.
    pub(super) fn to_and_back(&self, rules: &RuleSet, content_type: &str, body: &str) -> Transaction {
        let mut transaction = self.to(rules);
        transaction.response_line(200, b"HTTP/1.1");
        transaction.add_response_header(b"Content-Type", content_type.as_bytes());
        let _ = transaction.response_headers();
        let _ = transaction.response_body(Bytes::from(body.to_owned()), Completeness::Complete);
        transaction.logging();
        transaction
    }
}

/// A member of TX as text; `-` if it is absent.
pub(super) fn tx(transaction: &Transaction, name: &str) -> String {
    transaction
        .tx_variable(name)
        .map_or("-".into(), |value| String::from_utf8(value).unwrap())
}

/// The ids of the logged matches, in order, one for each.
pub(super) fn ids(transaction: &Transaction) -> Vec<u64> {
    transaction.matched_rules().iter().map(|rule| rule.id).collect()
}

/// What the matches quote.
pub(super) fn data(transaction: &Transaction) -> Vec<&str> {
    transaction
        .matched_rules()
        .iter()
        .map(|rule| rule.logdata.as_str())
        .collect()
}

/// The status the transaction is stopped with.
pub(super) fn status(transaction: &Transaction) -> Option<u16> {
    transaction
        .interruption()
        .and_then(|interruption| interruption.status())
}

/// The values of a variable, as a rule sees them after phase 2: `key=value`, or the value alone.
pub(super) fn values(ask: &Ask, variable: &str) -> Vec<String> {
    let rules = rules(&format!(
        "SecRule {variable} \"@unconditionalMatch\" \"id:1,phase:2,pass,log,msg:'x'\""
    ));
    shown(&ask.to(&rules))
}

pub(super) fn shown(transaction: &Transaction) -> Vec<String> {
    let variables = transaction
        .matched_rules()
        .iter()
        .flat_map(|rule| &rule.variables);
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    variables
        .map(|variable| match &variable.key {
            Some(key) => format!("{}={}", show(key), show(&variable.value)),
            None => show(&variable.value),
        })
        .collect()
}

#[test]
fn a_transaction_goes_where_it_is_needed() {
    fn is_free<T: Send + Sync + 'static>() {}
    is_free::<Transaction>();
    is_free::<Verdict>();
}
