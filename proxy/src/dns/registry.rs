//! Whose a record is: the TXT registry of external-dns, its names and its texts, byte by byte as v0.18 and later
//! write them. Source: external-dns `registry/mapper`, `endpoint/labels.go` (its behaviour, not its code).

use std::fmt;

use super::Kind;
use crate::config::{TxtAffix, TxtNames, is_within};

const TEMPLATE: &str = "%{record_type}";
const HERITAGE: &str = "external-dns";

/// What an edge's marks say that they are for begins with this; the route's name follows.
pub(super) const RESOURCE: &str = "palisade/";

/// The types that external-dns has marks for, the longest first: of `aaaa` and `a` both may fit.
const TYPES: [(&str, Typed); 10] = [
    ("dname", Typed::Other),
    ("naptr", Typed::Other),
    ("cname", Typed::Kind(Kind::Cname)),
    ("aaaa", Typed::Kind(Kind::Aaaa)),
    ("ptr", Typed::Other),
    ("srv", Typed::Other),
    ("txt", Typed::Other),
    ("mx", Typed::Other),
    ("ns", Typed::Other),
    ("a", Typed::Kind(Kind::A)),
];

/// How our marks are named, and who we are in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    owner: String,
    names: TxtNames,
}

/// What a mark is for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Typed {
    /// A record of this kind.
    Kind(Kind),
    /// A record of a type that we do not manage.
    Other,
    /// Every record of the name but AAAA: external-dns before v0.18 wrote such beside the others.
    Legacy,
}

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Whose the record is.
    pub owner: String,
    /// For what.
    pub resource: Option<String>,
}

/// Why a record can have no mark, and so cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkProblem {
    /// Its name would not be in the zone.
    OutsideZone,
    /// Its name is too long.
    TooLong,
    /// Its name is that of another record's mark.
    Ambiguous,
}

impl Registry {
    /// Marks with these names, of this owner.
    pub fn new(owner: &str, names: &TxtNames) -> Self {
        Self {
            owner: owner.to_owned(),
            names: names.clone(),
        }
    }

    /// Who we are.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name of the mark for a record of this kind at this name.
    pub fn mark_name(&self, name: &str, kind: Kind, zone: &str) -> Result<String, MarkProblem> {
        let mark = self.written(name, kind);
        if mark.len() > 253 || mark.split('.').any(|label| label.len() > 63) {
            return Err(MarkProblem::TooLong);
        }
        if !is_within(&mark, zone) {
            return Err(MarkProblem::OutsideZone);
        }
        // What is not read back as what it was written for would prove the ownership of something else.
        match self.subject(&mark) {
            Some((subject, Typed::Kind(read))) if subject == name && read == kind => Ok(mark),
            _ => Err(MarkProblem::Ambiguous),
        }
    }

    /// What the mark of this name is for.
    pub fn subject(&self, mark: &str) -> Option<(String, Typed)> {
        let (name, typed) = match &self.names.affix {
            TxtAffix::None => untyped(mark),
            TxtAffix::Prefix(prefix) => self.read(prefix, |affix| mark.strip_prefix(affix))?,
            TxtAffix::Suffix(suffix) => {
                // A suffix stands behind the first label, and may have dots of its own.
                let end = mark.match_indices('.').nth(suffix.matches('.').count());
                let (head, tail) = mark.split_at(end.map_or(mark.len(), |(at, _)| at));
                let (name, typed) = self.read(suffix, |affix| head.strip_suffix(affix))?;
                (name + tail, typed)
            }
        };
        Some((self.with_asterisk(name), typed))
    }

    /// The text of our mark, with the quotes that belong to it.
    pub fn content(&self, resource: &str) -> String {
        let breaks = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '=' | '"' | '\\');
        let resource = resource.replace(breaks, "-");
        let owner = &self.owner;
        format!("\"heritage={HERITAGE},{HERITAGE}/owner={owner},{HERITAGE}/resource={resource}\"")
    }

    fn written(&self, name: &str, kind: Kind) -> String {
        let kind = kind.record_type().as_str().to_ascii_lowercase();
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = match (&self.names.wildcard, first) {
            (Some(replacement), "*") => replacement,
            _ => first,
        };
        let (prefix, suffix) = match &self.names.affix {
            TxtAffix::None => ("", ""),
            TxtAffix::Prefix(prefix) => (prefix.as_str(), ""),
            TxtAffix::Suffix(suffix) => ("", suffix.as_str()),
        };
        let typed = prefix.contains(TEMPLATE) || suffix.contains(TEMPLATE);
        let default = if typed { String::new() } else { format!("{kind}-") };
        let affix = |affix: &str| affix.replace(TEMPLATE, &kind);
        format!("{}{default}{first}{}.{rest}", affix(prefix), affix(suffix))
    }

    /// Takes the affix off: with the type in it, if it has a place there, or with the type where it is by default.
    fn read<'m>(&self, affix: &str, strip: impl Fn(&str) -> Option<&'m str>) -> Option<(String, Typed)> {
        if affix.contains(TEMPLATE) {
            let mut typed = TYPES.iter().filter_map(|(name, typed)| {
                let rest = strip(&affix.replace(TEMPLATE, name))?;
                Some((rest.to_owned(), *typed))
            });
            if let Some(found) = typed.next() {
                return Some(found);
            }
        }
        strip(&affix.replace(TEMPLATE, "")).map(untyped)
    }

    fn with_asterisk(&self, name: String) -> String {
        let replacement = self.names.wildcard.as_deref();
        match name.split_once('.') {
            Some((first, rest)) if Some(first) == replacement => format!("*.{rest}"),
            _ => name,
        }
    }
}

