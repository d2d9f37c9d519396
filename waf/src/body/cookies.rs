//! The `Cookie` header: ModSecurity v3's reading, and cookies without a name.

use super::urlencoded::split_at_equals;

/// Names and values in order, duplicates kept.
///
/// The pieces between `;` are split at their first `=`. White space before a name is dropped, as is white
/// space at the very end of the header; everything else stays raw: no unquoting, no decoding, because
/// applications disagree about both. A piece without `=` is a name with an empty value. A value without a
/// name is kept under the empty one: browsers send such cookies (RFC 6265bis, 5.7) and some applications read
/// them, so rules must see them, though ModSecurity drops them.
pub fn parse(header: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    header
        .trim_ascii_end()
        .split(|byte| *byte == b';')
        .map(split_at_equals)
        .map(|(name, value)| (name.trim_ascii_start().to_vec(), value.to_vec()))
        .filter(|(name, value)| !name.is_empty() || !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_split_but_not_interpreted() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("   ", &[]),
            ("a=1", &[("a", "1")]),
            ("a=1; b=2", &[("a", "1"), ("b", "2")]),
            ("a=1;b=2;", &[("a", "1"), ("b", "2")]),
            (";;a=1;;", &[("a", "1")]),
            ("a=1; a=2", &[("a", "1"), ("a", "2")]),
            ("flag; a=1", &[("flag", ""), ("a", "1")]),
            ("a=b=c", &[("a", "b=c")]),
            ("=1; a=2", &[("", "1"), ("a", "2")]),
            ("   =1; a=2", &[("", "1"), ("a", "2")]),
            ("=; a=2", &[("a", "2")]),
            ("a=%41+b", &[("a", "%41+b")]),
            ("a=\"x y\"", &[("a", "\"x y\"")]),
            ("a= 1 ; b=2  ", &[("a", " 1 "), ("b", "2")]),
            ("a =1", &[("a ", "1")]),
        ];
        for (header, expected) in table {
            let expected: Vec<(Vec<u8>, Vec<u8>)> = expected
                .iter()
                .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
                .collect();
            assert_eq!(parse(header.as_bytes()), expected, "{header}");
        }
    }
}
