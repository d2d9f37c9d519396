//! No input can make a transformation panic, grow without bound, or copy what it leaves alone.

use std::borrow::Cow;

use super::Transformation;
use crate::hostile_bytes::HostileBytes;

#[test]
fn no_input_panics_or_grows_without_bound() {
    let mut bytes = HostileBytes::new(0x5eed_0001);
    for _ in 0..4_000 {
        let input = bytes.next_value();
        for transformation in Transformation::ALL {
            let output = transformation.apply(&input);
            assert!(
                output.len() <= 3 * input.len() + 20,
                "t:{} of \"{}\"",
                transformation.name(),
                input.escape_ascii()
            );
            if let Cow::Owned(changed) = output {
                assert_ne!(
                    changed,
                    input,
                    "t:{} copied what it left alone",
                    transformation.name()
                );
            }
        }
    }
}

#[test]
fn every_pair_and_every_cut_is_taken() {
    let texts: [&[u8]; 8] = [
        b"%u00e9%3c&#x3c;&lt;\\u003c\\x3c\\074\\3c /*<!----*/-->0x3c73",
        b"/.././..//\\..\\.\\",
        b"\xc0\xbc\xe0\x80\xbc\xf0\x80\x80\xbc\xf5\xff",
        b"P.HNj=cm==",
        b"&&&&#&#x&#&lt&amp;",
        b"\\\\\\u\\x\\0\\8",
        b"%%%u%u0%U00%+",
        b"\xa0\xc2\xa0 \xe3\x80\x80\t",
    ];
    for transformation in Transformation::ALL {
        for text in texts {
            for end in 0..=text.len() {
                for start in 0..=end {
                    transformation.apply(&text[start..end]);
                }
            }
        }
        for first in 0..=255 {
            for second in 0..=255 {
                transformation.apply(&[first, second]);
            }
        }
    }
}
