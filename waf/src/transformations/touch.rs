//! Which bytes a transformation cares about.

use super::Transformation;
use super::Transformation as T;
use crate::prefilter::ByteSet;

/// White space, and the bytes that are part of a no-break space or a next line.
const SPACES: ByteSet = ByteSet::of(b"\t\n\x0b\x0c\r \x85\xa0");

/// The bytes without which the transformation is the identity; `None` if it may change anything.
pub(super) fn touches(transformation: Transformation) -> Option<ByteSet> {
    Some(match transformation {
        T::CmdLine => ByteSet::of(b"\"'\\^ ,;\t\r\n").union(ByteSet::range(b'A', b'Z')),
        T::CompressWhitespace | T::RemoveWhitespace | T::Trim | T::TrimLeft | T::TrimRight => SPACES,
        T::CssDecode | T::EscapeSeqDecode | T::JsDecode => ByteSet::of(b"\\"),
        T::HtmlEntityDecode => ByteSet::of(b"&"),
        T::Lowercase => ByteSet::range(b'A', b'Z'),
        T::Uppercase => ByteSet::range(b'a', b'z'),
        T::NormalisePath => ByteSet::of(b"/."),
        T::NormalisePathWin => ByteSet::of(b"/\\."),
        T::ParityZero7bit | T::Utf8ToUnicode => ByteSet::range(0x80, 0xff),
        T::RemoveComments | T::RemoveCommentsChar => ByteSet::of(b"/*-#<>"),
        T::RemoveNulls | T::ReplaceNulls => ByteSet::of(b"\0"),
        T::ReplaceComments => ByteSet::of(b"/"),
        T::SqlHexDecode => ByteSet::of(b"xX"),
        T::UrlDecode | T::UrlDecodeUni => ByteSet::of(b"%+"),
        T::Base64Decode
        | T::Base64DecodeExt
        | T::Base64Encode
        | T::HexDecode
        | T::HexEncode
        | T::Length
        | T::Md5
        | T::ParityEven7bit
        | T::ParityOdd7bit
        | T::Sha1
        | T::UrlEncode => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Texts over the bytes that a transformation does not care about, in no order.
    #[test]
    fn without_the_bytes_that_it_touches_a_transformation_is_the_identity() {
        let mut state: u64 = 0x2545_f491_4f6c_dd1d;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as usize
        };
        for transformation in Transformation::ALL {
            let Some(touched) = transformation.touches() else {
                continue;
            };
            let others: Vec<u8> = touched.complement().iter().collect();
            for _ in 0..4000 {
                let text: Vec<u8> = (0..random() % 24)
                    .map(|_| others[random() % others.len()])
                    .collect();
                let same = matches!(transformation.apply(&text), Cow::Borrowed(same) if same == text);
                assert!(same, "t:{} of \"{}\"", transformation.name(), text.escape_ascii());
            }
        }
    }
}
