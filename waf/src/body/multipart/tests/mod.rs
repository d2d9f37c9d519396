//! Ordinary forms, and the flag of each oddity.

mod boundaries;
mod headers;
mod hostile;

use super::*;

const TYPE: &[u8] = b"multipart/form-data; boundary=XX";

fn read(body: &str) -> Multipart {
    parse(body.as_bytes(), TYPE, &Limits::default())
}

/// Lines with CRLF between them, as on the wire.
fn crlf(lines: &[&str]) -> String {
    lines.join("\r\n")
}

/// A body of one part with these header lines and the content `value`.
fn part_with(headers: &[&str]) -> String {
    format!("--XX\r\n{}\r\n\r\nvalue\r\n--XX--\r\n", headers.join("\r\n"))
}

/// Name, file name and content of each part.
fn parts(body: &str, found: &Multipart) -> Vec<(String, Option<String>, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    found
        .parts
        .iter()
        .map(|part| {
            let content = text(&body.as_bytes()[part.content.clone()]);
            (text(&part.name), part.filename.as_deref().map(text), content)
        })
        .collect()
}

fn field(name: &str, content: &str) -> (String, Option<String>, String) {
    (name.into(), None, content.into())
}

fn file(name: &str, filename: &str, content: &str) -> (String, Option<String>, String) {
    (name.into(), Some(filename.into()), content.into())
}

/// The flags that are up, but for the one that every error raises.
fn raised(flags: Flags) -> Vec<&'static str> {
    [
        ("boundary_quoted", flags.boundary_quoted),
        ("boundary_whitespace", flags.boundary_whitespace),
        ("data_before", flags.data_before),
        ("data_after", flags.data_after),
        ("header_folding", flags.header_folding),
        ("invalid_header_folding", flags.invalid_header_folding),
        ("invalid_part", flags.invalid_part),
        ("invalid_quoting", flags.invalid_quoting),
        ("lf_line", flags.lf_line),
        ("crlf_lf_lines", flags.crlf_lf_lines),
        ("missing_semicolon", flags.missing_semicolon),
        ("unmatched_boundary", flags.unmatched_boundary),
        ("file_limit_exceeded", flags.file_limit_exceeded),
    ]
    .into_iter()
    .filter_map(|(name, up)| up.then_some(name))
    .collect()
}

#[test]
fn a_browser_sends_a_form_with_two_fields_and_a_file() {
    let body = crlf(&[
        "--XX",
        "Content-Disposition: form-data; name=\"user\"",
        "",
        "Ann",
        "--XX",
        "Content-Disposition: form-data; name=\"photo\"; filename=\"a b.png\"",
        "Content-Type: image/png",
        "",
        "\u{89}PNG",
        "--XX",
        "Content-Disposition: form-data; name=\"note\"",
        "",
        "first line",
        "",
        "third line",
        "",
        "--XX--",
        "",
    ]);
    let found = read(&body);
    assert_eq!(found.error, None);
    assert_eq!(raised(found.flags), [""; 0]);
    assert!(!found.flags.strict_error());
    assert_eq!(
        parts(&body, &found),
        [
            field("user", "Ann"),
            file("photo", "a b.png", "\u{89}PNG"),
            field("note", "first line\r\n\r\nthird line\r\n"),
        ]
    );
    assert_eq!(
        found.parts[1].raw_headers,
        [
            b"Content-Disposition: form-data; name=\"photo\"; filename=\"a b.png\"".to_vec(),
            b"Content-Type: image/png".to_vec(),
        ]
    );
    assert_eq!(
        found.parts[1].headers[1],
        (b"Content-Type".to_vec(), b"image/png".to_vec())
    );
}

#[test]
fn content_is_kept_to_the_byte() {
    for content in [
        "", "a", "\r\n", "\r\n\r\n", "\n", "\r", "--", "--X", "--XY", "a--XX", "-", "\0",
    ] {
        let body = format!("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n{content}\r\n--XX--");
        let found = read(&body);
        assert_eq!(parts(&body, &found), [field("a", content)], "{content:?}");
        assert_eq!(found.error, None, "{content:?}");
    }
}

#[test]
fn each_oddity_raises_its_flag() {
    let head = "Content-Disposition: form-data; name=\"a\"";
    let table: &[(&str, String, &[&str])] = &[
        (
            "a text before the first boundary",
            format!("hello\r\n{}", part_with(&[head])),
            &["data_before"],
        ),
        (
            "an empty line before it",
            format!("\r\n{}", part_with(&[head])),
            &["data_before"],
        ),
        (
            "a text after the last boundary",
            format!("{}bye", part_with(&[head])),
            &["data_after"],
        ),
        (
            "an empty line after it",
            format!("{}\r\n", part_with(&[head])),
            &["data_after"],
        ),
        (
            "a folded header",
            part_with(&[head, "X: 1", "\t2"]),
            &["header_folding"],
        ),
        (
            "folded with a form feed",
            part_with(&[head, "X: 1", " \x0c2"]),
            &["header_folding", "invalid_header_folding"],
        ),
        (
            "a blank but not empty line",
            part_with(&[head, " "]),
            &["header_folding", "invalid_header_folding"],
        ),
        (
            "single quotes",
            part_with(&["Content-Disposition: form-data; name='a'"]),
            &["invalid_quoting"],
        ),
        (
            "a single quote without quotes",
            part_with(&["Content-Disposition: form-data; name=a'b"]),
            &["invalid_quoting"],
        ),
        ("LF only", part_with(&[head]).replace("\r\n", "\n"), &["lf_line"]),
        (
            "LF behind one header",
            part_with(&[head]).replace("\"\r\n", "\"\n"),
            &["lf_line", "crlf_lf_lines"],
        ),
        (
            "LF before a boundary",
            part_with(&[head]).replace("value\r\n", "value\n"),
            &["lf_line", "crlf_lf_lines"],
        ),
        (
            "LF behind the last boundary",
            part_with(&[head]).replace("--\r\n", "--\n"),
            &["lf_line", "crlf_lf_lines"],
        ),
        (
            "no line for content",
            part_with(&[head]).replace("value\r\n", ""),
            &["invalid_part"],
        ),
    ];
    for (what, body, expected) in table {
        let found = read(body);
        assert_eq!(raised(found.flags), *expected, "{what}");
        assert!(found.flags.strict_error(), "{what}");
        assert_eq!(found.error, None, "{what}");
        assert_eq!(found.parts.len(), 1, "{what}");
    }
}
