//! Known answers: our own strings, with the verdicts and fingerprints of the reference.

use super::super::samples::strings;
use super::{sqli, sqli_ungated};

const INJECTIONS: &[(&[u8], &str)] = &[
    (b"1' OR '1'='1", "s&sos"),
    (b"-1 UNION SELECT 1,2,3 --", "1UE1c"),
    (b"1 UNION SELECT 1", "1UE1"),
    (b"admin'--", "sc"),
    (b"admin' --", "sc"),
    (b"1;DROP TABLE users", "1;Tnn"),
    (b"1 AND 1=1", "1&1"),
    (b"sexy and 17<18", "n&1"),
    (b"x' AND sleep(5)='", "s&f(1"),
    (b"1\" OR \"a\"=\"a", "s&sos"),
    (b"' OR 1=1-- -", "s&1c"),
    (b"1 or 1#", "1&1c"),
    (b"1/*", "1c"),
    (b"\t1/*", "1c"),
    (b"1--", "1c"),
    (b"1-- foo", "1c"),
    (b"1234-ABCDEF--", "1c"),
    (b"1*1--", "1c"),
    (b"1-1union", "1U"),
    (b"1 union all", "1U"),
    (b"foo /* bar", "nc"),
    (b"1 /*!00000union*/ select 1", "X"),
    (b"1 /* a /* b */ */ 2", "X"),
    (b"{``.``.id}", "X"),
    (b"1' or 1.e(1) or '", "s&(1)"),
    (b"select\x001 union\xa0select 2", "E1UE1"),
    (b"\xc5\xbfelect 1 un\xc4\xb1on \xc5\xbfelect 2", "E1UE1"),
    (b"1 un\xc4\xb1on all select 2", "1UE1"),
    (b"select.1 from x", "E1kn"),
    (b"1 union select`a`from b", "1UEnk"),
    (b"@@version union select 1", "vUE1"),
    (b"@`a` or 1=1", "v&1"),
    (b"q'(abc)' or 1=1", "s&1"),
    (b"nq'[abc]' union select 1", "sUE1"),
    (b"q'\xe9' union /*!50000select*/ 1", "X"),
    (b"x'1f' or 1=1", "1&1"),
    (b"b'01' or 1=1", "1&1"),
    (b"u&'a' or 1=1", "s&1"),
    (b"e'a\\'b' or 1=1", "s&1"),
    (b"$$a$$ or 1=1", "s&1"),
    (b"$a$b$a$ or 1=1", "s&1"),
    (b"$1,000.00 or 1=1", "1&1"),
    (b"0x1f or 1=1", "1&1"),
    (b"1fUNION SELECT 2", "1UE1"),
    (b"\\%1 or 1=1", "1&1"),
    (b"\\N or 1=1", "1&1"),
    (b"1,(1),(1),(1) union select 1", "1UE1"),
    (b"1;if(1=1) select 1", "1;T(1"),
    (b"1 like (1) or 2", "1f(1)"),
    (b"1 not in (1,2) union select 3", "1UE1"),
    (b"a' + 'b", "sos"),
    (b"a' and 'b", "s&s"),
    (b"' and ' sp_password -- ", "s&s"),
    (b"1 -- sp_password", "1c"),
    (b"1 into outfile 'x'", "1ks"),
    (b"1::int union select 1", "1UE1"),
    (b"select distinct 1 union all select 2", "E1UE1"),
    (b"1,-1,-2 union select 1", "1UE1"),
    (b"1' || 'a'='a", "s&sos"),
    (b"1 ORDER BY 10--", "1B1c"),
    (b"a.b.c union select 1", "nUE1"),
    (b"1 union select `", "1UEc"),
    (b"50% off -- today only!", "1c"),
];

const HARMLESS: &[&[u8]] = &[
    b"",
    b"hello world",
    b"O'Brien",
    b"\xff\0\xfe",
    b"admin'#",
    b"1 and 1",
    b"sexy and 17",
    b"1 union",
    b"foo -- bar",
    b"select 1.e(1)",
    b"0b2union",
    b"1 collate utf8_bin or 1=1",
    b"user(1) or 1=1",
    b"1 in boolean mode",
    b"1 into 'x'",
    b"1 || 1",
    b"``",
    b"1 a ``",
    b"1 a `",
    b"Mozilla/5.0 (X11; Linux x86_64) like Gecko",
    b"martha.lindqvist@mail.example",
    b"https://app.example/a?b=c&d=e",
    b"It's a nice day, isn't it?",
    b"Drop me a line; select the blue one from the table",
    b"2026-11-24T23:10:00Z",
    b"text/html,application/xml;q=0.9,*/*;q=0.8",
    b"C# and F#",
    b"a=b&c=d",
    b"(555) 010-0199",
];

#[test]
fn injections_have_their_fingerprints() {
    for (value, fingerprint) in INJECTIONS {
        let found = sqli(value).map(|found| found.as_str().to_owned());
        assert_eq!(found.as_deref(), Some(*fingerprint), "{}", value.escape_ascii());
    }
}

#[test]
fn harmless_values_have_none() {
    for value in HARMLESS {
        assert_eq!(sqli(value), None, "{}", value.escape_ascii());
    }
}

#[test]
fn the_gate_makes_no_difference() {
    let mut found = 0;
    for value in strings(0x5eed_5011, 100_000) {
        assert_eq!(sqli(&value), sqli_ungated(&value), "{}", value.escape_ascii());
        found += usize::from(sqli(&value).is_some());
    }
    assert!(found > 1_000, "{found} injections are too few to show anything");
}
