//! Durations and sizes. Both name their unit: `timeout = 30` has been read as milliseconds before.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use crate::config::decode::{Fault, Node};

const UNITS_OF_TIME: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
const UNITS_OF_SIZE: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A duration such as `"25s"`, within `range`.
pub(in crate::config) fn duration(range: RangeInclusive<Duration>) -> impl Fn(Node<'_>) -> Option<Duration> {
    move |node| {
        let expected = format!(
            "a duration from \"{}\" to \"{}\"",
            written_duration(*range.start()),
            written_duration(*range.end())
        );
        if let DeValue::Integer(_) = node.value() {
            node.wrong_type(&expected, node.written().map(|number| format!("\"{number}s\"")));
            return None;
        }
        node.parse(&expected, |text| {
            let value = parse_duration(text)?;
            if range.contains(&value) {
                Ok(value)
            } else {
                Err(Fault::new("out of range"))
            }
        })
    }
}

/// A number of bytes such as `"12.5MiB"`, or a plain whole number, within `range`.
pub(in crate::config) fn size(range: RangeInclusive<usize>) -> impl Fn(Node<'_>) -> Option<usize> {
    move |node| {
        let expected = format!(
            "a size from \"{}\" to \"{}\"",
            written_size(*range.start()),
            written_size(*range.end())
        );
        let within = |value: usize| {
            if range.contains(&value) {
                Ok(value)
            } else {
                Err(Fault::new("out of range"))
            }
        };
        let DeValue::Integer(number) = node.value() else {
            return node.parse(&expected, |text| within(parse_size(text)?));
        };
        let bytes = usize::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| Fault::new("out of range"))
            .and_then(within);
        bytes.map_err(|fault| node.bad_value(&expected, fault)).ok()
    }
}

/// A whole number and a unit.
pub(in crate::config) fn parse_duration(text: &str) -> Result<Duration, Fault> {
    let (number, unit) = split(text);
    let count: u64 = match number.parse() {
        Ok(count) => count,
        Err(_) => return Err(duration_fault(number, unit)),
    };
    let Some((_, millis)) = UNITS_OF_TIME.iter().find(|(name, _)| *name == unit) else {
        return Err(duration_fault(number, unit));
    };
    let millis = count
        .checked_mul(*millis)
        .ok_or_else(|| Fault::new("out of range"))?;
    Ok(Duration::from_millis(millis))
}

/// A number, decimals allowed, and a binary unit; a whole number of bytes in the end.
pub(in crate::config) fn parse_size(text: &str) -> Result<usize, Fault> {
    let (number, unit) = split(text);
    let Some((_, bytes)) = UNITS_OF_SIZE.iter().find(|(name, _)| *name == unit) else {
        return Err(size_fault(number, unit));
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let not_a_size = || Fault::new("not a number and a unit");
    if decimals.is_empty() || decimals.len() > 6 {
        return Err(not_a_size());
    }
    let whole: u64 = whole.parse().map_err(|_| not_a_size())?;
    let part: u64 = decimals.parse().map_err(|_| not_a_size())?;
    let scale = 10_u64.pow(decimals.len() as u32);
    if !(part * bytes).is_multiple_of(scale) {
        return Err(Fault::new("not a whole number of bytes"));
    }
    whole
        .checked_mul(*bytes)
        .and_then(|whole| whole.checked_add(part * bytes / scale))
        .and_then(|total| usize::try_from(total).ok())
        .ok_or_else(|| Fault::new("out of range"))
}

/// A duration as the file would write it.
pub(in crate::config) fn written_duration(value: Duration) -> String {
    match value {
        Duration::ZERO => "0s".to_owned(),
        value => written(
            u64::try_from(value.as_millis()).unwrap_or(u64::MAX),
            UNITS_OF_TIME,
        ),
    }
}

/// A size as the file would write it.
pub(in crate::config) fn written_size(value: usize) -> String {
    written(value as u64, UNITS_OF_SIZE)
}

/// In the largest unit that leaves no rest.
fn written(value: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, factor): &&(&str, u64)| value >= *factor && value.is_multiple_of(*factor);
    match units.iter().rev().find(fits) {
        Some((name, factor)) => format!("{}{name}", value / factor),
        None => units
            .first()
            .map_or_else(String::new, |(name, _)| format!("{value}{name}")),
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

fn duration_fault(number: &str, unit: &str) -> Fault {
    let likely = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "ms" | "msec" | "millis" | "milliseconds" => "ms",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        _ => return Fault::new("not a whole number and a unit (ms, s, m, h)"),
    };
    let fault = Fault::new("not a whole number and a unit (ms, s, m, h)");
    match number.parse::<u64>() {
        Ok(_) => fault.suggesting(format!("{number}{likely}")),
        Err(_) => fault,
    }
}

fn size_fault(number: &str, unit: &str) -> Fault {
    let fault = Fault::new("not a number and a unit (B, KiB, MiB, GiB)");
    let likely = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "ki" | "kib" => "KiB",
        "m" | "mb" | "mi" | "mib" => "MiB",
        "g" | "gb" | "gi" | "gib" => "GiB",
        _ => return fault,
    };
    if number.is_empty() {
        fault
    } else {
        fault.suggesting(format!("{number}{likely}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("25s", Ok(25_000)),
            ("500ms", Ok(500)),
            ("2m", Ok(120_000)),
            ("1h", Ok(3_600_000)),
            ("0s", Ok(0)),
            ("25", Err(Some("25s"))),
            ("25 s", Err(Some("25s"))),
            ("25sec", Err(Some("25s"))),
            ("2 Minutes", Err(Some("2m"))),
            ("1.5s", Err(None)),
            ("-1s", Err(None)),
            ("1d", Err(None)),
            ("s", Err(None)),
            ("", Err(None)),
            ("99999999999999999999s", Err(None)),
            ("9999999999999999999h", Err(None)),
        ] {
            let outcome = parse_duration(text).map_err(|fault| fault.suggestion);
            let expected = expected
                .map(Duration::from_millis)
                .map_err(|hint| hint.map(str::to_owned));
            assert_eq!(outcome, expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("13MiB", Ok(13 << 20)),
            ("12.5MiB", Ok(13_107_200)),
            ("128KiB", Ok(131_072)),
            ("0B", Ok(0)),
            ("7B", Ok(7)),
            ("1GiB", Ok(1 << 30)),
            ("64k", Err(Some("64KiB"))),
            ("64 KiB", Err(Some("64KiB"))),
            ("64KB", Err(Some("64KiB"))),
            ("64", Err(Some("64B"))),
            ("1.5B", Err(None)),
            ("1.MiB", Err(None)),
            (".5MiB", Err(None)),
            ("1.0000001GiB", Err(None)),
            ("1.1.1MiB", Err(None)),
            ("99999999999GiB", Err(None)),
            ("MiB", Err(None)),
            ("", Err(None)),
        ] {
            let outcome = parse_size(text).map_err(|fault| fault.suggestion);
            assert_eq!(
                outcome,
                expected.map_err(|hint: Option<&str>| hint.map(str::to_owned)),
                "{text}"
            );
        }
    }

    #[test]
    fn written_as_read() {
        for text in ["0s", "1ms", "90s", "2m", "24h"] {
            assert_eq!(parse_duration(text).map(written_duration), Ok(text.to_owned()));
        }
        for text in ["0B", "1B", "1KiB", "1536KiB", "2GiB"] {
            assert_eq!(parse_size(text).map(written_size), Ok(text.to_owned()));
        }
    }
}
