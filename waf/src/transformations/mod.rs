//! Transformations: `t:name`. One per file, with the SecLang name as the file's name.

use std::borrow::Cow;

/// A transformation of a value before an operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transformation {
    /// `t:lowercase`.
    Lowercase,
}

impl Transformation {
    /// From the SecLang name, in any case. `none` is no transformation: the parser deals with it.
    pub fn from_name(name: &str) -> Option<Self> {
        name.eq_ignore_ascii_case("lowercase").then_some(Self::Lowercase)
    }

    /// The SecLang name.
    pub fn name(self) -> &'static str {
        match self {
            Transformation::Lowercase => "lowercase",
        }
    }

    /// The transformed value; borrowed and unchanged where the transformation is the identity on it.
    pub fn apply<'a>(self, input: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Transformation::Lowercase => {
                if input.iter().any(u8::is_ascii_uppercase) {
                    Cow::Owned(input.to_ascii_lowercase())
                } else {
                    Cow::Borrowed(input)
                }
            }
        }
    }
}
