//! What an engine saw, made comparable: probe rules write it down, the same text for all engines.
//!
//! A probe cannot return a list, so it writes name and value of each member behind one another.

use std::collections::{BTreeMap, BTreeSet};

use palisade_waf::rule::{Link, Rule};
use palisade_waf::transformations::Transformation;
use palisade_waf::variables::{Kind, Variable};

/// Between a member's name and its value, and behind the value. No engine's parser minds them.
const IS: &[u8] = b"<:>";
const END: &[u8] = b"<;>";

/// One thing that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// Its name in reports and in the file of known differences.
    pub name: String,
    /// The target as SecLang.
    target: String,
    /// The transformation, `none` for the value itself.
    transformation: String,
    members: bool,
}

const VARIABLES: &[&str] = &[
    "ARGS_GET",
    "ARGS_POST",
    "ARGS_NAMES",
    "REQUEST_HEADERS",
    "REQUEST_COOKIES",
    "FILES",
    "FILES_NAMES",
    "MULTIPART_PART_HEADERS",
    "REQUEST_METHOD",
    "REQUEST_URI",
    "REQUEST_URI_RAW",
    "REQUEST_FILENAME",
    "REQUEST_BASENAME",
    "REQUEST_LINE",
    "REQUEST_PROTOCOL",
    "QUERY_STRING",
    "REQUEST_BODY",
    "REQUEST_BODY_LENGTH",
    "ARGS_COMBINED_SIZE",
    "FILES_COMBINED_SIZE",
    "REQBODY_ERROR",
    "REQBODY_PROCESSOR",
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_UNMATCHED_BOUNDARY",
];

/// Transformations that every engine knows, one each over all arguments.
const TRANSFORMATIONS: &[&str] = &[
    "base64Decode",
    "base64DecodeExt",
    "cmdLine",
    "compressWhitespace",
    "cssDecode",
    "escapeSeqDecode",
    "hexDecode",
    "htmlEntityDecode",
    "jsDecode",
    "length",
    "lowercase",
    "normalizePath",
    "normalizePathWin",
    "removeComments",
    "removeCommentsChar",
    "removeNulls",
    "removeWhitespace",
    "replaceComments",
    "replaceNulls",
    "trim",
    "trimLeft",
    "trimRight",
    "uppercase",
    "urlDecode",
    "urlDecodeUni",
    "urlEncode",
    "utf8toUnicode",
];

/// All of them.
pub(super) fn all() -> Vec<View> {
    let mut views: Vec<View> = VARIABLES.iter().map(|name| variable(name, name)).collect();
    views.push(xml("XML_TEXTS", "XML:/*"));
    views.push(xml("XML_ATTRIBUTES", "XML://@*"));
    views.extend(TRANSFORMATIONS.iter().map(|name| View {
        name: format!("t:{name}"),
        target: "ARGS".to_owned(),
        transformation: (*name).to_owned(),
        members: true,
    }));
    views
}

fn variable(name: &str, target: &str) -> View {
    let kind = Variable::from_name(name).map_or(Kind::Scalar, Variable::kind);
    View {
        name: name.to_owned(),
        target: target.to_owned(),
        transformation: "none".to_owned(),
        members: kind == Kind::Collection,
    }
}

fn xml(name: &str, target: &str) -> View {
    View {
        members: true,
        ..variable(name, target)
    }
}

impl View {
    /// The TX variable that the probe writes.
    pub(super) fn key(&self) -> String {
        let name = self.name.to_lowercase().replace(':', "_");
        format!("view_{name}")
    }

    /// A member list, or one value.
    fn parse(&self, raw: &[u8]) -> Vec<Member> {
        // The mark that the first probe leaves: an engine that never set the value has no say.
        let raw = raw.strip_prefix(b"^").unwrap_or(raw);
        if !self.members {
            return vec![Member {
                name: Vec::new(),
                value: self.scalar(raw).to_vec(),
            }];
        }
        let mut members = self.walked(raw);
        members.sort();
        members
    }

    /// The members of a collection in the order in which the engine walks them.
    fn walked(&self, raw: &[u8]) -> Vec<Member> {
        let raw = raw.strip_prefix(b"^").unwrap_or(raw);
        split(raw, END)
            .into_iter()
            .filter_map(|text| self.member(text))
            .collect()
    }

