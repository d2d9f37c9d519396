//! The boundary, as the Content-Type header declares it.

use memchr::memmem;

use super::{Findings, is_space};

const MIME_TYPE: &[u8] = b"multipart/form-data";
const PARAMETER: &[u8] = b"boundary";

/// The longest header that ModSecurity accepts; RFC 2046 allows boundaries of 70 bytes.
const LONGEST_HEADER: usize = 1024;

/// What separates the parts, without the leading `--`.
pub(super) struct Boundary {
    /// Never empty.
    pub(super) text: Vec<u8>,
    /// It was declared in quotes.
    pub(super) quoted: bool,
}

impl Boundary {
    /// Finds the parameter. All that ModSecurity refuses is an error here, but only without any boundary
    /// there is nothing to go on with.
    pub(super) fn declared(content_type: &[u8], findings: &mut Findings) -> Option<Self> {
        if content_type.is_empty() {
            findings.error(|| "Multipart: Content-Type header not available.".into());
            return None;
        }
        if content_type.len() > LONGEST_HEADER {
            invalid("length", findings);
        }
        let lower = content_type.to_ascii_lowercase();
        if !lower.starts_with(MIME_TYPE) {
            findings.error(|| "Multipart: Invalid MIME type.".into());
        }
        if parameters(&lower) > 1 {
            findings.error(|| "Multipart: Multiple boundary parameters in C-T.".into());
        }
        let at = locate(content_type, &lower, findings)?;
        check_before(&lower[..at], findings);
        let value = value(&content_type[at + PARAMETER.len()..], findings)?;
        let boundary = Self::from_value(value, findings);
        if boundary.text.is_empty() {
            invalid("empty", findings);
            return None;
        }
        findings.flags.boundary_quoted = boundary.quoted;
        Some(boundary)
    }

    /// Takes the quotes off, and the parameters behind it: some clients send a charset there.
    fn from_value(value: &[u8], findings: &mut Findings) -> Self {
        let (text, quoted) = match value {
            [b'"', inner @ .., b'"'] => (inner, true),
            [b'"', inner @ ..] => {
                invalid("quote", findings);
                (up_to(b'"', inner), false)
            }
            [inner @ .., b'"'] => {
                invalid("quote", findings);
                (inner, false)
            }
            bare => (bare, false),
        };
        if parameters(&text.to_ascii_lowercase()) > 0 {
            invalid("content", findings);
        }
        let text = if is_valid(text) { text } else { up_to(b';', text) };
        if !is_valid(text) {
            invalid("characters", findings);
        }
        Self {
            text: text.trim_ascii_end().to_vec(),
            quoted,
        }
    }
}

/// The place of the parameter's name. Its case does not matter to the RFC; to be written other than in
/// small letters it is so rare that ModSecurity refuses it.
fn locate(content_type: &[u8], lower: &[u8], findings: &mut Findings) -> Option<usize> {
    if let Some(at) = memmem::find(content_type, PARAMETER) {
        return Some(at);
    }
    if parameters(lower) == 0 {
        findings.error(|| "Multipart: Boundary not found in C-T.".into());
        return None;
    }
    invalid("case sensitivity", findings);
    memmem::find(lower, PARAMETER)
}

/// Between the type and the boundary there is one semicolon and nothing else.
fn check_before(before: &[u8], findings: &mut Findings) {
    let between = before.strip_prefix(MIME_TYPE).unwrap_or_default();
    let between: Vec<u8> = between.iter().copied().filter(|byte| !is_space(*byte)).collect();
    match between.as_slice() {
        b";" => {}
        b"" => findings.flags.missing_semicolon = true,
        _ => invalid("malformed", findings),
    }
}

/// What stands behind the `=`.
fn value<'a>(after_name: &'a [u8], findings: &mut Findings) -> Option<&'a [u8]> {
    let Some(equals) = memchr::memchr(b'=', after_name) else {
        invalid("malformed", findings);
        return None;
    };
    let (between, value) = (&after_name[..equals], &after_name[equals + 1..]);
    if between.iter().any(|byte| !is_space(*byte)) {
        invalid("parameter name", findings);
    }
    findings.flags.boundary_whitespace =
        !between.is_empty() || value.first().is_some_and(|byte| is_space(*byte));
    Some(value.trim_ascii_start())
}

/// How often the word stands there with a `=` somewhere behind it.
fn parameters(lower: &[u8]) -> usize {
    let last_equals = memchr::memrchr(b'=', lower);
    memmem::find_iter(lower, PARAMETER)
        .filter(|at| last_equals.is_some_and(|equals| equals > *at))
        .count()
}

/// The characters of RFC 2046 (5.1.1); a space not at the end.
fn is_valid(boundary: &[u8]) -> bool {
    !boundary.ends_with(b" ")
        && boundary
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b" '()+_,-./:=?".contains(byte))
}

fn up_to(end: u8, text: &[u8]) -> &[u8] {
    memchr::memchr(end, text).map_or(text, |at| &text[..at])
}

