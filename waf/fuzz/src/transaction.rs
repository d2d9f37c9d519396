//! A whole transaction, evaluated in every way.

use std::sync::LazyLock;

use palisade_waf::RuleSet;

use super::{Exchange, agree, load, own_rules, release};

/// The exchange that the bytes are, through rules of our own.
pub fn transaction(data: &[u8]) {
    static RULES: LazyLock<RuleSet> = LazyLock::new(own_rules);
    agree(&RULES, &Exchange::parse(data));
}

/// The exchange that the bytes are, through the OWASP CRS at the highest paranoia level; through our own rules
/// where there is no release.
pub fn crs(data: &[u8]) {
    static RULES: LazyLock<Option<RuleSet>> = LazyLock::new(|| Some(load(&release()?, 4)));
    match &*RULES {
        Some(rules) => drop(agree(rules, &Exchange::parse(data))),
        None => transaction(data),
    }
}
