//! What may be changed, and by whom.

use super::{HOME, HOME6, MOVED, at, both, marked};
use crate::external_dns::{Case, Stage};

const REFUSED: &str = "external-dns asks for a CNAME beside the record that the policy keeps; the API refuses it, and a \
    mark stays behind that claims whatever CNAME somebody makes there. We see it coming, and tell";

pub(super) fn cases() -> Vec<Case> {
    let case = |name| {
        Case::new(
            name,
            vec![both("www.ex.com", HOME, HOME6), at("gone.ex.com", HOME)],
            vec![at("www.ex.com", MOVED), at("new.ex.com", HOME)],
        )
    };
    let stray = marked("cname-www.ex.com", "default", "palisade/rwww-ex-com");
    let switch = Case::new(
        "upsert-only, to a name",
        vec![at("www.ex.com", HOME)],
        vec![at("www.ex.com", "edge.example.net")],
    )
    .differs(
        &[Stage::Changed, Stage::TakenByUs],
        &[&format!("- {stray}")],
        REFUSED,
    )
    .differs(&[Stage::TakenByThem], &[&format!("+ {stray}")], REFUSED);
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
