//! Decoders of the types that options have in common.

use std::ops::RangeInclusive;

use super::{At, Fault, Node};
use crate::config::errors::nearest;

/// `true` or `false`.
pub(in crate::config) fn boolean(node: Node<'_>) -> Option<bool> {
    let value = node.value().as_bool();
    if value.is_none() {
        let spoken = node
            .value()
            .as_str()
            .and_then(|text| match text.to_ascii_lowercase().as_str() {
                "true" | "on" | "yes" => Some("true".to_owned()),
                "false" | "off" | "no" => Some("false".to_owned()),
                _ => None,
            });
        node.wrong_type("true or false", spoken);
    }
    value
}

/// A whole number within `range`.
pub(in crate::config) fn integer<T>(range: RangeInclusive<T>) -> impl Fn(Node<'_>) -> Option<T>
where
    T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display,
{
    move |node| {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(number) = node.value().as_integer() else {
            node.wrong_type(&expected, None);
            return None;
        };
        let value = i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|value| T::try_from(value).ok())
            .filter(|value| range.contains(value));
        if value.is_none() {
            node.bad_value(&expected, Fault::new("out of range"));
        }
        value
    }
}

/// One word of a fixed set.
pub(in crate::config) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(Node<'_>) -> Option<T> {
    move |node| {
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        node.parse(&quoted.join(" or "), |text| {
            let word = words.iter().find(|(word, _)| *word == text);
            word.map(|(_, value)| *value).ok_or_else(|| Fault {
                reason: "unknown word".to_owned(),
                suggestion: nearest(text, words.iter().map(|(word, _)| *word)).map(str::to_owned),
            })
        })
    }
}

/// An array, each of its items by `item`; wrong items are reported and left out.
pub(in crate::config) fn list<'a, T>(
    of: &'static str,
    item: impl Fn(Node<'a>) -> Option<T>,
) -> impl Fn(Node<'a>) -> Option<Vec<T>> {
    move |node| {
        let Some(items) = node.items() else {
            let single = node.value().is_str() || node.value().is_table();
            let wrapped = single.then(|| node.written().map(|text| format!("[{text}]")));
            node.wrong_type(&format!("an array of {of}"), wrapped.flatten());
            return None;
        };
        Some(items.filter_map(&item).collect())
    }
}

/// A [`list`] with at least one item.
pub(in crate::config) fn some<'a, T>(
    of: &'static str,
    item: impl Fn(Node<'a>) -> Option<T>,
) -> impl Fn(Node<'a>) -> Option<Vec<T>> {
    let decode = list(of, item);
    move |node| {
        if node.items().is_some_and(|items| items.len() == 0) {
            node.bad_value(&format!("an array of {of}, at least one"), Fault::new("empty"));
        }
        decode(node)
    }
}

/// A string that `parse` accepts, with its place.
pub(in crate::config) fn parsed<T>(
    expected: &'static str,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(Node<'_>) -> Option<At<T>> {
    move |node| Some(node.at(node.parse(expected, &parse)?))
}
