//! Strings by the thousand in which the pieces of attacks meet, the same ones in every run: for tests.

use crate::hostile_bytes::HostileBytes;

/// Pieces that tokens begin, end or change their minds with.
#[rustfmt::skip]
const PIECES: [&[u8]; 80] = [
    b"'", b"\"", b"`", b" ", b"\t", b"\n", b"\0", b"\xa0", b"\x0b", b"--", b"-- ", b"#", b"/*", b"*/", b"/*!", b"(",
    b")", b",", b";", b"=", b"||", b"&&", b"1", b"0", b"0x", b"0b", b"0x1f", b"1e", b"1.e", b"e5", b".", b"@", b"@@",
    b"\\", b"\\N", b"$$", b"$a$", b"$", b"{", b"}", b"[", b"]", b"?", b"::", b":", b"!", b"~", b"+", b"-", b"*",
    b"<=>", b"<", b">", b"/", b"_", b"\xc4\xb1", b"\xc5\xbf", b"\xff", b"\xc3\xa9", b"q'(", b"n'", b"x'1f'", b"u&'",
    b"foo", b"</", b"<!--", b"-->", b"<?", b"<%", b"%>", b"<![CDATA[", b"]]>", b"<!doctype", b"javascript:", b"&#",
    b"&#x6a;", b"&#106", b"/>", b"=\"", b"sp_password",
];

/// So many strings.
pub(super) fn strings(seed: u64, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let words: Vec<&[u8]> = [
        include_str!("sqli/keywords.txt"),
        include_str!("xss/attributes.txt"),
        include_str!("xss/tags.txt"),
    ]
    .into_iter()
    .flat_map(str::lines)
    .map(|line| &line.as_bytes()[2..])
    .collect();
    let mut bytes = HostileBytes::new(seed);
    (0..count).map(move |_| string(&mut bytes, &words))
}

fn string(bytes: &mut HostileBytes, words: &[&[u8]]) -> Vec<u8> {
    let mut string = Vec::new();
    for _ in 0..=bytes.below(8) {
        match bytes.below(8) {
            0 => string.push(bytes.below(256) as u8),
            1..=3 => string.extend_from_slice(PIECES[bytes.below(PIECES.len())]),
            4 => string.push(b' '),
            5 => string.extend(words[bytes.below(words.len())].to_ascii_lowercase()),
            _ => string.extend_from_slice(words[bytes.below(words.len())]),
        }
    }
    string
}
