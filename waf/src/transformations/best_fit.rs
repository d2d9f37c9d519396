//! Best fit: the ASCII character that Windows takes for another where the code page is US-ASCII (20127).
//!
//! A server that squeezes `%u2018` into one byte sees a quote. The pairs are those of code page 20127 in
//! Microsoft's best-fit data, which ModSecurity ships in `unicode.mapping`.

use std::sync::LazyLock;

use super::digits::fold_full_width;

/// The best fit of a character.
pub(super) fn to_ascii(code: u16) -> Option<u8> {
    let folded = fold_full_width(u32::from(code));
    if folded < 0x80 {
        return Some(folded as u8);
    }
    let place = SORTED.binary_search_by_key(&code, |(from, _)| *from).ok()?;
    SORTED.get(place).map(|(_, to)| *to)
}

static SORTED: LazyLock<Vec<(u16, u8)>> = LazyLock::new(|| {
    let mut pairs: Vec<(u16, u8)> = FITS
        .iter()
        .flat_map(|(to, from)| from.encode_utf16().map(|code| (code, *to)))
        .collect();
    pairs.sort_unstable();
    pairs
});

/// Each ASCII character with the characters it is the best fit of; full-width ASCII is not listed.
#[rustfmt::skip]
const FITS: [(u8, &str); 59] = [
    (b' ', "\u{a0}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}"),
    (b'!', "\u{a1}"),
    (b'"', "\u{2ba}\u{30e}\u{201c}\u{201d}\u{201e}"),
    (b'$', "\u{a4}"),
    (b'\'', "\u{2b9}\u{2bc}\u{2c8}\u{2018}\u{2019}\u{2032}"),
    (b',', "\u{b8}\u{201a}"),
    (b'-', "\u{ad}\u{2010}\u{2011}\u{2013}\u{2014}"),
    (b'.', "\u{b7}\u{2022}\u{2026}"),
    (b'1', "\u{b9}"),
    (b'2', "\u{b2}"),
    (b'3', "\u{b3}"),
    (b'<', "\u{ab}\u{2039}"),
    (b'>', "\u{bb}\u{203a}"),
    (b'A', "ÀÁÂÃÄÅÆĀĂĄǍǞ"),
    (b'C', "\u{a9}ÇĆĈĊČ"),
    (b'D', "ÐĎĐƉ"),
    (b'E', "ÈÉÊËĒĔĖĘĚ"),
    (b'F', "Ƒ"),
    (b'G', "ĜĞĠĢǤǦ"),
    (b'H', "ĤĦ"),
    (b'I', "ÌÍÎÏĨĪĬĮİƗǏ"),
    (b'J', "Ĵ"),
    (b'K', "ĶǨ"),
    (b'L', "ĹĻĽŁ"),
    (b'N', "ÑŃŅŇ"),
    (b'O', "ÒÓÔÕÖØŌŎŐŒƟƠǑǪǬ"),
    (b'R', "\u{ae}ŔŖŘ"),
    (b'S', "ŚŜŞŠ"),
    (b'T', "ŢŤŦƮ\u{2122}"),
    (b'U', "ÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛ"),
    (b'W', "Ŵ"),
    (b'Y', "\u{a5}ÝŶŸ"),
    (b'Z', "ŹŻŽ"),
    (b'^', "\u{2c4}\u{2c6}\u{302}"),
    (b'_', "\u{2cd}\u{331}\u{332}"),
    (b'`', "\u{2cb}\u{300}\u{2035}"),
    (b'a', "\u{aa}àáâãäåæāăąǎǟ"),
    (b'b', "ƀ"),
    (b'c', "\u{a2}çćĉċč"),
    (b'd', "ďđ"),
    (b'e', "èéêëēĕėęě"),
    (b'f', "ƒ"),
    (b'g', "ĝğġģǥǧ\u{261}"),
    (b'h', "ĥħ"),
    (b'i', "ìíîïĩīĭįıǐ"),
    (b'j', "ĵǰ"),
    (b'k', "ķǩ"),
    (b'l', "ĺļľłƚ"),
    (b'n', "ñńņň"),
    (b'o', "\u{ba}òóôõöøōŏőœơǒǫǭ"),
    (b'r', "ŕŗř"),
    (b's', "śŝşš"),
    (b't', "ţťŧƫ"),
    (b'u', "ùúûüũūŭůűųưǔǖǘǚǜ"),
    (b'w', "ŵ"),
    (b'y', "ýÿŷ"),
    (b'z', "żžƶ"),
    (b'|', "\u{a6}"),
    (b'~', "\u{2dc}\u{303}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_fit_once() {
        assert!(SORTED.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(SORTED.len(), 277);
        for (code, expected) in [
            (0x201c, b'"'),
            (0xe9, b'e'),
            (0xff0f, b'/'),
            (0xff1f, b'?'),
            (0x41, b'A'),
        ] {
            assert_eq!(to_ascii(code), Some(expected), "U+{code:04x}");
        }
        assert_eq!(to_ascii(0x0441), None);
    }
}
