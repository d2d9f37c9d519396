//! How common bytes and texts are in ordinary values: an estimate, for choosing what to look for. A wrong one
//! costs time, never a match.

use std::sync::LazyLock;

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

/// The score of a text: its bytes' together, each by how often it follows the one before.
pub(super) fn of_text(text: &[u8]) -> f64 {
    let Some(first) = text.first() else { return BYTES };
    let pairs = text.array_windows::<2>();
    pairs.map(|pair| following(*pair)).product::<f64>() * frequency(*first) * BYTES
}

/// Pairs of letters by how many of a thousand pairs in prose they are. Many literals are words, or parts of some.
const COMMON: [(u32, &str); 11] = [
    (27, "th"),
    (22, "he in"),
    (17, "er an"),
    (14, "re on"),
    (12, "at es en"),
    (10, "nd ed or it is te st ti ar to"),
    (9, "nt ng al ou"),
    (8, "ha as se ve io le hi"),
    (6, "co me de ro ri ne ea ra ce li ic ch ll be ma si om ur"),
    (
        4,
        "no ee la el us ho ta wi sh ec di ut pe ac il tr so ca ns po lo wh em we ni na ge et un ss",
    ),
    (
        3,
        "ow ol ad ai do pr id wa tu im mo fo of oo pa ul ay ie mi ot am bu yo up rs ly ir ke fi wo",
    ),
];

/// The share of the second byte among those that follow the first one.
fn following(pair: [u8; 2]) -> f64 {
    let pair = pair.map(|byte| byte.to_ascii_lowercase());
    match pair.map(|byte| byte.checked_sub(b'a').filter(|letter| *letter < 26)) {
        [Some(first), Some(second)] => LETTERS[usize::from(first)][usize::from(second)],
        _ => frequency(pair[1]),
    }
}

/// That of letters: those that are not common together are half as common as alone.
static LETTERS: LazyLock<[[f64; 26]; 26]> = LazyLock::new(|| {
    let frequency = |letter: usize| frequency(b'a' + letter as u8);
    let mut letters = std::array::from_fn(|_| std::array::from_fn(|letter| frequency(letter) / 2.0));
    for (share, pairs) in COMMON {
        for pair in pairs.split(' ').map(str::as_bytes) {
            let [first, second] = [pair[0], pair[1]].map(|byte| usize::from(byte - b'a'));
            letters[first][second] = f64::from(share) / 1000.0 / frequency(first);
        }
    }
    letters
});

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
