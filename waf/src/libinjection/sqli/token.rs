//! What the reading of SQL is made of.

/// How many bytes of a token's text count; longer ones are cut. No keyword is longer.
pub(super) const TEXT_LIMIT: usize = 31;

/// What a token is. The number is its place in the code of a fingerprint, see `fingerprint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// No token at all.
    None = 0,
    Keyword,
    Union,
    /// GROUP BY, ORDER BY and the like.
    Group,
    /// What begins an expression or statement, such as SELECT.
    Expression,
    SqlType,
    Function,
    BareWord,
    Number,
    Variable,
    String,
    Operator,
    Logic,
    Comment,
    Collate,
    LeftParenthesis,
    RightParenthesis,
    LeftBrace,
    RightBrace,
    Dot,
    Comma,
    Colon,
    Semicolon,
    TransactSql,
    Unknown,
    /// A construction that only attacks use.
    Evil,
    Backslash,
}

impl Kind {
    /// The letter of this kind in a fingerprint.
    pub(super) const fn letter(self) -> u8 {
        LETTERS[self as usize]
    }

    /// The kind with this letter.
    pub(super) const fn of_letter(letter: u8) -> Self {
        match letter {
            b'k' => Self::Keyword,
            b'U' => Self::Union,
            b'B' => Self::Group,
            b'E' => Self::Expression,
            b't' => Self::SqlType,
            b'f' => Self::Function,
            b'n' => Self::BareWord,
            b'1' => Self::Number,
            b'v' => Self::Variable,
            b's' => Self::String,
            b'o' => Self::Operator,
            b'&' => Self::Logic,
            b'c' => Self::Comment,
            b'A' => Self::Collate,
            b'(' => Self::LeftParenthesis,
            b')' => Self::RightParenthesis,
            b'{' => Self::LeftBrace,
            b'}' => Self::RightBrace,
            b'.' => Self::Dot,
            b',' => Self::Comma,
            b':' => Self::Colon,
            b';' => Self::Semicolon,
            b'T' => Self::TransactSql,
            b'?' => Self::Unknown,
            b'X' => Self::Evil,
            b'\\' => Self::Backslash,
            _ => Self::None,
        }
    }
}

const LETTERS: [u8; 27] = *b"\0kUBEtfn1vso&cA(){}.,:;T?X\\";

/// One token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a [u8],
    pub(super) kind: Kind,
    /// The quote with which it began; 0 if it has none, or if the value began within it.
    pub(super) open: u8,
    /// The quote with which it ended; 0 if it has none.
    pub(super) close: u8,
    /// Whether some phrase of the keywords begins with this token's text.
    pub(super) begins_phrase: bool,
}

impl<'a> Token<'a> {
    pub(super) const NONE: Self = Self::new(Kind::None, b"");

    /// A token without quotes.
    #[inline]
    pub(super) const fn new(kind: Kind, text: &'a [u8]) -> Self {
        let text = match text.split_at_checked(TEXT_LIMIT) {
            Some((text, _)) => text,
            None => text,
        };
        Self {
            text,
            kind,
            open: 0,
            close: 0,
            begins_phrase: false,
        }
    }

    /// This token after its text has been looked up.
    #[inline]
    pub(super) const fn known_as(self, kind: Kind, begins_phrase: bool) -> Self {
        Self {
            kind,
            begins_phrase,
            ..self
        }
    }

    /// This token between quotes.
    #[inline]
    pub(super) const fn between(self, open: u8, close: u8) -> Self {
        Self { open, close, ..self }
    }
}
