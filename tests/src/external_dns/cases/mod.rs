//! The cases. Where the sides differ on purpose, the case says why.

mod company;
mod policies;
mod settings;

use super::{Case, Stage, Want};

const HOME: &str = "203.0.113.5";
const MOVED: &str = "203.0.113.6";
const SECOND: &str = "203.0.113.7";
const HOME6: &str = "2001:db8::5";
const MOVED6: &str = "2001:db8::6";

/// Why a record may be missing on our side.
const NO_MARK: &str = "external-dns makes a record whose mark would be outside the zone, and never changes or deletes \
    it again, for it is not its own; we make no record that we cannot mark, and say how to name marks";

/// All of them.
pub fn cases() -> Vec<Case> {
    [
        names(),
        targets(),
        settings::cases(),
        company::cases(),
        policies::cases(),
    ]
    .concat()
}

/// How marks are named.
fn names() -> Vec<Case> {
    let plain = Case::new(
        "plain hosts",
        vec![
            at("www.ex.com", HOME),
            at("deep.below.ex.com", HOME),
            at("gone.ex.com", HOME),
            at("a-www.ex.com", HOME),
        ],
        vec![
            at("www.ex.com", MOVED),
            at("deep.below.ex.com", HOME),
            at("a-www.ex.com", MOVED),
            at("new.ex.com", HOME),
        ],
    );
    let wildcard = || {
        (
            vec![
                at("*.ex.com", HOME),
                at("*.apps.ex.com", HOME),
                at("*.gone.ex.com", HOME),
            ],
            vec![at("*.ex.com", MOVED), at("*.apps.ex.com", HOME)],
        )
    };
    let (first, then) = wildcard();
    let star = Case::new("wildcard", first, then);
    let (first, then) = wildcard();
    let replaced = Case {
        prefix: "txt-",
        wildcard: "any",
        ..Case::new("wildcard replacement", first, then)
    };
    let apex = || {
        (
            vec![
                both("ex.com", HOME, HOME6),
                at("www.ex.com", HOME),
                at("*.ex.com", HOME),
            ],
            vec![both("ex.com", MOVED, MOVED6), at("www.ex.com", HOME)],
        )
    };
    let (first, then) = apex();
    let template = Case {
        prefix: "x-%{record_type}.",
        ..Case::new("apex with a prefix template", first, then)
    };
    let hosts = || {
        (
            vec![
                both("www.ex.com", HOME, HOME6),
                at("deep.below.ex.com", HOME),
                at("gone.ex.com", HOME),
            ],
            vec![both("www.ex.com", MOVED, HOME6), at("deep.below.ex.com", HOME)],
        )
    };
    let (first, then) = hosts();
    let prefix = Case {
        prefix: "mark-",
        ..Case::new("prefix", first, then)
    };
    let (first, then) = hosts();
    let suffix = Case {
        suffix: "-mark",
        ..Case::new("suffix", first, then)
    };
    let (first, then) = hosts();
    let suffix_template = Case {
        suffix: "-%{record_type}.marks",
        ..Case::new("suffix template with a dot", first, then)
    };
    let bare = Case::new(
        "apex without room for its mark",
        vec![at("ex.com", HOME), at("www.ex.com", HOME)],
        vec![at("ex.com", MOVED), at("www.ex.com", HOME)],
    )
    .differs(
        &[Stage::Fresh, Stage::Changed],
        &["- A ex.com ttl=1 direct 203.0.113.5"],
        NO_MARK,
    )
    .differs(
        &[Stage::TheirsOnOurs],
        &["+ A ex.com ttl=1 direct 203.0.113.5"],
        NO_MARK,
    )
    .differs(
        &[Stage::TakenByThem],
        &["+ A ex.com ttl=1 direct 203.0.113.6"],
        NO_MARK,
    );
    vec![
        plain,
        star,
        replaced,
        template,
        prefix,
        suffix,
        suffix_template,
        bare,
    ]
}

/// What hosts point to.
fn targets() -> Vec<Case> {
    let name = "edge.example.net";
    vec![
        Case::new(
            "several targets",
            vec![
                Want::new("www.ex.com", &[HOME, MOVED, HOME6, MOVED6]),
                at("one.ex.com", HOME),
            ],
            vec![
                Want::new("www.ex.com", &[HOME, SECOND, MOVED6]),
                Want::new("one.ex.com", &[HOME, SECOND]),
            ],
        ),
        Case::new(
            "a family comes",
            vec![at("www.ex.com", HOME)],
            vec![both("www.ex.com", HOME, HOME6)],
        ),
        Case::new(
            "a family goes",
            vec![both("www.ex.com", HOME, HOME6)],
            vec![at("www.ex.com", HOME6)],
        ),
        Case::new(
            "another name",
            vec![at("www.ex.com", name), at("gone.ex.com", name)],
            vec![at("www.ex.com", "other.example.net")],
        ),
        Case::new(
            "from addresses to a name",
            vec![both("www.ex.com", HOME, HOME6)],
            vec![at("www.ex.com", name)],
        ),
        Case::new(
            "from a name to addresses",
            vec![at("www.ex.com", name)],
            vec![both("www.ex.com", HOME, HOME6)],
        ),
        Case::new(
            "everything goes",
            vec![both("www.ex.com", HOME, HOME6), at("shop.ex.com", name)],
            vec![],
        ),
    ]
}

fn at(host: &'static str, target: &'static str) -> Want {
    Want::new(host, &[target])
}

fn both(host: &'static str, v4: &'static str, v6: &'static str) -> Want {
    Want::new(host, &[v4, v6])
}

/// What another resource of an owner left behind.
fn mark(name: &str, owner: &str) -> String {
    marked(name, owner, "ingress/apps/old")
}

/// A mark as both write it.
fn marked(name: &str, owner: &str, resource: &str) -> String {
    format!(
        "TXT {name} ttl=1 direct \"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}\""
    )
}
