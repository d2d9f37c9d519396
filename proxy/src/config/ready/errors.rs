//! Pages for the edge's own answers.

use std::collections::BTreeMap;

/// Pages by status, `4xx`, `5xx` and `default`; most configurations have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorPages(BTreeMap<PageOf, Page>);

/// What a page is for; the narrowest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageOf {
    /// One status.
    Status(u16),
    /// 4 for all of 4xx, 5 for all of 5xx.
    Class(u16),
    /// What has no page of its own.
    Default,
}

/// An HTML page with places to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(Vec<PagePiece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum PagePiece {
    Text(String),
    Status,
    Reason,
    RequestId,
}

/// Other `${...}` is the page's own: scripts are full of them.
const PLACES: [(&str, PagePiece); 3] = [
    ("${status}", PagePiece::Status),
    ("${reason}", PagePiece::Reason),
    ("${request_id}", PagePiece::RequestId),
];

impl ErrorPages {
    /// Pages.
    pub fn new(pages: impl IntoIterator<Item = (PageOf, Page)>) -> Self {
        Self(pages.into_iter().collect())
    }

    /// The page for a status.
    pub fn find(&self, status: u16) -> Option<&Page> {
        let keys = [
            PageOf::Status(status),
            PageOf::Class(status / 100),
            PageOf::Default,
        ];
        keys.iter().find_map(|key| self.0.get(key))
    }
}

impl Page {
    /// The page that a text says.
    pub fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        let next = |rest: &str| {
            let places = PLACES
                .iter()
                .filter_map(|(name, piece)| Some((rest.find(name)?, *name, piece)));
            places
                .min_by_key(|(at, ..)| *at)
                .map(|(at, name, piece)| (at, name, piece.clone()))
        };
        while let Some((at, name, piece)) = next(rest) {
            pieces.push(PagePiece::Text(rest.get(..at).unwrap_or_default().to_owned()));
            pieces.push(piece);
            rest = rest.get(at + name.len()..).unwrap_or_default();
        }
        pieces.push(PagePiece::Text(rest.to_owned()));
        Self(pieces)
    }

    /// The page with its places filled in. What fills them is the edge's own words and digits: nothing needs escaping.
    pub fn filled(&self, status: u16, reason: &str, request_id: &str) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                PagePiece::Text(plain) => text.push_str(plain),
                PagePiece::Status => text.push_str(&status.to_string()),
                PagePiece::Reason => text.push_str(reason),
                PagePiece::RequestId => text.push_str(request_id),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_page_counts_and_its_places_are_filled() {
        let page = |text: &str| Page::parse(text);
        let pages = ErrorPages::new([
            (PageOf::Status(404), page("${status} ${reason} `${x}` ${status}")),
            (PageOf::Class(5), page("five ${request_id}")),
            (PageOf::Default, page("")),
        ]);
        let filled = |status| pages.find(status).unwrap().filled(status, "Gone", "id1");
        assert_eq!(filled(404), "404 Gone `${x}` 404");
        assert_eq!(filled(502), "five id1");
        assert_eq!(filled(403), "");
        assert!(ErrorPages::default().find(404).is_none());
    }
}
