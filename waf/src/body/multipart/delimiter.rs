//! The lines that separate the parts.

use memchr::memmem::Finder;

use super::boundary::Boundary;
use super::{Findings, is_space, shown};
use crate::body::work::spend;

/// A boundary in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delimiter {
    /// Where its line begins.
    pub(super) start: usize,
    /// Behind its line end.
    pub(super) end: usize,
    /// It is the one that ends the body.
    pub(super) last: bool,
}

/// Finds boundaries, and what pretends to be one.
pub(super) struct Delimiters<'a> {
    pub(super) body: &'a [u8],
    /// `--` and the boundary.
    mark: Vec<u8>,
    quoted: bool,
    /// The next line that could be a boundary.
    dashes: Finder<'static>,
}

impl<'a> Delimiters<'a> {
    pub(super) fn new(body: &'a [u8], boundary: &Boundary) -> Self {
        Self {
            body,
            mark: [b"--", boundary.text.as_slice()].concat(),
            quoted: boundary.quoted,
            dashes: Finder::new(b"\n--"),
        }
    }

    /// The first boundary from `start` on, where a line begins.
    pub(super) fn next(&self, start: usize, findings: &mut Findings) -> Option<Delimiter> {
        let mut line = start;
        loop {
            if let Some(delimiter) = self.at(line, findings) {
                return Some(delimiter);
            }
            let rest = self.body.get(line..)?;
            let Some(distance) = self.dashes.find(rest) else {
                spend(rest.len());
                self.look_inside_lines(start, findings);
                return None;
            };
            spend(distance);
            line += distance + 1;
        }
    }

    /// The boundary whose line begins at `start`, if there is one.
    pub(super) fn at(&self, start: usize, findings: &mut Findings) -> Option<Delimiter> {
        let rest = self.body.get(start..)?;
        if !rest.starts_with(b"--") {
            return None;
        }
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let line = &rest[..length];
        spend(length);
        let Some(tail) = line.strip_prefix(self.mark.as_slice()) else {
            self.lookalike(line, findings);
            return None;
        };
        if follows_bare_lf(self.body, start) {
            findings.flags.lf_line = true;
        }
        let (tail, last) = tail
            .strip_prefix(b"--")
            .map_or((tail, false), |tail| (tail, true));
        let complete = matches!(tail, b"\r\n" | b"\n" | b"");
        if !complete {
            findings.error(|| format!("Multipart: Invalid boundary: {}", shown(line)));
        }
        if !tail.trim_ascii().is_empty() {
            findings.lookalike = true;
            return None;
        }
        findings.line_end(line);
        Some(Delimiter {
            start,
            end: start + length,
            last,
        })
    }

    /// A line that begins with `--`.
    fn lookalike(&self, line: &[u8], findings: &mut Findings) {
        let boundary = self.mark.get(2..).unwrap_or_default();
        let rest = line.get(2..).unwrap_or_default();
        let unquoted = rest.strip_prefix(b"\"").filter(|_| self.quoted);
        if unquoted.is_some_and(|rest| rest.starts_with(boundary)) {
            findings.error(|| "Multipart: Invalid boundary (quotes).".into());
        }
        let blanks = rest.iter().take_while(|byte| is_space(**byte)).count();
        if blanks > 0 && rest[blanks..].starts_with(boundary) {
            findings.error(|| "Multipart: Invalid boundary (whitespace).".into());
        }
        // ModSecurity's bound: `--` and LF are too little.
        if line.len() > 3 {
            findings.lookalike = true;
        }
    }

    /// In a body that does not end well, a boundary in the middle of a line may be what was meant.
    fn look_inside_lines(&self, start: usize, findings: &mut Findings) {
        let rest = self.body.get(start..).unwrap_or_default();
        spend(rest.len());
        if memchr::memmem::find(rest, &self.mark).is_some() {
            findings.lookalike = true;
        }
    }
}

/// The line before `start` ends with LF and not with CRLF.
fn follows_bare_lf(body: &[u8], start: usize) -> bool {
    let before = body.get(..start).unwrap_or_default();
    before.ends_with(b"\n") && !before.ends_with(b"\r\n")
}
