//! XML bodies: the texts (`XML:/*`) and the attribute values (`XML://@*`).
//!
//! `XML:/*` is what applications read, in the pieces they read it in: the text between one tag and the next,
//! trimmed, with CDATA, character references and the five predefined entities put in, and comments left out.
//! (Coraza splits at comments and CDATA too, so `un<!-- -->ion` hides from it.) ModSecurity has one value, the
//! text of the whole document. Where text and elements are mixed, as in `un<b>ion</b>`, no piece shows what the
//! reader of the outer element gets, so that value is added; else it would only repeat the pieces without the
//! bounds between them. It is added, too, where the pieces are too many to be kept, so that all text is seen.
//!
//! `XML://@*` are the values of all attributes; of `xmlns` ones as well, as in Coraza: a namespace can name
//! code (`xalan/java/...`).
//!
//! No DTD is processed and no entity of one is expanded, so there is no billion laughs and no XXE here. But an
//! application may do both: a DOCTYPE that says more than the root's name is one of the texts.
//!
//! The document need not be right to be read: the first error is told, and what can be read after it is.

mod encoding;
mod reader;

/// What rules see of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlText {
    /// `XML:/*`.
    pub texts: Vec<Vec<u8>>,
    /// `XML://@*`.
    pub attributes: Vec<Vec<u8>>,
    /// There were more than allowed; the rest is not here.
    pub truncated: bool,
}

/// Why a document is wrong, and what it holds all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("XML: Failed parsing document: {kind}.")]
pub struct XmlError {
    /// What is wrong, first.
    pub kind: XmlErrorKind,
    /// What could be read: rules should see it although the document is wrong.
    pub partial: XmlText,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlErrorKind {
    /// The declared encoding is none that can be read.
    #[error("unknown encoding {0}")]
    UnknownEncoding(String),
    /// The bytes are not what the encoding says.
    #[error("invalid bytes for the encoding {0}")]
    InvalidBytes(&'static str),
    /// A control character that XML has no place for.
    #[error("invalid character")]
    InvalidCharacter,
    /// Markup that does not end, or is none.
    #[error("{0}")]
    Markup(String),
    /// An end tag that belongs to no start tag, or to another one.
    #[error("{0}")]
    EndTag(String),
    /// The name of an element is none.
    #[error("invalid element name")]
    ElementName,
    /// An attribute without value, or without quotes around it.
    #[error("{0}")]
    Attribute(String),
    /// Two attributes of one name.
    #[error("duplicate attribute")]
    DuplicateAttribute,
    /// `<` in an attribute's value.
    #[error("unescaped '<' in an attribute value")]
    UnescapedLess,
    /// `&` that begins no reference, or one to a character that cannot be.
    #[error("invalid reference")]
    InvalidReference,
    /// An entity that is not predefined, in a document without a DTD.
    #[error("undeclared entity")]
    UndeclaredEntity,
    /// Elements inside one another, more than allowed.
    #[error("nested too deeply")]
    TooDeep,
    /// Elements that have no end.
    #[error("unclosed element")]
    UnclosedElement,
    /// There is no element.
    #[error("no root element")]
    NoRoot,
    /// Something stands beside the root element.
    #[error("content outside the root element")]
    OutsideRoot,
}

/// Reads a document: at most `max_nodes` texts and attributes, elements at most `max_depth` deep. An empty
/// body is no error: it is no document.
pub fn parse(body: &[u8], max_depth: usize, max_nodes: usize) -> Result<XmlText, XmlError> {
    if body.is_empty() {
        return Ok(XmlText::default());
    }
    let decoded = encoding::decode(body);
    let (found, fault) = reader::read(&decoded.text, max_depth, max_nodes);
    match decoded.fault.or(fault) {
        None => Ok(found),
        Some(kind) => Err(XmlError { kind, partial: found }),
    }
}

#[cfg(test)]
mod tests;
