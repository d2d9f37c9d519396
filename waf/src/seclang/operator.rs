//! The operator of a rule: `!@name argument`, or a pattern alone.

use super::ast::OperatorText;

/// Takes a rule's second argument apart. Text without `@` is a pattern for `@rx`. White space behind
/// the argument belongs to it.
pub(super) fn parse(text: &str) -> OperatorText {
    let (negated, rest) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let Some(named) = rest.trim_ascii_start().strip_prefix('@') else {
        return OperatorText {
            name: "rx".to_owned(),
            argument: rest.to_owned(),
            negated,
        };
    };
    let (name, argument) = named
        .split_once(|next: char| next.is_ascii_whitespace())
        .unwrap_or((named, ""));
    OperatorText {
        name: name.to_owned(),
        argument: argument.trim_ascii_start().to_owned(),
        negated,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_operator_is_a_sign_a_name_and_the_rest() {
        let table = [
            ("@rx ^a b ", ("rx", "^a b ", false)),
            ("!@eq  0", ("eq", "0", true)),
            ("@detectSQLi", ("detectSQLi", "", false)),
            ("^x", ("rx", "^x", false)),
            ("!^x", ("rx", "^x", true)),
            ("", ("rx", "", false)),
            ("!", ("rx", "", true)),
            ("a@b", ("rx", "a@b", false)),
        ];
        for (text, (name, argument, negated)) in table {
            let operator = parse(text);
            assert_eq!(
                (
                    operator.name.as_str(),
                    operator.argument.as_str(),
                    operator.negated
                ),
                (name, argument, negated),
                "{text}"
            );
        }
    }
}
