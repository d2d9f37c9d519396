//! How common bytes and texts are in ordinary values: an estimate, for choosing what to look for. A wrong one
//! costs time, never a match.

/// The score from which on a clause is met by nearly every value.
pub(super) const EVERYWHERE: f64 = 3.0;

/// The score of what hardly any value has, and of what some have.
pub(super) const SELDOM: f64 = 0.05;
pub(super) const AT_TIMES: f64 = 0.3;

/// The score from which on a clause of single bytes is met by nearly every value.
pub(super) const OF_BYTES: f64 = 30.0;

/// Values are looked at as if they had this many bytes.
const BYTES: f64 = 60.0;

/// The score of a byte.
pub(super) fn of_byte(byte: u8) -> f64 {
    frequency(byte) * BYTES
}

/// The score of a text: its bytes' together, as if they did not depend on each other.
pub(super) fn of_text(text: &[u8]) -> f64 {
    text.iter().map(|byte| frequency(*byte)).product::<f64>() * BYTES
}

/// The share of a byte in URLs, headers, forms and prose.
fn frequency(byte: u8) -> f64 {
    match byte.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' => 0.07,
        b'n' | b's' | b'r' | b'l' => 0.055,
        b'h' | b'd' | b'c' | b'm' | b'p' | b'u' => 0.035,
        b'g' | b'f' | b'w' | b'y' | b'b' | b'v' | b'k' => 0.018,
        b'x' | b'j' | b'q' | b'z' => 0.005,
        b'0'..=b'9' => 0.03,
        b' ' => 0.06,
        b'.' | b'/' | b'-' => 0.03,
        b',' | b'=' | b':' | b';' => 0.012,
        b'&' | b'_' | b'?' | b'+' | b'%' | b'*' => 0.006,
        b'"' | b'(' | b')' | b'\'' => 0.004,
        b'\r' | b'\n' => 0.002,
        b'!' | b'@' | b'#' | b'{' | b'}' | b'[' | b']' | b'|' | b'~' => 0.001,
        0x80.. => 0.0002,
        _ => 0.0005,
    }
}
