//! Patterns of the shapes that rules have, and of those that rules must not have.

use super::*;

/// A pattern, an input, and the whole match or none.
type Row = (&'static str, &'static [u8], Option<&'static [u8]>);

fn whole_match(pattern: &str, input: &[u8]) -> Option<Vec<u8>> {
    let compiled = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    compiled.find(input).map(|found| found.as_bytes().to_vec())
}

#[test]
fn patterns_mean_what_pcre_means() {
    let rows: &[Row] = &[
        // Bytes, DOTALL, and an end that is the end.
        ("a.c", b"a\nc", Some(b"a\nc")),
        ("a.c", b"a\xffc", Some(b"a\xffc")),
        ("a$", b"a\n", None),
        ("(?m)a$", b"a\nb", Some(b"a")),
        ("(?-s)a.c", b"a\nc", None),
        (r"a\Z", b"a\n", Some(b"a\n")),
        (r"a\z", b"a\n", None),
        (r"\Aab\z", b"ab", Some(b"ab")),
        ("", b"x", Some(b"")),
        // Bytes past ASCII, in every spelling.
        (r"\x{bc}s\x{be}", b"\xbcs\xbe", Some(b"\xbcs\xbe")),
        (r"[^\x{be}]+", b"a\xbe", Some(b"a")),
        (r"[\x80-\xff]+", b"a\xc3\xa9", Some(b"\xc3\xa9")),
        ("é+", "éé".as_bytes(), Some("é".as_bytes())),
        ("[é]", b"\xa9", Some(b"\xa9")),
        (r"\x{2028}", "\u{2028}".as_bytes(), Some("\u{2028}".as_bytes())),
        (r"(?i)É", "é".as_bytes(), None),
        (r"(?i)SELECT", b"sElEcT", Some(b"sElEcT")),
        // Escapes.
        (
            r#"\/\"\'\-\<\>\_\@\%\ \#"#,
            b"/\"'-<>_@% #",
            Some(b"/\"'-<>_@% #"),
        ),
        (r"\<b", b"<b", Some(b"<b")),
        (r"\x3c\x3\x\xzz", b"<\x03\x00\x00zz", Some(b"<\x03\x00\x00zz")),
        (r"\x4g", b"\x04g", Some(b"\x04g")),
        (r"\0\012\101", b"\x00\nA", Some(b"\x00\nA")),
        (r"\o{101}\cA\c[", b"A\x01\x1b", Some(b"A\x01\x1b")),
        (
            r"\a\e\f\n\r\t",
            b"\x07\x1b\x0c\n\r\t",
            Some(b"\x07\x1b\x0c\n\r\t"),
        ),
        (r"\h+", b"a \t\xa0", Some(b" \t\xa0")),
        (r"\v+", b"a\n\x0b\x0c\r\x85", Some(b"\n\x0b\x0c\r\x85")),
        (r"[\s\v]+", b"a \x0b\x85", Some(b" \x0b\x85")),
        (r"\s", b"\x0b", Some(b"\x0b")),
        (r"\s", b"\xa0", None),
        (r"\d", "\u{661}".as_bytes(), None),
        (r"\R", b"\r\n", Some(b"\r\n")),
        (r"\N+", b"ab\n", Some(b"ab")),
        (r"\bor\b", b"a or b", Some(b"or")),
        (r"\Qa.b[\E+", b"a.b[[", Some(b"a.b[[")),
        // Braces that are no quantifier, and those that are.
        (r"${jndi", b"", None),
        (r"\${jndi", b"${jndi", Some(b"${jndi")),
        ("a{,}", b"a{,}", Some(b"a{,}")),
        ("a{x}b{}c}", b"a{x}b{}c}", Some(b"a{x}b{}c}")),
        ("a{2}b{1,}c{0,2}", b"aabbcc", Some(b"aabbcc")),
        ("(?:a{2}){2}", b"aaaa", Some(b"aaaa")),
        ("a{2,3}?", b"aaa", Some(b"aa")),
        ("{a", b"{a", Some(b"{a")),
        ("a]", b"a]", Some(b"a]")),
        // Groups.
        ("(?:a|b)+?", b"ab", Some(b"a")),
        ("(?P<n>a)(?<m>b)(?'o'c)", b"abc", Some(b"abc")),
        ("a(?#comment ( [ )b", b"ab", Some(b"ab")),
        ("(|a)b", b"ab", Some(b"ab")),
        ("a(?i)b|c", b"C", Some(b"C")),
        ("(?i:a)b", b"Ab", Some(b"Ab")),
        ("(?i:a)b", b"AB", None),
        ("(?i-s:A.)", b"a\n", None),
        ("^*a", b"a", Some(b"a")),
        // White space and comments under x, but not in classes, and not after the group.
        ("(?x) a b # c [\n d", b"abd", Some(b"abd")),
        (r"(?x)a[ #]\ b\#", b"a# b#", Some(b"a# b#")),
        ("(?x: a b )c d", b"abc d", Some(b"abc d")),
        ("(?x)a + b", b"aab", Some(b"aab")),
        ("(?xi) A (?-x) b", b"a b", Some(b"a b")),
    ];
    for (pattern, input, expected) in rows {
        assert_eq!(
            whole_match(pattern, input).as_deref(),
            *expected,
            "{pattern} on {}",
            input.escape_ascii()
        );
    }
}

#[test]
fn classes_hold_what_they_show() {
    let rows: &[(&str, &[u8], &[u8])] = &[
        ("[abc]", b"abc", b"d[]^-"),
        ("[^abc]", b"d[]^\n\xff", b"abc"),
        ("[]a]", b"]a", b"[b"),
        ("[^]a]", b"[b", b"]a"),
        ("[[a]", b"[a", b"]b"),
        ("[a[b]", b"a[b", b"]c"),
        ("[&&]", b"&", b"-"),
        ("[a&&b]", b"a&b", b"c"),
        ("[a--b]", b"", b""),
        ("[+--]", b"+,-", b".*"),
        ("[~~a]", b"~a", b"-"),
        ("[a-]", b"a-", b"b"),
        ("[-a]", b"-a", b"b"),
        ("[a-c-e]", b"abc-e", b"d"),
        (r"[\w-.]", b"a_-.", b"/"),
        (r"[\w--0]", b"a_-0", b"./"),
        (r"[!-\d--0]", b"!-05", b"\"./"),
        (r"[a-\d]", b"a-5", b"b"),
        (r"[\x5b-\x5d]", b"[\\]", b"Z^"),
        (r"[\[\]\\\-\^]", b"[]\\-^", b"a"),
        (r"[!-\/:-@[-`{-~]", b"!/:@[`{~]\\", b"0Aa"),
        ("[[:alpha:]_]", b"aZ_", b"0-:["),
        ("[[:^digit:]]", b"a:", b"0"),
        ("[^[:space:]]", b"a", b" \x0b"),
        ("[[:alpha]", b"[:alph", b"z]"),
        ("[:alpha:]", b":alph", b"z["),
        (r"[\b]", b"\x08", b"b"),
        (r"[\d\s]", b"0 ", b"a"),
        (r"[^\W_]", b"a0", b"_-"),
        (r"[\h]", b" \t\xa0", b"\n"),
        (r"[^\v]", b"a", b"\n\x85"),
        (r"[\101\0\8]", b"A\x008", b"1"),
        (r"[\Q^]-\E]", b"^]-", b"a"),
        (r"[ #]", b" #", b"a"),
        (r#"["'`]"#, b"\"'`", b"a"),
        (r"[\.\*\$]", b".*$", b"\\"),
    ];
    for (pattern, members, others) in rows {
        if members.is_empty() {
            assert!(compile(pattern).is_err(), "{pattern}");
            continue;
        }
        let compiled = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        for byte in *members {
            assert!(
                compiled.is_match(&[*byte]),
                "{pattern} has {}",
                byte.escape_ascii()
            );
        }
        for byte in *others {
            assert!(
                !compiled.is_match(&[*byte]),
                "{pattern} has not {}",
                byte.escape_ascii()
            );
        }
    }
}

#[test]
fn every_byte_stands_for_itself() {
    for byte in 0..=255u8 {
        let mut text = String::new();
        translate::push_literal(&mut text, byte);
        for pattern in [text.clone(), format!("[{text}]")] {
            let compiled = compile_translated(&pattern, COMPILED_BYTES).unwrap();
            for other in 0..=255u8 {
                assert_eq!(compiled.is_match(&[other]), other == byte, "{pattern}");
            }
        }
    }
}

#[test]
fn what_needs_backtracking_is_named() {
    for (pattern, construct) in [
        ("a(?=b)", "a lookahead"),
        ("a(?!b)", "a lookahead"),
        ("(?<=a)b", "a lookbehind"),
        ("(?<!a)b", "a lookbehind"),
        ("(?>a+)b", "an atomic group"),
        ("a++", "a possessive quantifier"),
        ("a*+", "a possessive quantifier"),
        ("a?+", "a possessive quantifier"),
        ("a{1,2}+", "a possessive quantifier"),
        ("(?x)a+ +b", "a possessive quantifier"),
        ("a{,3}", "{,n}, which some versions of PCRE read as a quantifier,"),
        (r"(a)\1", "a back reference"),
        (r"(?P<n>a)(?P=n)", "a back reference"),
        (r"(?P<n>a)\k<n>", "a back reference"),
        (r"(a)\g{1}", "a back reference"),
        ("(?R)", "a recursion"),
        ("(a(?1))", "a recursion"),
        ("(a)(?-1)", "a recursion"),
        ("(?&n)", "a recursion"),
        ("(?(1)a|b)", "a conditional group"),
        ("(?|a|b)", "a branch reset group"),
        ("(*UTF8)a", "a verb"),
        (r"a\Kb", "\\K"),
        (r"\p{L}", "a Unicode property"),
        (r"[\x{2028}]", "a character past 0xFF in a class"),
        ("[[.a.]]", "a collating element"),
    ] {
        match compile(pattern) {
            Err(PatternError::Unsupported { construct: found, .. }) => {
                assert_eq!(found, construct, "{pattern}")
            }
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

#[test]
fn what_is_wrong_says_where() {
    for (pattern, message) in [
        ("ab\\", "a backslash at the end at offset 2"),
        ("a(b", "a missing closing parenthesis at offset 3"),
        ("ab)", "a closing parenthesis without its opening one at offset 2"),
        ("a[bc", "a class without its closing bracket at offset 1"),
        ("a[]", "a class without its closing bracket at offset 1"),
        ("[z-a]", "a range out of order in a class at offset 2"),
        ("[[:nothing:]]", "an unknown POSIX class at offset 1"),
        (r"a\y", "an unknown escape at offset 1"),
        (r"[\A]", "an assertion inside a class at offset 1"),
        (
            r"\x{zz}",
            "a character number that is not a number in braces at offset 0",
        ),
        ("(?#a", "a comment without its closing parenthesis at offset 0"),
        ("(?z)", "an unknown group or flag at offset 0"),
        ("a(?x){2}", "repetition operator missing expression"),
        ("*a", "repetition operator missing expression"),
    ] {
        assert_eq!(compile(pattern).unwrap_err().to_string(), message, "{pattern}");
    }
}

#[test]
fn a_pattern_that_grows_without_bound_is_refused() {
    let error = compile("(?:(?:[a-z]{1000}){1000}){1000}").unwrap_err();
    assert_eq!(
        error,
        PatternError::TooLarge {
            limit: COMPILED_BYTES
        }
    );
}

#[test]
fn hostile_patterns_are_errors_and_never_panics() {
    let mut bytes = crate::hostile_bytes::HostileBytes::new(0x5eed_0003);
    let pieces: [&[u8]; 32] = [
        b"(",
        b")",
        b"[",
        b"]",
        b"{",
        b"}",
        b"*",
        b"+",
        b"?",
        b"|",
        b"\\",
        b"^",
        b"$",
        b"-",
        b"(?",
        b"(?x)",
        b"#",
        b"[:",
        b":]",
        b"[[:alpha:]",
        b"\\Q",
        b"\\E",
        b"\\x{",
        b"\\1",
        b"{1,",
        b"2}",
        b"\\c",
        b"(?P<",
        b">",
        b"a",
        b"\xff",
        b" ",
    ];
    for _ in 0..30_000 {
        let mut pattern = Vec::new();
        for _ in 0..bytes.below(12) {
            pattern.extend_from_slice(pieces[bytes.below(pieces.len())]);
        }
        let _ = compile_at_run_time(&pattern);
    }
}
