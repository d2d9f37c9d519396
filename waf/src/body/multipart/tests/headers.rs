//! What stands in part headers.

use super::*;

#[test]
fn a_single_quote_between_double_quotes_is_a_character() {
    let body = part_with(&["Content-Disposition: form-data; name=\"it's\"; filename=\"o'clock\""]);
    let found = read(&body);
    assert_eq!(raised(found.flags), [""; 0]);
    assert_eq!(parts(&body, &found), [file("it's", "o'clock", "value")]);
}

#[test]
fn wrong_part_headers_are_errors_and_nothing_is_lost() {
    let head = "Content-Disposition: form-data; name=\"a\"";
    let table: &[(&[&str], &str)] = &[
        (
            &["no colon", head],
            "Multipart: Invalid part header (colon missing): no colon",
        ),
        (
            &[": no name", head],
            "Multipart: Invalid part header (header name missing).",
        ),
        (
            &["\x0eX: 1", head],
            "Multipart: Invalid part header (contains invalid character).",
        ),
        (
            &["X : 1", head],
            "Multipart: Invalid part header (contains invalid character).",
        ),
        (
            &["X\x7f: 1", head],
            "Multipart: Invalid part header (contains invalid character).",
        ),
        (
            &["X: é", "é: X", head],
            "Multipart: Invalid part header (contains invalid character).",
        ),
        (
            &[" folded", head],
            "Multipart: Invalid part header (folding error).",
        ),
        (&["X: a\0b", head], "Multipart: Nul byte in part headers."),
        (&[head, "X: 1", "x: 2"], "Multipart: Duplicate part header: x."),
        (
            &[head, "Content-Disposition: form-data; name=\"b\""],
            "Multipart: Duplicate part header: Content-Disposition.",
        ),
    ];
    for (headers, error) in table {
        let body = part_with(headers);
        let found = read(&body);
        assert_eq!(found.error.as_deref(), Some(*error));
        assert!(found.flags.strict_error());
        assert_eq!(parts(&body, &found), [field("a", "value")], "{error}");
        let lines: Vec<&[u8]> = headers.iter().map(|line| line.as_bytes()).collect();
        assert_eq!(found.parts[0].raw_headers, lines, "{error}");
    }
}

#[test]
fn a_folded_header_is_one_line_to_the_rules() {
    let body = part_with(&[
        "Content-Disposition: form-data;",
        "  name=\"a\"",
        "X:1",
        "\t2",
        " 3",
    ]);
    let found = read(&body);
    assert_eq!(parts(&body, &found), [field("a", "value")]);
    let lines: [&[u8]; 2] = [b"Content-Disposition: form-data; name=\"a\"", b"X:1 2 3"];
    assert_eq!(found.parts[0].raw_headers, lines);
    assert_eq!(found.parts[0].headers[1], (b"X".to_vec(), b"1 2 3".to_vec()));
}

