//! `t:cmdLine`: undoes the ways a shell command is written so that a pattern misses it.
//!
//! Removes `\`, `"`, `'` and `^`; turns `,`, `;` and white space into single spaces; removes the space
//! before `/` and `(`; lowers ASCII letters.
//!
//! Example: `C^OMMAND   /C "net"` becomes `command/c net`.
//!
//! Source: SecLang reference, cmdLine. ModSecurity v3 and Coraza agree.

use std::borrow::Cow;

/// Normalises `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if !input.iter().any(|byte| is_of_interest(*byte)) {
        return Cow::Borrowed(input);
    }
    let mut out = vec![0; input.len()];
    let (mut end, mut after_space) = (0, false);
    for byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => continue,
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                out[end] = b' ';
                end += usize::from(!after_space);
                after_space = true;
                continue;
            }
            b'/' | b'(' => {
                end -= usize::from(after_space);
                out[end] = *byte;
            }
            _ => out[end] = byte.to_ascii_lowercase(),
        }
        end += 1;
        after_space = false;
    }
    out.truncate(end);
    Cow::Owned(out)
}

fn is_of_interest(byte: u8) -> bool {
    byte.is_ascii_uppercase()
        || matches!(
            byte,
            b'"' | b'\'' | b'\\' | b'^' | b' ' | b',' | b';' | b'\t' | b'\r' | b'\n'
        )
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn shell_quoting_is_undone() {
        table::check(
            Transformation::CmdLine,
            &[
                (b"", b""),
                (b"net user", b"net user"),
                (b"C^OM\"MAND\" /C \\DIR", b"command/c dir"),
                (b"a  ,;\t\r\nb", b"a b"),
                (b"echo (x) /y", b"echo(x)/y"),
                (b" \"/\"", b"/"),
                (b" ", b" "),
                (b"/bin//ls", b"/bin//ls"),
                (b"w'h'o\\a^m\"i", b"whoami"),
                (b"\x00\xC3\x84", b"\x00\xC3\x84"),
                (b" a", b" a"),
                (b"a ,'/", b"a/"),
            ],
        );
    }
}
