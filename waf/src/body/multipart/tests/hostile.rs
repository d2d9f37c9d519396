//! Limits, work, and bodies that nobody would write.

use super::*;
use crate::body::fuzzing::{Mutator, mutate_all};
use crate::body::work::spent;

#[test]
fn parts_past_the_limit_are_an_error() {
    let limits = Limits {
        multipart_parts: 2,
        ..Limits::default()
    };
    let part = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
    let body = |count: usize| format!("{}--XX--", part.repeat(count));
    let found = parse(body(2).as_bytes(), TYPE, &limits);
    assert_eq!((found.parts.len(), found.error), (2, None));
    let found = parse(body(3).as_bytes(), TYPE, &limits);
    assert_eq!(found.parts.len(), 2);
    assert_eq!(found.error.as_deref(), Some("Multipart: More than 2 parts."));
}

#[test]
fn headers_past_the_limit_are_an_error_and_the_content_is_still_read() {
    let limits = Limits {
        multipart_header_bytes: 100,
        ..Limits::default()
    };
    let long = format!("X: {}", "x".repeat(100));
    let body = part_with(&[
        "Content-Disposition: form-data; name=\"a\"",
        &long,
        " more",
        "Y: 1",
    ]);
    let found = parse(body.as_bytes(), TYPE, &limits);
    assert_eq!(
        found.error.as_deref(),
        Some("Multipart: Part headers over 100 bytes long.")
    );
    assert_eq!(parts(&body, &found), [field("a", "value")]);
    assert_eq!(found.parts[0].raw_headers.len(), 1);
}

#[test]
fn a_hostile_body_costs_work_in_proportion_to_its_size() {
    let head = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    let long_type = format!("multipart/form-data; boundary={}", "-".repeat(900));
    let table: &[(&str, &[u8], String)] = &[
        ("dashes", TYPE, format!("{head}{}", "\r\n--".repeat(262_144))),
        (
            "one line of dashes",
            TYPE,
            format!("{head}{}", "-".repeat(1_048_576)),
        ),
        (
            "near boundaries",
            TYPE,
            format!("{head}{}", "\r\n--X".repeat(200_000)),
        ),
        (
            "boundaries inside lines",
            TYPE,
            format!("{head}{}", "a--XX".repeat(200_000)),
        ),
        ("boundaries and nothing else", TYPE, "--XX\r\n".repeat(170_000)),
        (
            "boundaries with blanks",
            TYPE,
            format!("{head}{}", "\n--XX \n".repeat(150_000)),
        ),
        (
            "blanks and boundary",
            TYPE,
            format!("{head}{}", "\n--  XX".repeat(150_000)),
        ),
        (
            "a long boundary, nearly",
            long_type.as_bytes(),
            format!("{head}{}", format!("\n--{}", "-".repeat(899)).repeat(1000)),
        ),
        (
            "folded headers",
            TYPE,
            format!("--XX\r\nX: 1\r\n{}", " a\r\n".repeat(260_000)),
        ),
        (
            "many headers",
            TYPE,
            format!("--XX\r\n{}", "a:\r\n".repeat(260_000)),
        ),
        ("line ends", TYPE, format!("{head}{}", "\n".repeat(1_048_576))),
        (
            "carriage returns",
            TYPE,
            format!("{head}{}", "\r".repeat(1_048_576)),
        ),
    ];
    for (what, content_type, body) in table {
        let work = spent(|| parse(body.as_bytes(), content_type, &Limits::default()));
        assert!(
            work <= 4 * body.len(),
            "{what}: {work} bytes looked at in {}",
            body.len()
        );
    }
}

#[test]
fn no_mutation_of_a_body_panics_or_breaks_a_promise() {
    let first = crlf(&[
        "--XX",
        "Content-Disposition: form-data; name=\"a\"; filename=\"b\\\"c\"; filename*=utf-8''%41",
        "Content-Type: text/plain",
        " folded",
        "",
        "one",
        "--XX",
        "Content-Disposition: form-data; name='d'",
        "",
        "",
        "--XX--",
        "",
    ]);
    let limits = Limits {
        multipart_parts: 3,
        multipart_header_bytes: 120,
        ..Limits::default()
    };
    let check = |body: &[u8], content_type: &[u8]| {
        let found = parse(body, content_type, &limits);
        assert!(found.parts.len() <= limits.multipart_parts);
        assert_eq!(found.error.is_some(), found.flags.parse_error);
        let mut end = 0;
        for part in &found.parts {
            assert!(end <= part.content.start && part.content.start <= part.content.end);
            assert!(part.raw_headers.iter().map(Vec::len).sum::<usize>() <= 120);
            end = part.content.end;
        }
        assert!(end <= body.len());
    };
    mutate_all(&[first.as_bytes()], 20_000, |body| check(body, TYPE));
    let types: [&[u8]; 2] = [TYPE, b"multipart/form-data; boundary=\"XX\"; charset=utf-8"];
    mutate_all(&types, 5_000, |content_type| {
        check(first.as_bytes(), content_type)
    });
}

#[test]
fn a_form_that_is_written_is_read_back() {
    let mut mutator = Mutator::new(3);
    for round in 0..500 {
        let contents: Vec<Vec<u8>> = (0..round % 5)
            .map(|_| mutator.mutate(b"\r\n--X\n--XX--x\r\n-"))
            .collect();
        let mut body = Vec::new();
        for (index, content) in contents.iter().enumerate() {
            let head = format!("--X.Y\r\nContent-Disposition: form-data; name=\"n{index}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--X.Y--\r\n");
        let found = parse(&body, b"multipart/form-data; boundary=X.Y", &Limits::default());
        assert_eq!(found.error, None);
        assert!(!found.flags.strict_error());
        let read: Vec<&[u8]> = found
            .parts
            .iter()
            .map(|part| &body[part.content.clone()])
            .collect();
        assert_eq!(read, contents);
    }
}
