//! `multipart/form-data` bodies, with the flags and error texts of ModSecurity's `multipart.cc`.
//!
//! Applications disagree about odd multipart bodies, and every disagreement is a way around a WAF. The
//! engine therefore reports all that is unusual, as ModSecurity does, and the recommended rules refuse it.
//! Where it goes on differs: ModSecurity stops at some errors and swallows what follows others, this parser
//! flags and reads on. So rules see every part even where nobody acts on `MULTIPART_STRICT_ERROR`:
//!
//! - A body without its last boundary (cut short, or lying) still has all its parts.
//! - A boundary among part headers, or right behind their blank line, ends the part (RFC 2046 has it so;
//!   ModSecurity takes it as content), with `invalid_part`.
//! - Blanks behind a boundary are an error, and still a boundary (RFC 2046, 5.1.1: transport padding).
//! - A part without a usable name is kept under the empty name, with `invalid_part`.
//! - Header lines that cannot be are kept among the raw ones.
//! - An upload with an empty file name is a field, as in ModSecurity and Coraza, so its content is looked at.

mod boundary;
mod delimiter;
mod disposition;
mod headers;

use std::ops::Range;

use crate::Limits;

use boundary::Boundary;
use delimiter::{Delimiter, Delimiters};

/// One part of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The `name` of its Content-Disposition; empty if it has none.
    pub name: Vec<u8>,
    /// The `filename` if it is not empty: with one, the part is a file.
    pub filename: Option<Vec<u8>>,
    /// A `filename*` that stands beside `filename`, decoded. Some applications prefer it, so rules on file
    /// names should see it too.
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
pub struct Flags {
    /// The boundary stands in quotes in the Content-Type.
    pub boundary_quoted: bool,
    /// White space around the `=` of the boundary parameter.
    pub boundary_whitespace: bool,
    /// Something stands before the first boundary.
    pub data_before: bool,
    /// Something stands after the last boundary.
    pub data_after: bool,
    /// A part header continues on a second line.
    pub header_folding: bool,
    /// Such a line begins with other white space than blanks and tabs.
    pub invalid_header_folding: bool,
    /// A part without a name, or one that ends before its content begins.
    pub invalid_part: bool,
    /// Single quotes around, or in, a `name` or `filename`.
    pub invalid_quoting: bool,
    /// A boundary or a part header ends with LF alone.
    pub lf_line: bool,
    /// Both CRLF and LF end such lines.
    pub crlf_lf_lines: bool,
    /// No `;` before the boundary parameter.
    pub missing_semicolon: bool,
    /// A line looks like a boundary, is not the one that was declared, and no declared one follows it.
    /// (ModSecurity's variable is 1 then. It has a 2 besides, for bodies that a declared boundary ends:
    /// nothing is wrong with those, so they count as 0 here.)
    pub unmatched_boundary: bool,
    /// More files than `SecUploadFileLimit`. The parser knows no such limit: this is for its caller.
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

/// Reads a body. It may be cut short: what there is of it is in the parts, and the missing boundary is an
/// error.
pub fn parse(body: &[u8], content_type: &[u8], limits: &Limits) -> Multipart {
    let mut findings = Findings::default();
    let mut parts = Vec::new();
    if let Some(boundary) = Boundary::declared(content_type, &mut findings)
        && !body.is_empty()
    {
        read_parts(body, &boundary, limits, &mut findings, &mut parts);
    }
    findings.flags.crlf_lf_lines = findings.crlf_line && findings.flags.lf_line;
    findings.flags.unmatched_boundary = findings.lookalike;
    Multipart {
        parts,
        flags: findings.flags,
        error: findings.error,
    }
}

/// What is collected on the way.
#[derive(Default)]
struct Findings {
    flags: Flags,
    error: Option<String>,
    /// Some boundary or part header ends with CRLF.
    crlf_line: bool,
    /// A line that looks like a boundary, with no real one (but the first) after it.
    lookalike: bool,
}

impl Findings {
    /// The first error is the one that is told: later ones often only follow from it.
    fn error(&mut self, text: impl FnOnce() -> String) {
        self.flags.parse_error = true;
        self.error.get_or_insert_with(text);
    }

    /// Notes how a boundary or a part header ends. The body's very last line may have no end.
    fn line_end(&mut self, line: &[u8]) {
        if line.ends_with(b"\r\n") {
            self.crlf_line = true;
        } else if line.ends_with(b"\n") {
            self.flags.lf_line = true;
        }
    }
}

fn read_parts(
    body: &[u8],
    boundary: &Boundary,
    limits: &Limits,
    findings: &mut Findings,
    parts: &mut Vec<Part>,
) {
    let delimiters = Delimiters::new(body, boundary);
    let Some(mut opening) = delimiters.next(0, findings) else {
        findings.flags.data_before = true;
        findings.error(|| "Multipart: No boundaries found in payload.".into());
        return;
    };
    findings.flags.data_before = opening.start > 0;
    while !opening.last {
        if parts.len() >= limits.multipart_parts {
            findings.error(|| format!("Multipart: More than {} parts.", limits.multipart_parts));
            return;
        }
        let (part, closing) = read_part(&delimiters, &opening, limits, findings);
        parts.extend(part);
        let Some(closing) = closing else {
            findings.error(|| "Multipart: Final boundary missing.".into());
            return;
        };
        findings.lookalike = false;
        opening = closing;
    }
    findings.flags.data_after = opening.end < body.len();
}

/// The part behind a boundary, and the boundary that ends it, if one does. There is no part where the body
/// ends with the boundary.
fn read_part(
    delimiters: &Delimiters<'_>,
    opening: &Delimiter,
    limits: &Limits,
    findings: &mut Findings,
) -> (Option<Part>, Option<Delimiter>) {
    let body = delimiters.body;
    if opening.end >= body.len() {
        return (None, None);
    }
    let block = headers::read(delimiters, opening.end, limits, findings);
    let closing = match block.cut_by {
        Some(delimiter) => Some(delimiter),
        None => delimiters.next(block.end, findings),
    };
    let content = match &closing {
        Some(delimiter) if delimiter.start <= block.end => {
            // A boundary stands where content, were it only an empty line, should begin.
            findings.flags.invalid_part = true;
            block.end..block.end
        }
        Some(delimiter) => block.end..before_line_end(body, block.end, delimiter.start),
        None => block.end..body.len(),
    };
    let part = Part {
        content,
        ..block.part
    };
    findings.flags.invalid_part |= part.name.is_empty();
    (Some(part), closing)
}

/// The line end before a boundary belongs to the boundary.
fn before_line_end(body: &[u8], start: usize, end: usize) -> usize {
    let content = body.get(start..end).unwrap_or_default();
    start + without_line_end(content).len()
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// White space as C's `isspace` has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A line of the body for an error text, cut to a length that a log bears.
fn shown(line: &[u8]) -> String {
    const LONGEST: usize = 200;
    let line = without_line_end(line);
    String::from_utf8_lossy(line.get(..LONGEST).unwrap_or(line)).into_owned()
}

#[cfg(test)]
mod tests;
