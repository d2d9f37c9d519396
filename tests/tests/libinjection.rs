//! No value makes libinjection slow: its time is linear in the value's length, whatever the value.

use std::hint::black_box;
use std::time::{Duration, Instant};

use palisade_waf::libinjection::{sqli, xss};

/// Pieces that send a tokenizer ahead to look for an end, or back to look at a beginning.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "'", "\"", "`", "\\'", "''", "\\", "/*", "*/", "/*/", "--", "--\n", "#\n", "$", "$a", "$a$", "$$",
    "select.", "select`", "a.", "1,", "(1)+", "1+(1)", "x'1", "q'(", "nq'a", "u&'", "@", "@`", "[", "{a",
    "1e", "1.e+", "0x", "union select ", "not similar ", "a ", ",-1", "<", "</", "<!--", "-", "-\0", "!>",
    "<%", "%", "<?", "]]", "=", "on=", "on\0=", "a = ", "\0", "/", "<a b='", "href=&#x6a;", "&#0;",
];

/// What the pieces continue.
const BEGINNINGS: &[&str] = &[
    "",
    "'",
    "\"1 ",
    "1 union select ",
    "<!--",
    "<![CDATA[",
    "<a b=",
    "<a href='",
    "<%",
];

const LENGTH: usize = 128 * 1024;

/// Linear, it is some milliseconds on a busy machine. Quadratic, it is many seconds.
const PATIENCE: Duration = Duration::from_secs(1);

#[test]
fn no_value_of_128_kb_takes_long() {
    let mut slowest = (Duration::ZERO, String::new());
    for beginning in BEGINNINGS {
        for piece in PIECES {
            let mut value = beginning.as_bytes().to_vec();
            value.extend(piece.bytes().cycle().take(LENGTH));
            // The fastest of three: others may use the processor, too.
            let time = (0..3).map(|_| time_of(&value)).min().unwrap_or_default();
            slowest = slowest.max((time, format!("{beginning:?} and many {piece:?}")));
        }
    }
    println!("slowest value of 128 KB: {:?}, {}", slowest.0, slowest.1);
    assert!(slowest.0 < PATIENCE, "{:?} for {}", slowest.0, slowest.1);
}

fn time_of(value: &[u8]) -> Duration {
    let start = Instant::now();
    black_box((sqli(black_box(value)), xss(black_box(value))));
    start.elapsed()
}
