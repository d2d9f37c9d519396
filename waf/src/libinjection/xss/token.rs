//! What the reading of HTML is made of.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// The name of an opening tag.
    TagName,
    /// The end of an opening tag.
    TagEnd,
    ClosingTag,
    AttributeName,
    AttributeValue,
    Comment,
    Doctype,
}

/// One token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
}
