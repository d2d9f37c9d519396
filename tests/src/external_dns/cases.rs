//! The cases. Where the sides differ on purpose, the case says why.

use super::{Case, Want};

const HOME: &str = "203.0.113.5";
const MOVED: &str = "203.0.113.6";
const SECOND: &str = "203.0.113.7";
const HOME6: &str = "2001:db8::5";
const MOVED6: &str = "2001:db8::6";

/// All of them.
pub fn cases() -> Vec<Case> {
    [names(), targets(), settings(), company(), policies()].concat()
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

/// TTLs and the proxy.
fn settings() -> Vec<Case> {
    vec![
        Case::new(
            "TTLs",
            vec![
                at("longer.ex.com", HOME).ttl(120),
                at("moved.ex.com", HOME).ttl(120),
                at("named.ex.com", "edge.example.net").ttl(3600),
            ],
            vec![
                at("longer.ex.com", HOME).ttl(600),
                at("moved.ex.com", MOVED).ttl(120),
                at("named.ex.com", "edge.example.net").ttl(120),
            ],
        ),
        Case::new(
            "a TTL that nobody asks for any more",
            vec![at("www.ex.com", HOME).ttl(120)],
            vec![at("www.ex.com", HOME)],
        ),
        Case::new(
            "a TTL that nobody asks for any more, and a move",
            vec![at("www.ex.com", HOME).ttl(120)],
            vec![at("www.ex.com", MOVED)],
        ),
        Case::new(
            "proxied",
            vec![
                both("www.ex.com", HOME, HOME6).proxied(true),
                at("off.ex.com", HOME).proxied(true),
                at("on.ex.com", HOME).proxied(false).ttl(120),
            ],
            vec![
                both("www.ex.com", MOVED, HOME6).proxied(true),
                at("off.ex.com", HOME).proxied(false),
                at("on.ex.com", HOME).proxied(true).ttl(120),
            ],
        ),
        Case::new(
            "a proxy that nobody asks for any more",
            vec![at("www.ex.com", HOME).proxied(true)],
            vec![at("www.ex.com", HOME)],
        ),
    ]
}

/// Records that were there before.
fn company() -> Vec<Case> {
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
    let foreign = Case::new("foreign records", wants(HOME), wants(MOVED)).with(&[
        "TXT ex.com ttl=1 direct \"v=spf1 -all\"",
        "A hand.ex.com ttl=300 direct 198.51.100.1",
        "A other.ex.com ttl=1 direct 198.51.100.2",
        &mark("a-other.ex.com", "somebody"),
        "CNAME alias.ex.com ttl=1 direct by.hand.test",
        "TXT text.ex.com ttl=1 direct \"hello\"",
        "A unwanted.ex.com ttl=1 direct 198.51.100.3",
    ]);
    let legacy = Case::new(
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
    ]);
    let legacy6 = Case::new(
        "a mark without a type says nothing of AAAA",
        vec![both("old.ex.com", HOME, HOME6)],
        vec![both("old.ex.com", MOVED, MOVED6)],
    )
    .with(&[
        "A old.ex.com ttl=1 direct 203.0.113.5",
        "AAAA old.ex.com ttl=1 direct 2001:db8::5",
        &mark("old.ex.com", "default"),
    ]);
    let types = Case::new(
        "names that begin like a type",
        [
            "ptr-in.ex.com",
            "txt-in.ex.com",
            "dname-in.ex.com",
            "mx-in.ex.com",
        ]
        .map(|host| at(host, HOME))
        .to_vec(),
        [
            "ptr-in.ex.com",
            "txt-in.ex.com",
            "dname-in.ex.com",
            "mx-in.ex.com",
        ]
        .map(|host| at(host, MOVED))
        .to_vec(),
    )
    .with(&[
        "A ptr-in.ex.com ttl=1 direct 203.0.113.5",
        &mark("ptr-in.ex.com", "default"),
        "A txt-in.ex.com ttl=1 direct 203.0.113.5",
        &mark("txt-in.ex.com", "default"),
        "A dname-in.ex.com ttl=1 direct 203.0.113.5",
        &mark("dname-in.ex.com", "default"),
        "A mx-in.ex.com ttl=1 direct 203.0.113.5",
        &mark("mx-in.ex.com", "default"),
    ]);
    let dangling = Case::new(
        "marks without a record",
        vec![at("www.ex.com", HOME), at("other.ex.com", HOME)],
        vec![at("www.ex.com", MOVED), at("other.ex.com", MOVED)],
    )
    .with(&[
        &mark("a-www.ex.com", "default"),
        &mark("a-other.ex.com", "somebody"),
        &mark("a-nobody.ex.com", "default"),
    ]);
    let proxied = Case::new(
        "what somebody set by hand",
        vec![at("www.ex.com", HOME)],
        vec![at("www.ex.com", MOVED)],
    )
    .with(&[
        "A www.ex.com ttl=1 proxied 203.0.113.5",
        &mark("a-www.ex.com", "default"),
    ]);
    vec![foreign, legacy, legacy6, types, dangling, proxied]
}

/// What may be changed, and by whom.
fn policies() -> Vec<Case> {
    let case = |name| {
        Case::new(
            name,
            vec![both("www.ex.com", HOME, HOME6), at("gone.ex.com", HOME)],
            vec![at("www.ex.com", MOVED), at("new.ex.com", HOME)],
        )
    };
    let switch = Case::new(
        "upsert-only, to a name",
        vec![at("www.ex.com", HOME)],
        vec![at("www.ex.com", "edge.example.net")],
    );
    vec![
        Case {
            policy: "upsert-only",
            ..case("upsert-only")
        },
        Case {
            policy: "create-only",
            ..case("create-only")
        },
        Case {
            policy: "upsert-only",
            ..switch
        },
        Case {
            owner: "home",
            ..case("an owner of another name")
        },
    ]
}

fn at(host: &'static str, target: &'static str) -> Want {
    Want::new(host, &[target])
}

fn both(host: &'static str, v4: &'static str, v6: &'static str) -> Want {
    Want::new(host, &[v4, v6])
}

fn mark(name: &str, owner: &str) -> String {
    format!(
        "TXT {name} ttl=1 direct \"heritage=external-dns,external-dns/owner={owner},external-dns/resource=ingress/apps/old\""
    )
}
