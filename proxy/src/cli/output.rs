//! What a person at a terminal sees.

use std::io::{IsTerminal, Write, stderr, stdout};

/// An error, on standard error.
pub(super) fn error(text: &str) {
    let _ = writeln!(stderr(), "{} {text}", label("error:", "1;31"));
}

/// A warning that nobody should miss, on standard error.
pub(super) fn warning(text: &str) {
    let _ = writeln!(stderr(), "{} {text}", label("WARNING:", "1;33"));
}

/// Progress, on standard error: standard output is for results.
pub(super) fn progress(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

/// A result. A reader that has gone away (`palisade ... | head`) is no error.
pub(super) fn line(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// Coloured on a terminal, unless NO_COLOR is set.
fn label(text: &str, colour: &str) -> String {
    if stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
        format!("\x1b[{colour}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
