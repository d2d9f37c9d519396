//! TTLs and the proxy.

use super::{HOME, HOME6, MOVED, at, both};
use crate::external_dns::{Case, Stage};

const KEPT: &str = "external-dns replaces a record that moves, and what nobody asks for falls back to its default; we \
    change the record, and what was set at it stays";
const PROXY_KEPT: &str = "to external-dns nothing asked for is its default, DNS only; to us it is nobody's business, and \
    a switch that somebody set stays";

pub(super) fn cases() -> Vec<Case> {
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
        )
        .differs(
            &[Stage::Changed, Stage::TakenByUs],
            &[
                "- A www.ex.com ttl=1 direct 203.0.113.6",
                "+ A www.ex.com ttl=120 direct 203.0.113.6",
            ],
            KEPT,
        )
        .differs(
            &[Stage::TakenByThem],
            &[
                "- A www.ex.com ttl=120 direct 203.0.113.6",
                "+ A www.ex.com ttl=1 direct 203.0.113.6",
            ],
            KEPT,
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
        )
        .differs(
            &[Stage::Changed, Stage::TakenByUs],
            &[
                "- A www.ex.com ttl=1 direct 203.0.113.5",
                "+ A www.ex.com ttl=1 proxied 203.0.113.5",
            ],
            PROXY_KEPT,
        )
        .differs(
            &[Stage::TakenByThem],
            &[
                "- A www.ex.com ttl=1 proxied 203.0.113.5",
                "+ A www.ex.com ttl=1 direct 203.0.113.5",
            ],
            PROXY_KEPT,
        ),
    ]
}
