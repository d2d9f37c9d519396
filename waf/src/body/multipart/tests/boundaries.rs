//! What is a boundary, what is none, and bodies that end too early.

use super::*;

#[test]
fn a_boundary_among_headers_ends_the_part() {
    let body = crlf(&[
        "--XX",
        "Content-Disposition: form-data; name=\"a\"; filename=\"x\"",
        "--XX",
        "Content-Disposition: form-data; name=\"b\"",
        "",
        "attack",
        "--XX--",
    ]);
    let found = read(&body);
    assert_eq!(
        found.error.as_deref(),
        Some("Multipart: Invalid part header (colon missing): --XX")
    );
    assert_eq!(raised(found.flags), ["invalid_part"]);
    assert_eq!(parts(&body, &found), [file("a", "x", ""), field("b", "attack")]);
}

#[test]
fn a_boundary_in_place_of_content_ends_the_part() {
    let body = crlf(&[
        "--XX",
        "Content-Disposition: form-data; name=\"a\"; filename=\"x\"",
        "",
        "--XX",
        "Content-Disposition: form-data; name=\"b\"",
        "",
        "attack",
        "--XX--",
    ]);
    let found = read(&body);
    assert_eq!(found.error, None);
    assert_eq!(raised(found.flags), ["invalid_part"]);
    assert_eq!(parts(&body, &found), [file("a", "x", ""), field("b", "attack")]);
}

#[test]
fn near_boundaries_are_errors() {
    let with_line = |line: &str| {
        crlf(&[
            "--XX",
            "Content-Disposition: form-data; name=\"a\"; filename=\"x\"",
            "",
            "one",
            line,
            "Content-Disposition: form-data; name=\"b\"",
            "",
            "two",
            "--XX--",
        ])
    };
    let quoted = b"multipart/form-data; boundary=\"XX\"";
    let table: &[(&str, &str, usize)] = &[
        ("--XX ", "Multipart: Invalid boundary: --XX ", 2),
        ("--XX\t", "Multipart: Invalid boundary: --XX\t", 2),
        ("--XXY", "Multipart: Invalid boundary: --XXY", 1),
        ("--XX-", "Multipart: Invalid boundary: --XX-", 1),
        ("-- XX", "Multipart: Invalid boundary (whitespace).", 1),
        ("--\"XX\"", "Multipart: Invalid boundary (quotes).", 1),
    ];
    for (line, error, expected) in table {
        let body = with_line(line);
        let found = parse(body.as_bytes(), quoted, &Limits::default());
        assert_eq!(found.error.as_deref(), Some(*error));
        assert_eq!(found.parts.len(), *expected, "{line}");
        assert!(!found.flags.unmatched_boundary, "a real one follows {line}");
    }
}

#[test]
fn a_foreign_boundary_counts_only_where_no_real_one_follows() {
    let head = "Content-Disposition: form-data; name=\"a\"";
    let table: &[(&str, String, bool)] = &[
        (
            "Markdown in a field",
            crlf(&["--XX", head, "", "a", "----", "-- b", "--XX--"]),
            false,
        ),
        (
            "another boundary only",
            crlf(&["--YY", head, "", "a", "--YY--"]),
            true,
        ),
        (
            "the end has another name",
            crlf(&["--XX", head, "", "a", "--YY--"]),
            true,
        ),
        (
            "the end stands inside a line",
            crlf(&["--XX", head, "", "a --XX--"]),
            true,
        ),
        ("no end at all", crlf(&["--XX", head, "", "a"]), false),
    ];
    for (what, body, expected) in table {
        assert_eq!(read(body).flags.unmatched_boundary, *expected, "{what}");
    }
}

#[test]
fn a_body_without_boundaries_is_an_error_and_an_empty_one_is_not() {
    let found = read("a=1&b=2");
    assert_eq!(
        found.error.as_deref(),
        Some("Multipart: No boundaries found in payload.")
    );
    assert_eq!(raised(found.flags), ["data_before"]);
    assert_eq!(read(""), Multipart::default());
    let found = read("--XX--");
    assert_eq!((found.parts.len(), found.error), (0, None));
}

#[test]
fn a_body_cut_short_yields_what_there_is() {
    let body = crlf(&[
        "--XX",
        "Content-Disposition: form-data; name=\"a\"",
        "",
        "one",
        "--XX",
        "Content-Disposition: form-data; name=\"b\"",
        "",
        "two",
        "--XX--",
        "",
    ]);
    let first_ends = body
        .find("\r\n--XX\r\nContent-Disposition: form-data; name=\"b\"")
        .unwrap();
    let complete = body.len() - "\r\n".len();
    for end in 1..complete {
        let cut = &body[..end];
        let found = read(cut);
        assert!(
            found.error.is_some() && found.flags.strict_error(),
            "cut at {end}"
        );
        if end > first_ends + "\r\n--XX\r\n".len() {
            assert_eq!(parts(cut, &found)[0], field("a", "one"), "cut at {end}");
        }
    }
    let cut = &body[..body.find("wo").unwrap()];
    let found = read(cut);
    assert_eq!(parts(cut, &found), [field("a", "one"), field("b", "t")]);
    assert_eq!(found.error.as_deref(), Some("Multipart: Final boundary missing."));
    for end in complete..=body.len() {
        assert_eq!(
            read(&body[..end]).error.is_some(),
            end == complete + 1,
            "cut inside the line end only"
        );
    }
}