    /// Numbers and flags that an engine has no value for are 0 to rules; libmodsecurity writes sizes as
    /// fractions.
    fn scalar<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        let counts = ["SIZE", "LENGTH", "ERROR", "BOUNDARY"]
            .iter()
            .any(|end| self.name.ends_with(end));
        match raw.strip_suffix(b".000000").unwrap_or(raw) {
            b"" if counts => b"0",
            value => value,
        }
    }

    fn member(&self, text: &[u8]) -> Option<Member> {
        let at = text.windows(IS.len()).position(|window| window == IS)?;
        let full = &text[..at];
        let colon = full
            .iter()
            .position(|byte| *byte == b':')
            .map_or(full.len(), |at| at + 1);
        let mut name = full[colon..].to_vec();
        if self.name == "REQUEST_HEADERS" {
            name.make_ascii_lowercase();
        }
        if self.transformation != "none" || self.name.ends_with("NAMES") || self.name.starts_with("XML") {
            name.clear();
        }
        Some(Member {
            name,
            value: text[at + IS.len()..].to_vec(),
        })
    }
}

/// One member of a collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

fn split<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = rest
        .windows(separator.len())
        .position(|window| window == separator)
    {
        pieces.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    pieces
}

/// The probe rules, for the end of the rule set.
pub(super) fn probes() -> String {
    let views = all();
    let marks: Vec<String> = views
        .iter()
        .map(|view| format!("setvar:'tx.{}=^'", view.key()))
        .collect();
    let mut text = format!(
        "SecAction \"id:110000,phase:2,pass,nolog,t:none,{}\"\n",
        marks.join(",")
    );
    for (index, view) in views.iter().enumerate() {
        let key = view.key();
        let value = if view.members {
            format!("%{{tx.{key}}}%{{MATCHED_VAR_NAME}}<:>%{{MATCHED_VAR}}<;>")
        } else {
            "^%{MATCHED_VAR}".to_owned()
        };
        text.push_str(&format!(
            "SecRule {} \"@unconditionalMatch\" \"id:{},phase:2,pass,nolog,t:none,t:{},setvar:'tx.{key}={value}'\"\n",
            view.target,
            110_001 + index,
            view.transformation,
        ));
    }
    text
}

/// What differs between two sets of views: the names of views, and how.
pub(super) fn differing(
    ours: &BTreeMap<String, Vec<u8>>,
    theirs: &BTreeMap<String, Vec<u8>>,
) -> Vec<(View, Vec<Member>, Vec<Member>)> {
    let nothing = Vec::new();
    let of = |views: &BTreeMap<String, Vec<u8>>, view: &View| {
        view.parse(views.get(&view.key()).unwrap_or(&nothing))
    };
    let mut found: Vec<(View, Vec<Member>, Vec<Member>)> = all()
        .into_iter()
        .map(|view| {
            let (ours, theirs) = (of(ours, &view), of(theirs, &view));
            (view, ours, theirs)
        })
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect();
    // Different arguments come out of a transformation differently: that says nothing about it.
    if found
        .iter()
        .any(|(view, ..)| view.name == "ARGS_GET" || view.name == "ARGS_POST")
    {
        found.retain(|(view, ..)| !view.name.starts_with("t:"));
    }
    found
}

/// Whether an engine walks the arguments that both have in another order than ours.
pub(super) fn reordered(ours: &BTreeMap<String, Vec<u8>>, theirs: &BTreeMap<String, Vec<u8>>) -> bool {
    let names = variable("ARGS_NAMES", "ARGS_NAMES");
    let of = |views: &BTreeMap<String, Vec<u8>>| {
        let raw = views.get(&names.key());
        raw.map(|raw| names.walked(raw)).unwrap_or_default()
    };
    let (ours, theirs) = (of(ours), of(theirs));
    ours != theirs && shared(&ours, theirs.clone()) != shared(&theirs, ours.clone())
}

/// Those of the first that the second has too, in the order of the first.
fn shared(members: &[Member], mut others: Vec<Member>) -> Vec<&Member> {
    let also = |member: &&Member| {
        let at = others.iter().position(|other| other == *member);
        at.map(|at| others.swap_remove(at)).is_some()
    };
    members.iter().filter(also).collect()
}

/// What is remarkable about a request, as our engine saw it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// Two arguments, cookies or part headers have the same name, but for its case.
    pub repeated: bool,
    /// The query or the body has two arguments or more.
    pub several: bool,
    /// Some value, or what a transformation makes of it, has a line break in it.
    pub lines: bool,
    /// Some value, or what a transformation makes of it, has a byte past ASCII in it.
    pub bytes: bool,
}

impl Traits {
    pub(super) fn of(views: &BTreeMap<String, Vec<u8>>) -> Self {
        let holds = |wanted: fn(&u8) -> bool| views.values().any(|raw| raw.iter().any(wanted));
        let encoded = |raw: &Vec<u8>| {
            raw.windows(3)
                .any(|three| matches!(three, b"%0a" | b"%0A" | b"%0d" | b"%0D"))
        };
        Self {
            repeated: repeated_names(views),
            several: several_arguments(views),
            lines: holds(|byte| matches!(byte, b'\r' | b'\n')) || views.values().any(encoded),
            bytes: holds(|byte| *byte >= 0x80),
        }
    }
}

