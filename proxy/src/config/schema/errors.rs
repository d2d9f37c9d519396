//! `[errors]`.

use crate::config::decode::{Fault, Node, Table};
use crate::config::raw::Errors;
use crate::config::ready::{Page, PageOf};

const PAGE_OF: &str = "a status such as 404, \"4xx\", \"5xx\" or \"default\"";
/// It is sent with every such answer, to attackers too.
const LARGEST_PAGE: usize = 256 << 10;

/// `[errors]`.
pub(super) fn errors(table: &mut Table<'_>) -> Errors {
    let mut errors = Errors::default();
    for (page_of, node) in table.take("pages", |node| node.entries()).unwrap_or_default() {
        let page_of = parse_page_of(page_of)
            .map_err(|fault| node.bad_value(PAGE_OF, fault))
            .ok();
        let Some((path, text)) = page(&node) else { continue };
        errors.files.push(path);
        errors
            .pages
            .extend(page_of.map(|page_of| (page_of, Page::parse(&text))));
    }
    errors
}

fn page(node: &Node<'_>) -> Option<(std::path::PathBuf, String)> {
    let (path, text) = node.file(|text| Ok(text.to_owned()))?;
    if text.len() > LARGEST_PAGE {
        node.bad_value("an HTML page of at most 256KiB", Fault::new("too large"));
        return None;
    }
    Some((path, text))
}

fn parse_page_of(text: &str) -> Result<PageOf, Fault> {
    match (text, text.parse::<u16>()) {
        ("4xx", _) => Ok(PageOf::Class(4)),
        ("5xx", _) => Ok(PageOf::Class(5)),
        ("default", _) => Ok(PageOf::Default),
        (_, Ok(status)) if (400..600).contains(&status) => Ok(PageOf::Status(status)),
        _ => Err(Fault::new("no status of an error")),
    }
}
