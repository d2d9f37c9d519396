//! The Go templates in test data: `{{ "x" | repeat 100 }}` and `{{ repeat 100 "x" }}`.
//!
//! go-ftw hands bodies to Go's `text/template` with the sprig functions. CRS uses `repeat` alone; anything
//! else is an error here instead of a guess.

/// A template that this module does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("template not understood: {0}")]
pub struct TemplateError(String);

/// The text with its templates replaced.
pub fn expand(text: &str) -> Result<String, TemplateError> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, behind) = after
            .split_once("}}")
            .ok_or_else(|| TemplateError(format!("{{{{{after}")))?;
        result.push_str(before);
        result.push_str(&evaluate(action).ok_or_else(|| TemplateError(format!("{{{{{action}}}}}")))?);
        rest = behind;
    }
    result.push_str(rest);
    Ok(result)
}

fn evaluate(action: &str) -> Option<String> {
    let action = action.trim();
    let (text, count) = match action.strip_prefix("repeat") {
        Some(arguments) => {
            let (count, text) = arguments.trim().split_once(' ')?;
            (text, count)
        }
        None => {
            let (text, call) = action.rsplit_once('|')?;
            (text, call.trim().strip_prefix("repeat")?)
        }
    };
    let text = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    // An escape would need Go's rules for string literals.
    if text.contains(['"', '\\']) {
        return None;
    }
    Some(text.repeat(count.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_repeat() {
        assert_eq!(expand(r#"a {{ "x" | repeat 3 }} b"#).unwrap(), "a xxx b");
        assert_eq!(expand(r#"{{ repeat 2 "ab" }}{{"c"|repeat 1}}"#).unwrap(), "ababc");
    }

    #[test]
    fn plain_text_stays() {
        assert_eq!(expand("a={b}&c=}}").unwrap(), "a={b}&c=}}");
    }

    #[test]
    fn other_templates_are_refused() {
        for text in [
            "{{ now }}",
            "{{ \"x\"",
            "{{ repeat x \"y\" }}",
            r#"{{ "\n" | repeat 2 }}"#,
        ] {
            assert!(expand(text).is_err(), "{text}");
        }
    }
}
