//! `t:sha1`: the SHA-1 digest, as raw bytes. `t:hexEncode` after it makes it readable.
//!
//! Example: `t:sha1,t:hexEncode` of `abc` is `a9993e364706816aba3e25717850c26c9cd0d89d`.
//!
//! Source: SecLang reference, sha1.

use std::borrow::Cow;

use ::sha1::{Digest, Sha1};

/// Digests `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(Sha1::digest(input).to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::Transformation;

    #[test]
    fn the_digest_is_raw() {
        for (input, expected) in [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ] {
            let digest = Transformation::Sha1.apply(input.as_bytes());
            assert_eq!(
                *Transformation::HexEncode.apply(&digest),
                *expected.as_bytes(),
                "{input}"
            );
        }
    }
}
