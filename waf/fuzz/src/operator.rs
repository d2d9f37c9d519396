//! Any operator on any values: what it is said to need of a value must be there wherever it matches.

use palisade_waf::{MemorySource, RuleSet};

use super::exchange::split_once;
use super::{Exchange, agree};

/// Longer patterns only take longer.
const LONGEST: usize = 200;

/// The first line is an operator (`@rx a|b`), the second a list of transformations (`t:lowercase`, and
/// `multiMatch`), each further line a value.
pub fn operator(data: &[u8]) {
    let (operator, rest) = split_once(data, b"\n");
    let (list, values) = split_once(rest, b"\n");
    let (Ok(operator), Ok(list)) = (std::str::from_utf8(operator), std::str::from_utf8(list)) else {
        return;
    };
    if operator.len() > LONGEST || list.len() > LONGEST {
        return;
    }
    let operator = operator.replace('"', "\\\"");
    let comma = if list.is_empty() { "" } else { "," };
    let text = format!(
        "SecRuleEngine On\nSecRule REQUEST_HEADERS \"{operator}\" \
         \"id:1,phase:1,pass,log,capture,t:none,msg:'%{{TX.0}} %{{TX.1}}'{comma}{list}\"\n"
    );
    let mut source = MemorySource::new();
    source.insert("words.data", "select\n<script\nq\n");
    let Ok(rules) = RuleSet::builder().text("t.conf", text).build(&source) else {
        return;
    };
    let values = values.split(|byte| *byte == b'\n');
    let exchange = Exchange {
        method: b"GET".to_vec(),
        uri: b"/".to_vec(),
        headers: values.map(|value| (b"X".to_vec(), value.to_vec())).collect(),
        ..Exchange::default()
    };
    agree(&rules, &exchange);
}
