//! `t:md5`: the MD5 digest, as raw bytes. `t:hexEncode` after it makes it readable.
//!
//! Example: `t:md5,t:hexEncode` of `abc` is `900150983cd24fb0d6963f7d28e17f72`.
//!
//! Source: SecLang reference, md5.

use std::borrow::Cow;

use ::md5::{Digest, Md5};

/// Digests `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(Md5::digest(input).to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::Transformation;

    #[test]
    fn the_digest_is_raw() {
        for (input, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ] {
            let digest = Transformation::Md5.apply(input.as_bytes());
            assert_eq!(
                *Transformation::HexEncode.apply(&digest),
                *expected.as_bytes(),
                "{input}"
            );
        }
    }
}