fn several_arguments(views: &BTreeMap<String, Vec<u8>>) -> bool {
    ["ARGS_GET", "ARGS_POST"].iter().any(|name| {
        let view = variable(name, name);
        let raw = views.get(&view.key());
        raw.is_some_and(|raw| view.walked(raw).len() > 1)
    })
}

fn repeated_names(views: &BTreeMap<String, Vec<u8>>) -> bool {
    let named = [
        "ARGS_GET",
        "ARGS_POST",
        "REQUEST_COOKIES",
        "MULTIPART_PART_HEADERS",
    ];
    all()
        .iter()
        .filter(|view| named.contains(&view.name.as_str()))
        .any(|view| {
            let members = views
                .get(&view.key())
                .map(|raw| view.parse(raw))
                .unwrap_or_default();
            let names: BTreeSet<Vec<u8>> = members
                .iter()
                .map(|member| member.name.to_ascii_lowercase())
                .collect();
            names.len() < members.len()
        })
}

/// The views that a rule depends on.
pub(super) fn asked_by(rule: &Rule) -> Vec<String> {
    let mut names = Vec::new();
    for question in rule.links.iter().filter_map(|link| link.question.as_ref()) {
        names.push(format!("@{}", question.operator.name()));
        for target in &question.targets {
            names.extend(views_of(target.variable));
        }
        names.extend(
            question
                .transformations
                .iter()
                .map(|t: &Transformation| format!("t:{}", spelled(t.name()))),
        );
    }
    names.extend(rule.links.iter().any(has_anchor).then(|| ANCHOR.to_owned()));
    names
}

/// Stands for `^` and `$` among what a rule asks: engines do not agree about where a line ends.
pub(super) const ANCHOR: &str = "anchor";

fn has_anchor(link: &Link) -> bool {
    link.question.as_ref().is_some_and(|question| {
        let pattern = format!("{:?}", question.operator);
        question.operator.name() == "rx" && (pattern.contains('$') || pattern.replace("[^", "").contains('^'))
    })
}

/// The probes use one of two spellings.
fn spelled(name: &str) -> String {
    name.replace("normalisePath", "normalizePath")
}

fn views_of(variable: Variable) -> Vec<String> {
    let name = variable.name();
    let views: &[&str] = match name {
        "ARGS" | "ARGS_NAMES" => &["ARGS_GET", "ARGS_POST", "ARGS_NAMES"],
        "ARGS_GET" | "ARGS_GET_NAMES" => &["ARGS_GET"],
        "ARGS_POST" | "ARGS_POST_NAMES" => &["ARGS_POST"],
        "REQUEST_COOKIES_NAMES" => &["REQUEST_COOKIES"],
        "REQUEST_HEADERS_NAMES" => &["REQUEST_HEADERS"],
        "XML" => &["XML_TEXTS", "XML_ATTRIBUTES"],
        "MULTIPART_FILENAME" | "FILES_SIZES" | "FILES_TMP_CONTENT" => &["FILES"],
        "MULTIPART_NAME" => &["FILES_NAMES", "FILES"],
        "FULL_REQUEST" | "FULL_REQUEST_LENGTH" => &["REQUEST_BODY"],
        _ if name.starts_with("MULTIPART_") && name != "MULTIPART_PART_HEADERS" => {
            &["MULTIPART_STRICT_ERROR", "MULTIPART_UNMATCHED_BOUNDARY"]
        }
        // The names of TX are made from those of arguments and part headers (`TX:/paramcounter_.*/`).
        "TX" => &["ARGS_GET", "ARGS_POST", "ARGS_NAMES", "MULTIPART_PART_HEADERS"],
        _ if name.starts_with("REQBODY_") => &["REQBODY_ERROR", "REQBODY_PROCESSOR"],
        _ => return vec![name.to_owned()],
    };
    views.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let members: Vec<String> = names
            .iter()
            .map(|name| format!("ARGS_NAMES:{name}<:>{name}<;>"))
            .collect();
        let raw = format!("^{}", members.concat());
        BTreeMap::from([("view_args_names".to_owned(), raw.into_bytes())])
    }

    #[test]
    fn another_order_of_the_arguments_that_both_have() {
        let ours = walked(&["a", "b", "c"]);
        assert!(!reordered(&ours, &walked(&["a", "b", "c"])));
        assert!(!reordered(&ours, &walked(&["a", "c"])));
        assert!(!reordered(&ours, &walked(&["a", "", "b", "c"])));
        assert!(!reordered(&ours, &BTreeMap::new()));
        assert!(reordered(&ours, &walked(&["a", "c", "b"])));
        assert!(reordered(&ours, &walked(&["c", "", "b"])));
        assert!(reordered(&walked(&["a", "b", "a"]), &walked(&["a", "a", "b"])));
    }
}
