//! `multipart/form-data` bodies.

use std::ops::Range;

use crate::Limits;

/// One part of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The `name` of its Content-Disposition; empty if it has none.
    pub name: Vec<u8>,
    /// The `filename`: with one, the part is a file.
    pub filename: Option<Vec<u8>>,
    /// A `filename*` that stands beside `filename`, decoded. Some applications prefer it.
    pub filename_extended: Option<Vec<u8>>,
    /// Header names and values.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The header lines as sent, unfolded, without line ends (`MULTIPART_PART_HEADERS`).
    pub raw_headers: Vec<Vec<u8>>,
    /// Where in the body its content stands.
    pub content: Range<usize>,
}

/// What is unusual about a multipart body, one flag per `MULTIPART_*` variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the variable MULTIPART_* of that name")]
pub struct Flags {
    pub boundary_quoted: bool,
    pub boundary_whitespace: bool,
    pub data_before: bool,
    pub data_after: bool,
    pub header_folding: bool,
    pub invalid_header_folding: bool,
    pub invalid_part: bool,
    pub invalid_quoting: bool,
    pub lf_line: bool,
    pub crlf_lf_lines: bool,
    pub missing_semicolon: bool,
    pub unmatched_boundary: bool,
    pub file_limit_exceeded: bool,
    /// Some error was found; the text is in [`Multipart::error`].
    pub parse_error: bool,
}

impl Flags {
    /// `MULTIPART_STRICT_ERROR`.
    pub fn strict_error(&self) -> bool {
        self.parse_error
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_before
            || self.data_after
            || self.header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.invalid_header_folding
            || self.file_limit_exceeded
    }
}

/// What a body holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Multipart {
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// What is unusual.
    pub flags: Flags,
    /// The first error, in ModSecurity's words: `Multipart: Final boundary missing.`
    pub error: Option<String>,
}

/// Reads a body.
pub fn parse(body: &[u8], content_type: &[u8], limits: &Limits) -> Multipart {
    let _ = (body, content_type, limits);
    Multipart::default()
}