#[test]
fn a_disposition_is_read_strictly_and_used_leniently() {
    let none = None;
    let table: &[(&str, Option<i8>, &str, Option<&str>)] = &[
        ("form-data; name=\"a\"", None, "a", none),
        ("form-data; name=a; filename=b.txt", None, "a", Some("b.txt")),
        ("form-data ; name = \"a\" ;filename=\"b\"", None, "a", Some("b")),
        (r#"form-data; name="a\"b\\c\d""#, None, r#"a"b\c\d"#, none),
        (
            r#"form-data; name="a"; filename="C:\dir\b.txt""#,
            None,
            "a",
            Some(r"C:\dir\b.txt"),
        ),
        (
            "form-data; name=\"a;b\"; filename=\"c=d\"",
            None,
            "a;b",
            Some("c=d"),
        ),
        ("form-data; name=\"a\"; filename=\"\"", None, "a", none),
        ("form-data; name=\"\"; name=\"a\"", None, "a", none),
        ("attachment; name=\"a\"", Some(-1), "a", none),
        ("Form-Data; name=\"a\"", Some(-1), "a", none),
        ("form-data, x; name=\"a\"", Some(-2), "a", none),
        ("form-data; name=\"a\";", None, "a", none),
        ("form-data; name=\"a\"; ", Some(-3), "a", none),
        ("form-data; name=\"a\"; filename", Some(-4), "a", none),
        ("form-data; name=\"a\"; filename ", Some(-5), "a", none),
        ("form-data; name=\"a\"; filename=", Some(-6), "a", none),
        ("form-data; name=\"a\"; filename=\"", Some(-7), "a", none),
        ("form-data; name=\"a\"; filename=\"b", Some(-7), "a", Some("b")),
        ("form-data; name=\"a\"; filename=\"b\\", Some(-8), "a", none),
        ("form-data; size=1; name=\"a\"", Some(-11), "a", none),
        ("form-data; NAME=\"a\"", Some(-11), "a", none),
        (
            "form-data; name=\"a\" x; filename=\"b\"",
            Some(-12),
            "a",
            Some("b"),
        ),
        ("form-data; name=\"a\"filename=\"b\"", Some(-12), "a", none),
        ("form-data; x y=1; name=\"a\"", Some(-13), "a", none),
        ("form-data; x; name=\"a\"", Some(-13), "a", none),
        ("form-data; name=\"a\"; name=\"b\"", Some(-14), "a", none),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename=\"c\"",
            Some(-15),
            "a",
            Some("b"),
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename*=''c",
            Some(-16),
            "a",
            Some("b"),
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename*=utf-8'c",
            Some(-17),
            "a",
            Some("b"),
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename*=utf-8''%4",
            Some(-18),
            "a",
            Some("b"),
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename*=utf-8''\"c\"",
            Some(-19),
            "a",
            Some("b"),
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename*=utf-8''c; filename*=utf-8''d",
            Some(-20),
            "a",
            Some("b"),
        ),
        (
            "form-data; name=\"a\"; filename*=utf-8''b%2Ephp",
            Some(-21),
            "a",
            Some("b.php"),
        ),
    ];
    for (value, code, name, filename) in table {
        let body = part_with(&[&format!("Content-Disposition: {value}")]);
        let found = read(&body);
        let error =
            code.map(|code| format!("Multipart: Invalid Content-Disposition header ({code}): {value}"));
        assert_eq!(found.error, error, "{value}");
        let expected = ((*name).into(), filename.map(str::to_owned), "value".into());
        assert_eq!(parts(&body, &found), [expected], "{value}");
    }
}

#[test]
fn two_file_names_in_one_part_are_both_shown() {
    let body = part_with(&[
        "Content-Disposition: form-data; name=\"a\"; filename=\"ok.txt\"; filename*=UTF-8''sh%65ll.php",
    ]);
    let found = read(&body);
    assert_eq!(found.error, None);
    assert_eq!(found.parts[0].filename.as_deref(), Some(&b"ok.txt"[..]));
    assert_eq!(
        found.parts[0].filename_extended.as_deref(),
        Some(&b"shell.php"[..])
    );
}

#[test]
fn a_file_name_that_crude_parsers_would_miss_is_an_error() {
    let body = part_with(&["Content-Disposition: form-data; name=\"a\"; filename =\"b\""]);
    let found = read(&body);
    assert_eq!(
        found.error.as_deref(),
        Some("Multipart: Invalid Content-Disposition header (filename).")
    );
    assert_eq!(parts(&body, &found), [file("a", "b", "value")]);
}

#[test]
fn a_part_without_a_name_is_kept_and_flagged() {
    for (headers, error) in [
        (
            &["X: 1"][..],
            "Multipart: Part missing Content-Disposition header.",
        ),
        (
            &["Content-Disposition: form-data"],
            "Multipart: Content-Disposition header missing name field.",
        ),
        (
            &["Content-Disposition: form-data; name=\"\""],
            "Multipart: Content-Disposition header missing name field.",
        ),
        (
            &["Content-Disposition:"],
            "Multipart: Invalid Content-Disposition header (-1): ",
        ),
    ] {
        let body = part_with(headers);
        let found = read(&body);
        assert_eq!(found.error.as_deref(), Some(error));
        assert_eq!(raised(found.flags), ["invalid_part"], "{error}");
        assert_eq!(parts(&body, &found), [field("", "value")], "{error}");
    }
}
