use super::*;
use crate::body::fuzzing::{Mutator, mutate_all};
use crate::body::work::spent;

/// A document, what is wrong with it, and what is read all the same.
type Wrong<'a> = (&'a [u8], JsonErrorKind, &'a [(&'a str, &'a str)]);

fn texts(flat: &Flat) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    flat.values
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

#[test]
fn a_document_becomes_paths_and_texts() {
    let table: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        ("{}", &[]),
        (" [ ] ", &[]),
        (r#""alone""#, &[("json", "alone")]),
        ("12", &[("json", "12")]),
        (r#"{"a":1}"#, &[("json.a", "1")]),
        (
            r#"{"a":{"b":[1,"x"]}}"#,
            &[("json.a.b.0", "1"), ("json.a.b.1", "x")],
        ),
        (
            r#"[[1],[2,[3]]]"#,
            &[("json.0.0", "1"), ("json.1.0", "2"), ("json.1.1.0", "3")],
        ),
        (r#"[{"a":1},{"a":2}]"#, &[("json.0.a", "1"), ("json.1.a", "2")]),
        (r#"{"a":1,"a":2}"#, &[("json.a", "1"), ("json.a", "2")]),
        (
            r#"{"a":true,"b":false,"c":null}"#,
            &[("json.a", "true"), ("json.b", "false"), ("json.c", "")],
        ),
        (
            r#"{"a":[],"b":{},"c":1}"#,
            &[("json.a", ""), ("json.b", ""), ("json.c", "1")],
        ),
        (r#"{"":{"":1}}"#, &[("json..", "1")]),
        (r#"{"a.b":1}"#, &[("json.a.b", "1")]),
        (
            "[0, -0, 1.50, 1E+400, -12e-3]",
            &[
                ("json.0", "0"),
                ("json.1", "-0"),
                ("json.2", "1.50"),
                ("json.3", "1E+400"),
                ("json.4", "-12e-3"),
            ],
        ),
        ("\u{feff}{\"a\":1}", &[("json.a", "1")]),
        (
            " \r\n\t{ \"a\" : [ 1 , 2 ] } \n",
            &[("json.a.0", "1"), ("json.a.1", "2")],
        ),
    ];
    for (body, expected) in table {
        let flat = flatten(body.as_bytes(), 10, 100).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(texts(&flat), pairs(expected), "{body}");
        assert!(!flat.truncated);
    }
}

#[test]
fn escapes_are_decoded_in_names_and_values() {
    let table: &[(&str, &str)] = &[
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u003cscript\u003E""#, "<script>"),
        (r#""\u00e9\u20ac""#, "é€"),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""a\u0000b""#, "a\0b"),
        (r#""é""#, "é"),
    ];
    for (text, expected) in table {
        let flat = flatten(text.as_bytes(), 10, 100).unwrap();
        assert_eq!(texts(&flat), pairs(&[("json", expected)]), "{text}");
        let object = format!("{{{text}:1}}");
        let flat = flatten(object.as_bytes(), 10, 100).unwrap();
        assert_eq!(
            texts(&flat),
            pairs(&[(&format!("json.{expected}"), "1")]),
            "{text}"
        );
    }
}

#[test]
fn an_error_names_its_cause_and_keeps_what_was_read() {
    use JsonErrorKind::*;
    let table: &[Wrong<'_>] = &[
        (b" ", Premature, &[]),
        (b"{\"a\":1", Premature, &[("json.a", "1")]),
        (b"{\"a\":1,", Premature, &[("json.a", "1")]),
        (b"{\"a\":1,\"b", Premature, &[("json.a", "1"), ("json.b", "")]),
        (b"{\"a\"", Premature, &[("json.a", "")]),
        (b"[\"cut sho", Premature, &[("json.0", "cut sho")]),
        (b"[1,tr", Premature, &[("json.0", "1")]),
        (b"[1.", Premature, &[]),
        (b"\"a\\", Premature, &[("json", "a")]),
        (b"[1,]", UnallowedToken, &[("json.0", "1")]),
        (b"[1 2]", ArrayNotContinued, &[("json.0", "1")]),
        (b"{\"a\":1 \"b\":2}", ObjectNotContinued, &[("json.a", "1")]),
        (b"{\"a\" 1}", ColonMissing, &[("json.a", "")]),
        (b"{a:1}", KeyIsNoString, &[]),
        (b"{\"a\":1,}", KeyIsNoString, &[("json.a", "1")]),
        (b"{\"a\":]", UnallowedToken, &[]),
        (b"['a']", InvalidCharacter, &[]),
        (b"[nul]", InvalidWord, &[]),
        (b"[NaN]", InvalidCharacter, &[]),
        (b"[1,/*x*/2]", Comment, &[("json.0", "1")]),
        (b"[-]", NumberAfterMinus, &[]),
        (b"[1.]", NumberAfterPoint, &[]),
        (b"[1e+]", NumberAfterExponent, &[]),
        (b"[01]", ArrayNotContinued, &[("json.0", "0")]),
        (b"\x00", InvalidCharacter, &[]),
        (b"a=1&b=2", InvalidCharacter, &[]),
    ];
    for (body, kind, partial) in table {
        let error = flatten(body, 10, 100).unwrap_err();
        let shown = String::from_utf8_lossy(body);
        assert_eq!(error.kind, *kind, "{shown}");
        assert_eq!(texts(&error.partial), pairs(partial), "{shown}");
    }
}

#[test]
fn after_an_error_inside_a_string_the_rest_is_still_read() {
    use JsonErrorKind::*;
    let table: &[(&[u8], JsonErrorKind, &str)] = &[
        (b"{\"a\":\"x\xffy\",\"b\":\"attack\"}", InvalidUtf8, "x\u{fffd}y"),
        (b"{\"a\":\"x\ny\",\"b\":\"attack\"}", ControlCharacter, "x\ny"),
        (br#"{"a":"x\qy","b":"attack"}"#, InvalidEscape, r"x\qy"),
        (br#"{"a":"x\u12","b":"attack"}"#, InvalidHexEscape, r"x\u12"),
    ];
    for (body, kind, first) in table {
        let error = flatten(body, 10, 100).unwrap_err();
        assert_eq!(error.kind, *kind);
        assert_eq!(
            texts(&error.partial),
            pairs(&[("json.a", first), ("json.b", "attack")])
        );
    }
}

#[test]
fn a_second_document_is_garbage_but_is_read() {
    let error = flatten(b"{\"a\":1}\n{\"b\":2}", 10, 100).unwrap_err();
    assert_eq!(error.kind, JsonErrorKind::TrailingGarbage);
    assert_eq!(error.offset, 8);
    assert_eq!(texts(&error.partial), pairs(&[("json.a", "1"), ("json.b", "2")]));
}

#[test]
fn errors_read_like_those_of_modsecurity() {
    let message = |body: &[u8], depth| flatten(body, depth, 9).unwrap_err().to_string();
    assert_eq!(message(b"{", 9), "parse error: premature EOF");
    assert_eq!(
        message(b"{\"a\":1 2", 9),
        "parse error: after key and value, inside map, I expect ',' or '}'"
    );
    assert!(message(b"[[1]]", 1).ends_with("Parsing depth limit exceeded"));
}

#[test]
fn depth_is_bounded_by_the_limit_and_not_by_the_stack() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(flatten(nested(512).as_bytes(), 512, 9).is_ok());
    let error = flatten(nested(513).as_bytes(), 512, 9).unwrap_err();
    assert_eq!((error.kind, error.offset), (JsonErrorKind::TooDeep, 512));
    assert!(flatten(nested(200_000).as_bytes(), usize::MAX, 0).is_ok());
}

#[test]
fn values_past_the_limit_are_left_out_and_flagged() {
    let flat = flatten(b"[1,2,3]", 9, 2).unwrap();
    assert_eq!(texts(&flat), pairs(&[("json.0", "1"), ("json.1", "2")]));
    assert!(flat.truncated);
    assert!(!flatten(b"[1,2]", 9, 2).unwrap().truncated);
    assert!(flatten(b"[1,2,3", 9, 2).is_err(), "the rest is still checked");
}

#[test]
fn the_name_of_every_member_is_kept_whole() {
    let names = |body: &str| -> Vec<String> {
        let flat = flatten(body.as_bytes(), 9, 9).unwrap_or_else(|error| error.partial);
        let names = flat.containers.into_iter().map(String::from_utf8);
        names.collect::<Result<_, _>>().unwrap()
    };
    let table: &[(&str, &[&str])] = &[
        (
            r#"{"a":[1,2],"b":{"c":{"d":1}}}"#,
            &["json.a", "json.b", "json.b.c"],
        ),
        (r#"[[1],{"a":[2]}]"#, &["json.1.a"]),
        (r#"{"a":[],"b":{},"c":[1]}"#, &["json.c"]),
        (r#"{"cut":{"off":["#, &["json.cut", "json.cut.off"]),
        ("1", &[]),
    ];
    for (body, expected) in table {
        assert_eq!(names(body), *expected, "{body}");
    }
    assert!(flatten(br#"{"a":{"b":{"c":1}}}"#, 9, 1).unwrap().truncated);
}

#[test]
fn a_long_name_over_many_values_cannot_multiply_the_body() {
    let body = format!(r#"{{"{}":[{}]}}"#, "n".repeat(500_000), vec!["1"; 1000].join(","));
    let flat = flatten(body.as_bytes(), 9, 1000).unwrap();
    let names: usize = flat.values.iter().map(|(name, _)| name.len()).sum();
    assert!(flat.truncated);
    assert!(!flat.values.is_empty(), "some are kept");
    assert!(names <= 1000 * NAME_BYTES_PER_ARGUMENT + body.len());
}

#[test]
fn a_hostile_document_costs_work_in_proportion_to_its_size() {
    let many = |text: &str| text.repeat(1_000_000 / text.len());
    for (what, body) in [
        ("depth", many("[")),
        ("depth with names", many("{\"a\":")),
        ("escapes", format!("\"{}\"", many("\\n"))),
        ("half characters", format!("\"{}\"", many("\\ud83d"))),
        ("backslashes", format!("\"{}", many("\\"))),
        ("empty containers", format!("[{}[]]", many("[],"))),
        ("many documents", many("{}")),
        ("many names", format!("{{{}\"a\":1}}", many("\"a\":1,"))),
        ("blanks", many(" ")),
    ] {
        let work = spent(|| flatten(body.as_bytes(), 100_000, 1000));
        assert!(
            work <= 5 * body.len(),
            "{what}: {work} bytes looked at in {}",
            body.len()
        );
    }
}

#[test]
fn no_mutation_of_a_document_panics_or_escapes_the_limits() {
    let documents: [&[u8]; 4] = [
        br#"{"user":{"name":"x","roles":["a","b",{"c":null}]},"n":[-1.5e+3,0,true,false]}"#,
        br#"[["\ud83d\ude00\u0041\n\"",{}],[],{"":{"":""}}]"#,
        b"{\"a\":\"\xc3\xa9\",\"a\":[[[[[[[[[[1]]]]]]]]]]}",
        br#""alone""#,
    ];
    mutate_all(&documents, 4000, |body| {
        let flat = match flatten(body, 8, 6) {
            Ok(flat) => flat,
            Err(error) => {
                assert!(error.offset <= body.len());
                error.partial
            }
        };
        assert!(flat.values.len() <= 6 && flat.containers.len() <= 6);
        assert!(flat.values.iter().all(|(name, _)| name.starts_with(ROOT)));
    });
}

/// `serde_json` reads the same language: what it takes, this parser takes, and the other way round, but
/// for what is listed.
#[test]
fn the_language_is_the_one_of_serde_json() {
    let seeds: [&[u8]; 2] = [
        br#"{"a":[1,-0.5e2,"x\n\u0041",null],"b":{"c":true}}"#,
        br#"[1,[2],{"k":""}]"#,
    ];
    let mut mutator = Mutator::new(7);
    for seed in seeds {
        for _ in 0..4000 {
            let body = mutator.mutate(seed);
            let theirs = serde_json::from_slice::<serde_json::Value>(&body);
            let ours = flatten(&body, 100, 1000);
            let out_of_range = theirs
                .as_ref()
                .is_err_and(|error| error.to_string().contains("number out"));
            let lone_surrogate = theirs
                .as_ref()
                .is_err_and(|error| error.to_string().contains("surrogate"));
            if body.is_empty() || out_of_range || lone_surrogate {
                continue;
            }
            let shown = String::from_utf8_lossy(&body);
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{shown}: {ours:?} {theirs:?}");
        }
    }
}