impl Labels {
    /// Reads a TXT record's content, with quotes or without; `None` if it is not a mark.
    pub fn read(content: &str) -> Option<Self> {
        // Long texts come in pieces of 255 bytes, each in quotes.
        let text = content.trim().replace("\" \"", "");
        let mut heritage = false;
        let (mut owner, mut resource) = (None, None);
        for token in text.trim_matches('"').split(',') {
            match token.split_once('=') {
                Some((_, value)) if value.contains('=') => {}
                Some(("heritage", HERITAGE)) => heritage = true,
                Some(("heritage", _)) => return None,
                Some(("external-dns/owner", value)) => owner = Some(value.to_owned()),
                Some(("external-dns/resource", value)) => resource = Some(value.to_owned()),
                _ => {}
            }
        }
        // A mark without an owner is somebody's, and not ours.
        heritage.then(|| Self {
            owner: owner.unwrap_or_default(),
            resource,
        })
    }
}

/// The type in its default place, in front of the name.
fn untyped(name: &str) -> (String, Typed) {
    let typed = name.split_once('-').and_then(|(first, rest)| {
        let (_, typed) = TYPES.iter().find(|(name, _)| *name == first)?;
        Some((rest.to_owned(), *typed))
    });
    typed.unwrap_or_else(|| (name.to_owned(), Typed::Legacy))
}

