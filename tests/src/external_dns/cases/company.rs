//! Records that were there before.

use super::{HOME, HOME6, MOVED, MOVED6, at, both, mark, marked};
use crate::external_dns::Case;
use crate::external_dns::Stage::{Changed, Fresh, TakenByThem, TakenByUs, TheirsOnOurs};

const LEFT_BEHIND: &str = "external-dns deletes no mark without a type; with its last record gone it would claim \
    whatever somebody makes there";
const NOT_CLAIMED: &str = "external-dns makes a record under another owner's mark, and it is that owner's then; we leave \
    the name to whom it is marked for";
const SAME_OWNER: &str = "which resource of ours a mark names decides nothing: external-dns writes it anew when it \
    changes the record, and we leave it";
const SET_BY_HAND: &str =
    "to external-dns nothing asked for is its default, DNS only; to us it is nobody's business";

pub(super) fn cases() -> Vec<Case> {
    vec![
        foreign(),
        legacy(),
        legacy_of_aaaa(),
        types(),
        dangling(),
        by_hand(),
    ]
}

fn foreign() -> Case {
    let wants = |target| {
        [
            "hand.ex.com",
            "other.ex.com",
            "alias.ex.com",
            "text.ex.com",
            "www.ex.com",
        ]
        .map(|host| at(host, target))
        .to_vec()
    };
    Case::new("foreign records", wants(HOME), wants(MOVED)).with(&[
        "TXT ex.com ttl=1 direct \"v=spf1 -all\"",
        "A hand.ex.com ttl=300 direct 198.51.100.1",
        "A other.ex.com ttl=1 direct 198.51.100.2",
        &mark("a-other.ex.com", "somebody"),
        "CNAME alias.ex.com ttl=1 direct by.hand.test",
        "TXT text.ex.com ttl=1 direct \"hello\"",
        "A unwanted.ex.com ttl=1 direct 198.51.100.3",
    ])
}

fn legacy() -> Case {
    let stays = mark("gone.ex.com", "default");
    Case::new(
        "marks without a type",
        vec![
            at("old.ex.com", HOME),
            at("gone.ex.com", HOME),
            at("alias.ex.com", "edge.example.net"),
        ],
        vec![at("old.ex.com", MOVED), at("alias.ex.com", "other.example.net")],
    )
    .with(&[
        "A old.ex.com ttl=1 direct 203.0.113.5",
        &mark("old.ex.com", "default"),
        "A gone.ex.com ttl=1 direct 203.0.113.5",
        &mark("gone.ex.com", "default"),
        "CNAME alias.ex.com ttl=1 direct edge.example.net",
        &mark("alias.ex.com", "default"),
    ])
    .differs(&[Changed, TakenByUs], &[&format!("- {stays}")], LEFT_BEHIND)
    .differs(&[TakenByThem], &[&format!("+ {stays}")], LEFT_BEHIND)
}

fn legacy_of_aaaa() -> Case {
    Case::new(
        "a mark without a type says nothing of AAAA",
        vec![both("old.ex.com", HOME, HOME6)],
        vec![both("old.ex.com", MOVED, MOVED6)],
    )
    .with(&[
        "A old.ex.com ttl=1 direct 203.0.113.5",
        "AAAA old.ex.com ttl=1 direct 2001:db8::5",
        &mark("old.ex.com", "default"),
    ])
}

/// `ptr-in` is the mark of a PTR record, whatever else it was meant for: the host keeps what it has, and is nobody's.
fn types() -> Case {
    let hosts = [
        "ptr-in.ex.com",
        "txt-in.ex.com",
        "dname-in.ex.com",
        "mx-in.ex.com",
    ];
    let before = hosts.map(|host| [format!("A {host} ttl=1 direct {HOME}"), mark(host, "default")]);
    let before = before.concat();
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    Case::new(
        "names that begin like a type",
        hosts.map(|host| at(host, HOME)).to_vec(),
        hosts.map(|host| at(host, MOVED)).to_vec(),
    )
    .with(&before)
}

fn dangling() -> Case {
    let old = mark("a-www.ex.com", "default");
    let new = marked("a-www.ex.com", "default", "palisade/rwww-ex-com");
    Case::new(
        "marks without a record",
        vec![at("www.ex.com", HOME), at("other.ex.com", HOME)],
        vec![at("www.ex.com", MOVED), at("other.ex.com", MOVED)],
    )
    .with(&[
        &mark("a-www.ex.com", "default"),
        &mark("a-other.ex.com", "somebody"),
        &mark("a-nobody.ex.com", "default"),
    ])
    .differs(
        &[Fresh, Changed],
        &["- A other.ex.com ttl=1 direct 203.0.113.5"],
        NOT_CLAIMED,
    )
    .differs(
        &[TheirsOnOurs],
        &["+ A other.ex.com ttl=1 direct 203.0.113.5"],
        NOT_CLAIMED,
    )
    .differs(
        &[TakenByThem],
        &["+ A other.ex.com ttl=1 direct 203.0.113.6"],
        NOT_CLAIMED,
    )
    .differs(
        &[Changed, TakenByUs],
        &[&format!("- {new}"), &format!("+ {old}")],
        SAME_OWNER,
    )
    .differs(
        &[TakenByThem],
        &[&format!("- {old}"), &format!("+ {new}")],
        SAME_OWNER,
    )
}

fn by_hand() -> Case {
    let old = mark("a-www.ex.com", "default");
    let new = marked("a-www.ex.com", "default", "palisade/rwww-ex-com");
    let proxied = |sign, target| format!("{sign} A www.ex.com ttl=1 proxied {target}");
    let direct = |sign, target| format!("{sign} A www.ex.com ttl=1 direct {target}");
    Case::new(
        "what somebody set by hand",
        vec![at("www.ex.com", HOME)],
        vec![at("www.ex.com", MOVED)],
    )
    .with(&["A www.ex.com ttl=1 proxied 203.0.113.5", &old])
    .differs(
        &[Fresh, Changed],
        &[&format!("- {new}"), &format!("+ {old}")],
        SAME_OWNER,
    )
    .differs(
        &[TheirsOnOurs, TakenByThem],
        &[&format!("- {old}"), &format!("+ {new}")],
        SAME_OWNER,
    )
    .differs(&[Fresh], &[&direct('-', HOME), &proxied('+', HOME)], SET_BY_HAND)
    .differs(
        &[TheirsOnOurs],
        &[&proxied('-', HOME), &direct('+', HOME)],
        SET_BY_HAND,
    )
    .differs(
        &[Changed],
        &[&direct('-', MOVED), &proxied('+', MOVED)],
        SET_BY_HAND,
    )
    .differs(
        &[TakenByThem],
        &[&proxied('-', MOVED), &direct('+', MOVED)],
        SET_BY_HAND,
    )
}
