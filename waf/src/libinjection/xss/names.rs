//! Tags and attributes that run script.

use super::super::words::WordTable;

static TAGS: WordTable<64> = WordTable::new(include_bytes!("tags.txt"));
static ATTRIBUTES: WordTable<1024> = WordTable::new(include_bytes!("attributes.txt"));

/// How many bytes of a name count besides NULs. A longer one is nobody's.
const NAME_LIMIT: usize = 64;

/// What a dangerous attribute's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    /// Script.
    Script,
    /// A style sheet.
    Style,
    /// An address, which may be script.
    Address,
    /// The name of an attribute.
    Name,
}

/// What is known of the attribute of this name.
pub(super) fn attribute(name: &[u8]) -> Option<Attribute> {
    let mut room = [0; NAME_LIMIT];
    known_attribute(without_nulls(name, &mut room)?)
}

/// What is known of the attribute of this name, which holds no NUL.
#[inline]
pub(super) fn known_attribute(name: &[u8]) -> Option<Attribute> {
    match ATTRIBUTES.meaning(name)? {
        b'B' => Some(Attribute::Script),
        b'S' => Some(Attribute::Style),
        b'U' => Some(Attribute::Address),
        b'I' => Some(Attribute::Name),
        _ => None,
    }
}

/// Whether the tag of this name runs or loads something. All of SVG and XSL can.
pub(super) fn is_dangerous_tag(name: &[u8]) -> bool {
    if name.len() < 3 {
        return false;
    }
    let mut room = [0; NAME_LIMIT];
    let Some(name) = without_nulls(name, &mut room) else {
        return false;
    };
    let family = name.get(..3).unwrap_or_default();
    TAGS.meaning(name).is_some() || family.eq_ignore_ascii_case(b"SVG") || family.eq_ignore_ascii_case(b"XSL")
}

/// Some browsers read over NULs in names. Nothing if the name is too long to be known.
fn without_nulls<'a>(name: &'a [u8], room: &'a mut [u8; NAME_LIMIT]) -> Option<&'a [u8]> {
    if !name.contains(&0) {
        return (name.len() <= NAME_LIMIT).then_some(name);
    }
    let mut length = 0;
    for &byte in name.iter().filter(|&&byte| byte != 0) {
        *room.get_mut(length)? = byte;
        length += 1;
    }
    room.get(..length)
}

#[cfg(test)]
mod tests {
    use super::{Attribute, attribute, is_dangerous_tag};

    #[test]
    fn every_name_of_the_tables_is_known() {
        for line in include_str!("attributes.txt").lines() {
            let (letter, name) = line.split_once(' ').unwrap();
            let expected = match letter {
                "B" => Attribute::Script,
                "S" => Attribute::Style,
                "U" => Attribute::Address,
                "I" => Attribute::Name,
                _ => panic!("{line}"),
            };
            assert_eq!(attribute(name.as_bytes()), Some(expected), "{line}");
            assert_eq!(
                attribute(name.to_lowercase().as_bytes()),
                Some(expected),
                "{line}"
            );
        }
        for line in include_str!("tags.txt").lines() {
            let (_, name) = line.split_once(' ').unwrap();
            assert!(is_dangerous_tag(name.as_bytes()), "{line}");
        }
    }

    #[test]
    fn names_with_nulls_without_use_and_too_long() {
        for (name, expected) in [
            (&b"on\0error"[..], Some(Attribute::Script)),
            (b"\0\0s\0r\0c\0", Some(Attribute::Address)),
            (b"onerror2", None),
            (b"on", None),
            (b"class", None),
            (b"", None),
            (&[0; 100], None),
            (&[b'x'; 100], None),
        ] {
            assert_eq!(attribute(name), expected, "{name:?}");
        }
        for (name, dangerous) in [
            (&b"SVG:anything"[..], true),
            (b"s\0vg", true),
            (b"sv\0", false),
            (b"b", false),
            (b"a\0", false),
            (&[&b"svg"[..], &[b'x'; 61]].concat(), true),
            (&[&b"svg"[..], &[b'x'; 62]].concat(), false),
        ] {
            assert_eq!(is_dangerous_tag(name), dangerous, "{name:?}");
        }
    }
}
