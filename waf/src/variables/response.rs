//! The response. Before there is one, its variables have no value.

use std::ops::ControlFlow;

use crate::transaction::Facts;

use super::Variable;
use super::arguments::{name_only, named};
use super::body::xml;
use super::view::{Visit, flag, maybe, number, pairs};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let response = &facts.response;
    let begun = response.status.is_some();
    match variable {
        Variable::ResponseStatus => maybe(
            response
                .status
                .map(|status| status.to_string())
                .as_deref()
                .map(str::as_bytes),
            visit,
        ),
        Variable::ResponseProtocol => maybe(begun.then_some(&response.protocol[..]), visit),
        Variable::StatusLine => maybe(status_line(facts).as_deref(), visit),
        Variable::ResponseHeaders => pairs(response.headers.iter().map(named), visit),
        Variable::ResponseHeadersNames => pairs(response.headers.iter().map(name_only), visit),
        Variable::ResponseContentType => maybe(response.content_type(), visit),
        Variable::ResponseContentLength if begun => number(response.body.len(), visit),
        Variable::ResponseBody => maybe(begun.then_some(&response.body[..]), visit),
        Variable::ResponseArgs => pairs(response.arguments.iter().map(named), visit),
        Variable::ResponseXml => pairs(xml(&response.xml_texts, &response.xml_attributes), visit),
        Variable::OutboundDataError => flag(response.partial, visit),
        _ => None,
    }
}

fn status_line(facts: &Facts) -> Option<Vec<u8>> {
    let status = facts.response.status?.to_string();
    Some([&facts.response.protocol[..], status.as_bytes()].join(&b' '))
}
