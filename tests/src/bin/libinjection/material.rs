//! What strings are made from.

use std::collections::BTreeSet;

use palisade_tests::corpus::Installation;
use palisade_tests::corpus::suite::{self, Input};

use crate::Failure;

/// Longer values are cut: they would only take time.
const LONGEST: usize = 2_000;

/// Values and words.
pub(crate) struct Material {
    /// Whole values out of the tests of the CRS, and some of our own.
    pub(crate) values: Vec<Vec<u8>>,
    /// Keywords of SQL, names of attributes and tags.
    pub(crate) words: Vec<&'static str>,
}

impl Material {
    pub(crate) fn gather(installation: &Installation) -> Result<Self, Failure> {
        let folder = installation.tests.as_deref();
        let folder =
            folder.ok_or_else(|| format!("{}: this CRS has no tests", installation.root.display()))?;
        let mut values: BTreeSet<Vec<u8>> = OWN.iter().map(|value| value.as_bytes().to_vec()).collect();
        for stage in suite::load(folder)?
            .iter()
            .flat_map(|file| file.tests.iter().flatten())
        {
            add_values(&mut values, &stage.input);
        }
        Ok(Self {
            values: values.into_iter().collect(),
            words: words(),
        })
    }
}

fn add_values(values: &mut BTreeSet<Vec<u8>>, input: &Input) {
    let texts = input.uri.iter().chain(input.headers.values()).chain(&input.data);
    for text in texts {
        add(values, text.as_bytes());
        for part in text.split(['&', '?', ';', '=', '\n']) {
            add(values, part.as_bytes());
            add(values, &percent_decoded(part.as_bytes()));
        }
    }
}

fn add(values: &mut BTreeSet<Vec<u8>>, value: &[u8]) {
    if value.len() > 1 {
        values.insert(value[..value.len().min(LONGEST)].to_vec());
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair
            .filter(|_| *first == b'%')
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        decoded.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    decoded
}

fn words() -> Vec<&'static str> {
    [
        include_str!("../../../../waf/src/libinjection/sqli/keywords.txt"),
        include_str!("../../../../waf/src/libinjection/xss/attributes.txt"),
        include_str!("../../../../waf/src/libinjection/xss/tags.txt"),
    ]
    .into_iter()
    .flat_map(str::lines)
    .filter_map(|line| line.get(2..))
    .collect()
}

/// Ordinary values, and attacks whose tokens no test of the CRS has.
const OWN: &[&str] = &[
    "martha.lindqvist@mail.example",
    "It's a nice day, isn't it? Drop me a line; select the blue one from the table.",
    "text/html,application/xml;q=0.9,*/*;q=0.8",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "theme=dark; session=f3a9c1d2e4b5a697; lang=en-GB",
    "<p class='note'>2 < 3 &amp; <b>bold</b> <a href=\"/x?a=b\">here</a></p>",
    "1' or '1'='1' -- ",
    "1 or 1=1#",
    "admin'/**/or/**/1=1--",
    "1 union all select distinct @@version, user(), `a`.b from x where y in (1,2) group by 1 having 2 like 3",
    "1;if(1=1) waitfor delay '0:0:1'--",
    "q'[a]' || nq'(b)' || u&'c' || e'\\'d' || x'1f' || b'01' || $$e$$ || $f$g$f$ || $1,2.0",
    "{``.``.id} {a 1} [b] \\N \\%1 1::int 0x1f 0b01 1.e(1) 1e5 2fu .5 1 collate utf8_bin",
    "select * from a natural left outer join b for update skip locked",
    "\"><svg/onload=alert(1)//",
    "' onmouseover='alert(1)' style=x href=&#106;&#x61;va\nscript:x",
    "<!--[if IE]> ` --><?xml ?><?import a><!ENTITY b><![CDATA[c]]><% d %><!doctype html>",
];
