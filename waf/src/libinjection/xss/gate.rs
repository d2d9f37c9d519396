//! Values that are known to be harmless before anything is read.

use memchr::memchr2;

use super::names::known_attribute;

/// Whether the value holds no less-than sign, and no equals sign after a name that could be dangerous.
///
/// Such a value is never cross-site scripting. Without "<" no tag, comment or declaration begins, whatever the
/// place. What is left is an attribute's value right after the name of a dangerous one, and a value has a name
/// only after an equals sign. (The value with which the places between quotes begin has no name.) So for each
/// "=" this asks whether the name before it is of the table:
///
/// - Between a name and its "=" stand only white space and NULs; both are stepped over backwards.
/// - A name of the table is letters and colons, perhaps with NULs strewn in. It is a whole token, so what stands
///   before it is the start of the value, white space, a NUL, a slash or a quote: never a letter or a colon.
///   Hence, NULs aside, it is the longest run of letters and colons that ends here, and that run is looked up.
/// - If a NUL is near, the value is not harmless as far as this is concerned, and is read.
///
/// The runs of different equals signs do not overlap: the time is linear.
#[inline]
pub(super) fn is_harmless(input: &[u8]) -> bool {
    let Some(first) = memchr2(b'<', b'=', input) else {
        return true;
    };
    input.get(first) == Some(&b'=') && no_value_has_a_dangerous_name(input, first)
}

fn no_value_has_a_dangerous_name(input: &[u8], first: usize) -> bool {
    let mut equals = first;
    loop {
        let (before, after) = input.split_at_checked(equals).unwrap_or((input, &[]));
        if may_end_with_a_dangerous_name(before) {
            return false;
        }
        let after = after.get(1..).unwrap_or_default();
        match memchr2(b'<', b'=', after) {
            Some(next) if after.get(next) == Some(&b'=') => equals += 1 + next,
            Some(_) => return false,
            None => return true,
        }
    }
}

fn may_end_with_a_dangerous_name(before: &[u8]) -> bool {
    let end = without_end(before, |byte| {
        matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
    });
    let rest = without_end(end, |byte| byte.is_ascii_alphabetic() || byte == b':');
    let name = end.get(rest.len()..).unwrap_or_default();
    rest.last() == Some(&0) || known_attribute(name).is_some()
}

/// Without the longest end of such bytes.
fn without_end(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> &[u8] {
    let length = bytes
        .iter()
        .rposition(|&byte| !belongs(byte))
        .map_or(0, |last| last + 1);
    bytes.get(..length).unwrap_or(bytes)
}
