//! Transformations: `t:name`. One per file, with the SecLang name as the file's name.
//!
//! Where ModSecurity v3 and Coraza differ, the file says which one is followed and why. Every
//! transformation takes any bytes, never fails, and its output is at most three times its input, plus a
//! constant (`length`, `md5` and `sha1` of nothing are longer than nothing).

use std::borrow::Cow;

use crate::prefilter::ByteSet;

mod base64_decode;
mod base64_decode_ext;
mod base64_encode;
mod best_fit;
mod cmd_line;
mod compress_whitespace;
mod css_decode;
mod digits;
mod escape_seq_decode;
mod hex_decode;
mod hex_encode;
mod html_entity_decode;
mod js_decode;
mod length;
mod lowercase;
mod md5;
mod normalise_path;
mod normalise_path_win;
mod parity_even_7bit;
mod parity_odd_7bit;
mod parity_zero_7bit;
mod remove_comments;
mod remove_comments_char;
mod remove_nulls;
mod remove_whitespace;
mod replace_comments;
mod replace_nulls;
mod sha1;
mod sql_hex_decode;
mod touch;
mod trim;
mod trim_left;
mod trim_right;
mod uppercase;
mod url_decode;
mod url_decode_uni;
mod url_encode;
mod utf8_to_unicode;
mod whitespace;

#[cfg(test)]
mod hostile;

macro_rules! transformations {
    ($($variant:ident $name:literal $module:ident,)*) => {
        /// A transformation of a value before an operator sees it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each variant is the SecLang name beside it")]
        pub enum Transformation { $($variant,)* }

        impl Transformation {
            /// Every transformation, in the order of the enum.
            pub const ALL: &'static [Transformation] = &[$(Transformation::$variant,)*];

            /// The SecLang name.
            pub fn name(self) -> &'static str {
                match self { $(Transformation::$variant => $name,)* }
            }

            fn transform(self, input: &[u8]) -> Cow<'_, [u8]> {
                match self { $(Transformation::$variant => $module::apply(input),)* }
            }
        }
    };
}

transformations! {
    Base64Decode "base64Decode" base64_decode,
    Base64DecodeExt "base64DecodeExt" base64_decode_ext,
    Base64Encode "base64Encode" base64_encode,
    CmdLine "cmdLine" cmd_line,
    CompressWhitespace "compressWhitespace" compress_whitespace,
    CssDecode "cssDecode" css_decode,
    EscapeSeqDecode "escapeSeqDecode" escape_seq_decode,
    HexDecode "hexDecode" hex_decode,
    HexEncode "hexEncode" hex_encode,
    HtmlEntityDecode "htmlEntityDecode" html_entity_decode,
    JsDecode "jsDecode" js_decode,
    Length "length" length,
    Lowercase "lowercase" lowercase,
    Md5 "md5" md5,
    NormalisePath "normalisePath" normalise_path,
    NormalisePathWin "normalisePathWin" normalise_path_win,
    ParityEven7bit "parityEven7bit" parity_even_7bit,
    ParityOdd7bit "parityOdd7bit" parity_odd_7bit,
    ParityZero7bit "parityZero7bit" parity_zero_7bit,
    RemoveComments "removeComments" remove_comments,
    RemoveCommentsChar "removeCommentsChar" remove_comments_char,
    RemoveNulls "removeNulls" remove_nulls,
    RemoveWhitespace "removeWhitespace" remove_whitespace,
    ReplaceComments "replaceComments" replace_comments,
    ReplaceNulls "replaceNulls" replace_nulls,
    Sha1 "sha1" sha1,
    SqlHexDecode "sqlHexDecode" sql_hex_decode,
    Trim "trim" trim,
    TrimLeft "trimLeft" trim_left,
    TrimRight "trimRight" trim_right,
    Uppercase "uppercase" uppercase,
    UrlDecode "urlDecode" url_decode,
    UrlDecodeUni "urlDecodeUni" url_decode_uni,
    UrlEncode "urlEncode" url_encode,
    Utf8ToUnicode "utf8toUnicode" utf8_to_unicode,
}

/// Spellings that mean a transformation of another name.
const ALIASES: [(&str, Transformation); 2] = [
    ("normalizePath", Transformation::NormalisePath),
    ("normalizePathWin", Transformation::NormalisePathWin),
];

impl Transformation {
    /// From the SecLang name, in any case. `none` is no transformation: the parser deals with it.
    pub fn from_name(name: &str) -> Option<Self> {
        let by_name = Self::ALL.iter().map(|known| (known.name(), *known));
        by_name
            .chain(ALIASES)
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, transformation)| transformation)
    }

    /// The bytes without which the transformation is the identity; `None` if it may change anything.
    pub(crate) fn touches(self) -> Option<ByteSet> {
        touch::touches(self)
    }

    /// The transformed value: borrowed exactly where the transformation is the identity on `input`.
    ///
    /// Callers may rely on that: multiMatch counts changes, and equal buffers are looked at once.
    pub fn apply<'a>(self, input: &'a [u8]) -> Cow<'a, [u8]> {
        match self.transform(input) {
            Cow::Owned(output) if output == input => Cow::Borrowed(input),
            // The trims give a part of their input.
            Cow::Borrowed(output) if output.len() != input.len() => Cow::Owned(output.to_vec()),
            output => output,
        }
    }
}

#[cfg(test)]
pub(crate) mod table {
    use std::borrow::Cow;

    use super::Transformation;

    /// Runs a table of (input, expected output) and names the row that fails.
    pub(crate) fn check(transformation: Transformation, rows: &[(&[u8], &[u8])]) {
        for (input, expected) in rows {
            let output = transformation.apply(input);
            assert_eq!(
                output.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "t:{} of \"{}\"",
                transformation.name(),
                input.escape_ascii()
            );
            assert_eq!(
                matches!(output, Cow::Borrowed(_)),
                expected == input,
                "t:{} copies exactly what it changes: \"{}\"",
                transformation.name(),
                input.escape_ascii()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_in_both_spellings() {
        for known in Transformation::ALL {
            assert_eq!(
                Transformation::from_name(&known.name().to_uppercase()),
                Some(*known)
            );
        }
        assert_eq!(
            Transformation::from_name("normalizePathWin"),
            Some(Transformation::NormalisePathWin)
        );
        assert_eq!(Transformation::from_name("none"), None);
        assert_eq!(Transformation::from_name("lowercas"), None);
    }
}
