//! What counts as white space.

/// C's `isspace` in the C locale: unlike [`u8::is_ascii_whitespace`] it counts the vertical tab.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// A Latin-1 no-break space. It counts where it is not a part of a UTF-8 character: many letters
/// end in this byte.
pub(super) const NO_BREAK_SPACE: u8 = 0xa0;
