//! Classes of bytes, as one table of bits.

const WORD_END: u8 = 1;
const VARIABLE_END: u8 = 2;
const PLAIN: u8 = 4;
const MARK: u8 = 8;

/// Ends a word. A full stop and a backtick do not: what is before them is looked at apart.
#[inline]
pub(super) fn ends_word(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & WORD_END != 0
}

/// How long the word is that `bytes` begin with, and whether a full stop or backtick is in it.
#[inline]
pub(super) fn span_of_word(bytes: &[u8]) -> (usize, bool) {
    let mut seen = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let class = CLASSES[usize::from(byte)];
        if class & WORD_END != 0 {
            return (at, seen & MARK != 0);
        }
        seen |= class;
    }
    (bytes.len(), seen & MARK != 0)
}

/// Ends the name of a variable.
#[inline]
pub(super) fn ends_variable(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & VARIABLE_END != 0
}

/// A letter, digit, underscore or byte above ASCII that is part of a word wherever it stands.
#[inline]
pub(in crate::libinjection) fn is_plain(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & PLAIN != 0
}

/// What some database takes for white space: Oracle NUL, MySQL the no-break space of Latin-1.
pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0xa0 | 0)
}

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    mark(
        &mut classes,
        b" []{}<>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r\"\xa0\0",
        WORD_END,
    );
    mark(
        &mut classes,
        b" <>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r'`\"",
        VARIABLE_END,
    );
    mark(&mut classes, b".`", MARK);
    let mut byte = 0;
    while byte < 256 {
        let ascii = byte as u8;
        if ascii.is_ascii_alphanumeric() || ascii == b'_' || (byte >= 0x80 && byte != 0xa0) {
            classes[byte] |= PLAIN;
        }
        byte += 1;
    }
    classes
}

const fn mark(classes: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut at = 0;
    while at < bytes.len() {
        classes[bytes[at] as usize] |= class;
        at += 1;
    }
}