impl fmt::Display for MarkProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutsideZone => {
                "its ownership record would not be in the zone: set `txt_prefix` to such as \"x-%{record_type}.\""
            }
            Self::TooLong => "the name of its ownership record would be too long",
            Self::Ambiguous => "the name of its ownership record could be that of another's",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(affix: TxtAffix, wildcard: Option<&str>) -> Registry {
        let wildcard = wildcard.map(str::to_owned);
        Registry::new("default", &TxtNames { affix, wildcard })
    }

    fn prefix(text: &str) -> TxtAffix {
        TxtAffix::Prefix(text.to_owned())
    }

    fn suffix(text: &str) -> TxtAffix {
        TxtAffix::Suffix(text.to_owned())
    }

    #[test]
    fn dns_marks_have_the_names_that_external_dns_gives_them() {
        use Kind::{A, Aaaa, Cname};
        use MarkProblem::{Ambiguous, OutsideZone};
        type Row = (
            TxtAffix,
            Option<&'static str>,
            &'static str,
            Kind,
            Result<&'static str, MarkProblem>,
        );
        let table: Vec<Row> = vec![
            (TxtAffix::None, None, "www.ex.com", A, Ok("a-www.ex.com")),
            (TxtAffix::None, None, "www.ex.com", Aaaa, Ok("aaaa-www.ex.com")),
            (TxtAffix::None, None, "a.b.ex.com", Cname, Ok("cname-a.b.ex.com")),
            (TxtAffix::None, None, "a-www.ex.com", A, Ok("a-a-www.ex.com")),
            (TxtAffix::None, None, "ex.com", A, Err(OutsideZone)),
            (TxtAffix::None, None, "*.ex.com", A, Ok("a-*.ex.com")),
            (TxtAffix::None, Some("any"), "*.ex.com", A, Ok("a-any.ex.com")),
            (TxtAffix::None, Some("any"), "any.ex.com", A, Err(Ambiguous)),
            (TxtAffix::None, Some("any"), "any.b.ex.com", A, Err(Ambiguous)),
            (prefix("x-"), None, "www.ex.com", A, Ok("x-a-www.ex.com")),
            (
                prefix("txt-"),
                Some("wild"),
                "*.ex.com",
                A,
                Ok("txt-a-wild.ex.com"),
            ),
            (prefix("x-%{record_type}."), None, "ex.com", A, Ok("x-a.ex.com")),
            (
                prefix("x-%{record_type}."),
                None,
                "www.ex.com",
                Aaaa,
                Ok("x-aaaa.www.ex.com"),
            ),
            (
                prefix("%{record_type}-"),
                None,
                "foo.ex.com",
                A,
                Ok("a-foo.ex.com"),
            ),
            (
                prefix("%{record_type}"),
                None,
                "www.ex.com",
                Aaaa,
                Ok("aaaawww.ex.com"),
            ),
            (prefix("%{record_type}"), None, "aaawww.ex.com", A, Err(Ambiguous)),
            (suffix("-mark"), None, "www.ex.com", A, Ok("a-www-mark.ex.com")),
            (
                suffix("-%{record_type}"),
                None,
                "foo.ex.com",
                A,
                Ok("foo-a.ex.com"),
            ),
            (
                suffix("-%{record_type}.marks"),
                None,
                "foo.b.ex.com",
                Cname,
                Ok("foo-cname.marks.b.ex.com"),
            ),
        ];
        for (affix, wildcard, name, kind, expected) in table {
            let registry = registry(affix, wildcard);
            let mark = registry.mark_name(name, kind, "ex.com");
            assert_eq!(
                mark.as_deref(),
                expected.as_ref().copied(),
                "{registry:?} {kind} {name}"
            );
            if let Ok(mark) = mark {
                assert_eq!(
                    registry.subject(&mark),
                    Some((name.to_owned(), Typed::Kind(kind)))
                );
            }
        }
        let long = format!("{}.ex.com", "w".repeat(62));
        let problem = registry(TxtAffix::None, None).mark_name(&long, A, "ex.com");
        assert_eq!(problem, Err(MarkProblem::TooLong));
    }

    #[test]
    fn dns_names_of_marks_are_read_as_external_dns_reads_them() {
        type Row = (TxtAffix, &'static str, Option<(&'static str, Typed)>);
        let table: Vec<Row> = vec![
            (TxtAffix::None, "www.ex.com", Some(("www.ex.com", Typed::Legacy))),
            (
                TxtAffix::None,
                "mx-www.ex.com",
                Some(("www.ex.com", Typed::Other)),
            ),
            (
                TxtAffix::None,
                "ptr-www.ex.com",
                Some(("www.ex.com", Typed::Other)),
            ),
            (
                TxtAffix::None,
                "txt-www.ex.com",
                Some(("www.ex.com", Typed::Other)),
            ),
            (
                TxtAffix::None,
                "dname-www.ex.com",
                Some(("www.ex.com", Typed::Other)),
            ),
            (
                TxtAffix::None,
                "b-www.ex.com",
                Some(("b-www.ex.com", Typed::Legacy)),
            ),
            (prefix("x-"), "www.ex.com", None),
            (prefix("x-"), "x-www.ex.com", Some(("www.ex.com", Typed::Legacy))),
            (
                prefix("x-%{record_type}."),
                "x-.www.ex.com",
                Some(("www.ex.com", Typed::Legacy)),
            ),
            (suffix("-mark"), "www.ex.com", None),
            (
                suffix("-mark"),
                "www-mark.ex.com",
                Some(("www.ex.com", Typed::Legacy)),
            ),
            (
                suffix("-%{record_type}"),
                "foo-aaaa.ex.com",
                Some(("foo.ex.com", Typed::Kind(Kind::Aaaa))),
            ),
            (suffix(".a.b"), "short", None),
        ];
        for (affix, mark, expected) in table {
            let expected = expected.map(|(name, typed)| (name.to_owned(), typed));
            assert_eq!(registry(affix, None).subject(mark), expected, "{mark}");
        }
    }

    #[test]
    fn dns_the_text_of_a_mark_is_external_dns_own() {
        let registry = registry(TxtAffix::None, None);
        assert_eq!(
            registry.content("palisade/shop"),
            r#""heritage=external-dns,external-dns/owner=default,external-dns/resource=palisade/shop""#
        );
        assert_eq!(
            registry.content("palisade/my, \"shop\"=1"),
            r#""heritage=external-dns,external-dns/owner=default,external-dns/resource=palisade/my---shop--1""#
        );
        let table = [
            (
                r#""heritage=external-dns,external-dns/owner=me,external-dns/resource=httproute/a/b""#,
                Some("me"),
            ),
            ("heritage=external-dns,external-dns/owner=me", Some("me")),
            (r#""heritage=external-dns,external-dns/ow" "ner=me""#, Some("me")),
            (r#""heritage=external-dns,external-dns/owner=a=b""#, Some("")),
            (r#""heritage=external-dns""#, Some("")),
            (r#""heritage=other,external-dns/owner=me""#, None),
            (r#""external-dns/owner=me""#, None),
            ("v=spf1 -all", None),
            ("", None),
        ];
        for (content, owner) in table {
            let read = Labels::read(content).map(|labels| labels.owner);
            assert_eq!(read.as_deref(), owner, "{content}");
        }
    }
}