fn invalid(what: &str, findings: &mut Findings) {
    findings.error(|| format!("Multipart: Invalid boundary in C-T ({what})."));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(content_type: &str) -> (Option<String>, Findings) {
        let mut findings = Findings::default();
        let boundary = Boundary::declared(content_type.as_bytes(), &mut findings);
        (
            boundary.map(|boundary| String::from_utf8(boundary.text).unwrap()),
            findings,
        )
    }

    #[test]
    fn ordinary_declarations_are_taken_without_a_word() {
        for (content_type, boundary) in [
            ("multipart/form-data; boundary=x", "x"),
            (
                "multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                "----WebKitFormBoundary7MA4YWxkTrZu0gW",
            ),
            ("Multipart/Form-Data; boundary=x", "x"),
            ("multipart/form-data; boundary=a=b", "a=b"),
            ("multipart/form-data; boundary=x; charset=utf-8", "x"),
            ("multipart/form-data; boundary=x;charset=\"utf-8", "x"),
            ("multipart/form-data; boundary=boundary", "boundary"),
        ] {
            let (found, findings) = declared(content_type);
            assert_eq!(found.as_deref(), Some(boundary), "{content_type}");
            assert_eq!(findings.error, None, "{content_type}");
            assert!(!findings.flags.strict_error(), "{content_type}");
        }
    }

    #[test]
    fn unusual_declarations_raise_their_flags() {
        let raised = |content_type: &str| {
            let (found, findings) = declared(content_type);
            assert_eq!(
                (found.as_deref(), findings.error),
                (Some("x"), None),
                "{content_type}"
            );
            let flags = findings.flags;
            (
                flags.boundary_quoted,
                flags.boundary_whitespace,
                flags.missing_semicolon,
            )
        };
        assert_eq!(
            raised("multipart/form-data; boundary=\"x\""),
            (true, false, false)
        );
        assert_eq!(raised("multipart/form-data; boundary =x"), (false, true, false));
        assert_eq!(raised("multipart/form-data; boundary= x"), (false, true, false));
        assert_eq!(raised("multipart/form-data boundary=x"), (false, false, true));
        assert_eq!(
            raised("multipart/form-data boundary\t= \"x\""),
            (true, true, true)
        );
    }

    #[test]
    fn wrong_declarations_are_errors_but_a_boundary_is_used() {
        for (content_type, error, boundary) in [
            ("", "Multipart: Content-Type header not available.", None),
            (
                "multipart/form-data",
                "Multipart: Boundary not found in C-T.",
                None,
            ),
            (
                "multipart/form-data; boundary",
                "Multipart: Boundary not found in C-T.",
                None,
            ),
            (
                "multipart/form-data; boundary=",
                "Multipart: Invalid boundary in C-T (empty).",
                None,
            ),
            (
                "multipart/form-data; boundary=\"\"",
                "Multipart: Invalid boundary in C-T (empty).",
                None,
            ),
            (
                "multipart/mixed; boundary=x",
                "Multipart: Invalid MIME type.",
                Some("x"),
            ),
            (
                "multipart/form-data; Boundary=x",
                "Multipart: Invalid boundary in C-T (case sensitivity).",
                Some("x"),
            ),
            (
                "multipart/form-data; charset=utf-8; boundary=x",
                "Multipart: Invalid boundary in C-T (malformed).",
                Some("x"),
            ),
            (
                "multipart/form-data;; boundary=x",
                "Multipart: Invalid boundary in C-T (malformed).",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary*=x",
                "Multipart: Invalid boundary in C-T (parameter name).",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary=x; boundary=y",
                "Multipart: Multiple boundary parameters in C-T.",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary=x; BOUNDARY=y",
                "Multipart: Multiple boundary parameters in C-T.",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary=\"x",
                "Multipart: Invalid boundary in C-T (quote).",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary=x\"",
                "Multipart: Invalid boundary in C-T (quote).",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary=\"x\"; charset=utf-8",
                "Multipart: Invalid boundary in C-T (quote).",
                Some("x"),
            ),
            (
                "multipart/form-data; boundary=x!y",
                "Multipart: Invalid boundary in C-T (characters).",
                Some("x!y"),
            ),
            (
                "multipart/form-data; boundary=x ",
                "Multipart: Invalid boundary in C-T (characters).",
                Some("x"),
            ),
        ] {
            let (found, findings) = declared(content_type);
            let shown = findings.error.as_deref();
            // ModSecurity has no text for the bare word: it counts only with a `=`.
            assert!(
                shown == Some(error) || content_type.ends_with("; boundary"),
                "{content_type}: {shown:?}"
            );
            assert_eq!(found.as_deref(), boundary, "{content_type}");
            assert!(findings.flags.parse_error && findings.flags.strict_error());
        }
    }

    #[test]
    fn a_header_without_end_is_an_error() {
        let long = format!("multipart/form-data; boundary={}", "x".repeat(1024));
        let (found, findings) = declared(&long);
        assert_eq!(
            findings.error.as_deref(),
            Some("Multipart: Invalid boundary in C-T (length).")
        );
        assert_eq!(found.map(|boundary| boundary.len()), Some(1024));
    }
}
