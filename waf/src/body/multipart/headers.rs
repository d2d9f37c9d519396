//! The header block of a part.

use std::collections::HashSet;

use super::delimiter::{Delimiter, Delimiters};
use super::{Findings, Part, disposition, is_space, shown, without_line_end};
use crate::Limits;
use crate::body::work::spend;

/// What was read.
pub(super) struct Block {
    /// The part, still without content.
    pub(super) part: Part,
    /// Where the content begins.
    pub(super) end: usize,
    /// The boundary that stands among the headers, where none belongs.
    pub(super) cut_by: Option<Delimiter>,
}

/// Reads header lines from `start` to the blank line, a boundary, or the body's end.
pub(super) fn read(
    delimiters: &Delimiters<'_>,
    start: usize,
    limits: &Limits,
    findings: &mut Findings,
) -> Block {
    let mut reader = Reader::new(limits.multipart_header_bytes);
    let mut at = start;
    let (mut cut_by, mut blank_line) = (None, false);
    while let Some(line) = line_at(delimiters.body, at) {
        cut_by = delimiters.at(at, findings);
        if cut_by.is_some() {
            findings.error(|| format!("Multipart: Invalid part header (colon missing): {}", shown(line)));
            break;
        }
        findings.line_end(line);
        at += line.len();
        blank_line = matches!(line, b"\r\n" | b"\n");
        if blank_line {
            break;
        }
        reader.line(line, findings);
    }
    Block {
        part: reader.part(blank_line, findings),
        end: at,
        cut_by,
    }
}

/// The line at `start` with its end; none at the end of the body.
fn line_at(body: &[u8], start: usize) -> Option<&[u8]> {
    let rest = body.get(start..).filter(|rest| !rest.is_empty())?;
    let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    spend(length);
    Some(&rest[..length])
}

struct Reader {
    part: Part,
    /// Names in small letters.
    names: HashSet<Vec<u8>>,
    /// The last line was a header, which a next line may continue.
    continues: bool,
    limit: usize,
    bytes_left: usize,
}

impl Reader {
    fn new(limit: usize) -> Self {
        Self {
            part: Part::default(),
            names: HashSet::new(),
            continues: false,
            limit,
            bytes_left: limit,
        }
    }

    /// A line that is not blank. Whatever is wrong with it, it is kept as it stands, up to the limit.
    fn line(&mut self, line: &[u8], findings: &mut Findings) {
        let Some(left) = self.bytes_left.checked_sub(line.len()) else {
            self.bytes_left = 0;
            self.continues = false;
            findings.error(|| format!("Multipart: Part headers over {} bytes long.", self.limit));
            return;
        };
        self.bytes_left = left;
        if line.contains(&0) {
            findings.error(|| "Multipart: Nul byte in part headers.".into());
        }
        match line.first() {
            Some(first) if is_space(*first) => self.continuation(line, findings),
            _ => self.header(without_line_end(line), findings),
        }
    }

    /// A line that continues a header. Blanks and tabs may begin it; some applications take any white
    /// space, hence the flag.
    fn continuation(&mut self, line: &[u8], findings: &mut Findings) {
        findings.flags.header_folding = true;
        let blanks = line.iter().take_while(|byte| is_space(**byte)).count();
        let (blanks, text) = line.split_at(blanks);
        findings.flags.invalid_header_folding |= blanks.iter().any(|byte| !matches!(byte, b' ' | b'\t'));
        let text = without_line_end(text);
        let header = self.part.headers.last_mut().filter(|_| self.continues);
        let (Some((_, value)), Some(raw)) = (header, self.part.raw_headers.last_mut()) else {
            findings.error(|| "Multipart: Invalid part header (folding error).".into());
            self.part.raw_headers.push(without_line_end(line).to_vec());
            return;
        };
        for folded in [value, raw] {
            folded.push(b' ');
            folded.extend_from_slice(text);
        }
    }

    fn header(&mut self, line: &[u8], findings: &mut Findings) {
        self.part.raw_headers.push(line.to_vec());
        let Some(colon) = memchr::memchr(b':', line) else {
            findings.error(|| format!("Multipart: Invalid part header (colon missing): {}", shown(line)));
            self.continues = false;
            return;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() {
            findings.error(|| "Multipart: Invalid part header (header name missing).".into());
        }
        if name.iter().any(|byte| !byte.is_ascii_graphic()) {
            findings.error(|| "Multipart: Invalid part header (contains invalid character).".into());
        }
        if !self.names.insert(name.to_ascii_lowercase()) {
            findings.error(|| format!("Multipart: Duplicate part header: {}.", shown(name)));
        }
        let value = value.trim_ascii_start();
        self.part.headers.push((name.to_vec(), value.to_vec()));
        self.continues = true;
    }

    /// The part, named by its Content-Disposition. Without a blank line, headers may be missing because
    /// the part is cut: that has its own error.
    fn part(mut self, blank_line: bool, findings: &mut Findings) -> Part {
        let disposition = self
            .part
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(b"content-disposition"));
        match disposition {
            Some((_, value)) => {
                let value = value.clone();
                disposition::apply(&value, &mut self.part, findings);
                if self.part.name.is_empty() && blank_line {
                    findings.error(|| "Multipart: Content-Disposition header missing name field.".into());
                }
            }
            None if blank_line => {
                findings.error(|| "Multipart: Part missing Content-Disposition header.".into());
            }
            None => {}
        }
        self.part
    }
}
