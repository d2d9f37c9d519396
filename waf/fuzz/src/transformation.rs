//! Transformations: bounded, borrowed exactly where they change nothing, and what the index derives is the same.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use palisade_waf::transformations::Transformation;
use palisade_waf::{Evaluation, MemorySource, RuleSet};

use super::Exchange;

/// The longest output of nothing: a SHA-1.
const CONSTANT: usize = 20;

/// The first byte names a transformation, the rest is a value.
pub fn transformation(data: &[u8]) {
    let Some((first, value)) = data.split_first() else {
        return;
    };
    let all = Transformation::ALL;
    let transformation = all[usize::from(*first) % all.len()];
    let output = transformation.apply(value);
    let what = || format!("t:{} of \"{}\"", transformation.name(), value.escape_ascii());
    assert!(
        output.len() <= 3 * value.len() + CONSTANT,
        "{}: {} bytes",
        what(),
        output.len()
    );
    assert_eq!(
        matches!(output, Cow::Borrowed(_)),
        *output == *value,
        "{}: borrowed",
        what()
    );
    assert_eq!(output, transformation.apply(value), "{}: twice", what());
    if is_idempotent(transformation) {
        let again = transformation.apply(&output);
        assert!(matches!(again, Cow::Borrowed(_)), "{}: not the last word", what());
    }
    derives_the_same(value);
}

/// Whether a second time changes nothing. White space that is removed may leave bytes side by side that together are
/// white space in turn (`\xc2 \x85`), so `removeWhitespace` is none of them; Coraza's goes once over the value as well.
fn is_idempotent(transformation: Transformation) -> bool {
    use Transformation as T;
    matches!(
        transformation,
        T::CompressWhitespace
            | T::Lowercase
            | T::NormalisePath
            | T::NormalisePathWin
            | T::ParityEven7bit
            | T::ParityOdd7bit
            | T::ParityZero7bit
            | T::RemoveNulls
            | T::ReplaceNulls
            | T::Trim
            | T::TrimLeft
            | T::TrimRight
            | T::Uppercase
    )
}

/// The index skips transformations on values without the bytes that they touch.
fn derives_the_same(value: &[u8]) {
    static RULES: LazyLock<RuleSet> = LazyLock::new(one_rule_each);
    let exchange = Exchange {
        method: b"GET".to_vec(),
        uri: b"/".to_vec(),
        headers: vec![(b"X".to_vec(), value.to_vec())],
        ..Exchange::default()
    };
    let (transaction, _) = exchange.run(&RULES, Evaluation::Checked);
    assert!(
        transaction.divergences().is_empty(),
        "{:?}",
        transaction.divergences()
    );
}

fn one_rule_each() -> RuleSet {
    let mut text = String::from("SecRuleEngine On\n");
    for (number, transformation) in Transformation::ALL.iter().enumerate() {
        let name = transformation.name();
        let _ = writeln!(
            text,
            "SecRule REQUEST_HEADERS:X \"@contains zq\" \"id:{},phase:1,pass,nolog,t:none,t:{name}\"\n\
             SecRule REQUEST_HEADERS:X \"@contains zq\" \"id:{},phase:1,pass,nolog,t:none,t:lowercase,t:{name}\"",
            number + 1,
            number + 1001
        );
    }
    RuleSet::builder()
        .text("t.conf", text)
        .build(&MemorySource::new())
        .unwrap_or_else(|errors| panic!("{errors}"))
}
