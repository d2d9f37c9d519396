//! libinjection: what its gates turn away would not have been found behind them.

use palisade_waf::libinjection::{sqli, sqli_ungated, xss, xss_ungated};

/// The bytes as a value.
pub fn libinjection(data: &[u8]) {
    let (gated, ungated) = (sqli(data), sqli_ungated(data));
    assert_eq!(
        gated.map(|found| found.as_str().to_owned()),
        ungated.map(|found| found.as_str().to_owned()),
        "sqli of \"{}\"",
        data.escape_ascii()
    );
    assert_eq!(xss(data), xss_ungated(data), "xss of \"{}\"", data.escape_ascii());
}
