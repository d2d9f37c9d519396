//! Routes x zones x addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::config::testing;
use crate::dns::{Addresses, Desired, Found, Kind, Note, desired};

const FOUND: Addresses = Addresses {
    v4: Found::Known(Ipv4Addr::new(203, 0, 113, 5)),
    v6: Found::None,
};

fn of(text: &str, found: &Addresses) -> Vec<Desired> {
    let zones = r#"
        [[zones]]
        name = "ex.com"
        token = "env:T"
        [[zones]]
        name = "home.ex.com"
        token = "env:T"
        [[zones]]
        name = "quiet.ex.com"
        token = "env:T"
        records = false
    "#;
    let config = testing::config(&format!("{text}\n{zones}"));
    desired(&config.routes, &config.zones, &config.dns, found)
}

fn route(name: &str, hosts: &[&str], dns: &str) -> String {
    format!("[[routes]]\nname = \"{name}\"\nhosts = {hosts:?}\nbackends = [\"http://127.0.0.1:1\"]\n{dns}\n")
}

fn names(desired: &Desired) -> Vec<&str> {
    desired.hosts.keys().map(String::as_str).collect()
}

#[test]
fn dns_the_most_specific_zone_has_a_host() {
    let hosts = [
        "ex.com",
        "*.ex.com",
        "a.b.ex.com",
        "x.home.ex.com",
        "home.ex.com",
        "*.home.ex.com",
        "x.quiet.ex.com",
        "ex.org",
    ];
    let all = of(&route("r", &hosts, ""), &FOUND);
    assert_eq!(
        all.iter()
            .map(|desired| desired.zone.as_str())
            .collect::<Vec<_>>(),
        ["ex.com", "home.ex.com"]
    );
    assert_eq!(names(&all[0]), ["*.ex.com", "a.b.ex.com", "ex.com"]);
    assert_eq!(names(&all[1]), ["*.home.ex.com", "home.ex.com", "x.home.ex.com"]);
    assert_eq!(all[0].hosts["ex.com"].resource, "palisade/r");
}

#[test]
fn dns_targets_are_the_routes_or_everybodys_or_the_address_that_was_found() {
    let text = route("found", &["found.ex.com"], "")
        + &route(
            "own",
            &["own.ex.com"],
            "[routes.dns]\ntargets = [\"203.0.113.9\", \"203.0.113.8\"]\nttl = 60",
        )
        + &route(
            "name",
            &["name.ex.com"],
            "[routes.dns]\ntargets = [\"edge.ex.com\"]",
        )
        + &route("off", &["off.ex.com"], "[routes.dns]\nenabled = false");
    let all = of(&text, &FOUND);
    let host = |name: &str| &all[0].hosts[name];
    let targets = |name: &str, kind| {
        host(name)
            .targets(kind)
            .map(|texts| texts.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(names(&all[0]), ["found.ex.com", "name.ex.com", "own.ex.com"]);
    assert_eq!(targets("found.ex.com", Kind::A).unwrap(), ["203.0.113.5"]);
    assert_eq!(targets("found.ex.com", Kind::Aaaa), None, "nobody looks for one");
    assert_eq!(
        targets("own.ex.com", Kind::A).unwrap(),
        ["203.0.113.8", "203.0.113.9"]
    );
    assert_eq!(
        targets("own.ex.com", Kind::Aaaa).unwrap(),
        [""; 0],
        "none is wanted"
    );
    assert_eq!(targets("name.ex.com", Kind::Cname).unwrap(), ["edge.ex.com"]);
    assert_eq!(
        (host("own.ex.com").ttl, host("name.ex.com").ttl),
        (Some(60), None)
    );

    let everybodys =
        "[dns]\ntargets = [\"edge.ex.com\"]\n".to_owned() + &route("r", &["www.ex.com", "edge.ex.com"], "");
    let all = of(&everybodys, &FOUND);
    assert_eq!(all[0].hosts["www.ex.com"].targets(Kind::Cname).unwrap().len(), 1);
    assert_eq!(
        Kind::ALL.map(|kind| all[0].hosts["edge.ex.com"].targets(kind)),
        [None, None, None]
    );
    assert_eq!(
        all[0].notes,
        [Note::Itself {
            host: "edge.ex.com".to_owned()
        }]
    );
}

#[test]
fn dns_what_is_not_known_is_told_once_and_left_as_it_is() {
    let found = Addresses {
        v4: Found::Unknown,
        v6: Found::Known(Ipv6Addr::LOCALHOST),
    };
    let all = of(&route("r", &["a.ex.com", "b.ex.com"], ""), &found);
    assert_eq!(all[0].notes, [Note::AddressUnknown { kind: Kind::A }]);
    assert_eq!(all[0].hosts["a.ex.com"].targets(Kind::A), None);
    assert_eq!(all[0].hosts["a.ex.com"].targets(Kind::Aaaa).unwrap().len(), 1);
    assert!(all[1].notes.is_empty(), "no host waits for it");
}

#[test]
fn dns_routes_that_share_a_host_and_disagree_are_told() {
    let share = |dns: &str| {
        let text = route("one", &["www.ex.com"], "paths = [\"/a\"]")
            + &route("two", &["www.ex.com"], &format!("paths = [\"/b\"]\n{dns}"));
        of(&text, &FOUND)
    };
    assert!(share("")[0].notes.is_empty());
    let all = share("[routes.dns]\nttl = 60");
    assert_eq!(all[0].hosts["www.ex.com"].resource, "palisade/one");
    assert_eq!(
        all[0].notes[0].to_string(),
        "the routes `one` and `two` want different records for www.ex.com: `one` has its way"
    );
}

/// The provider changes the prefix; the lower half is the host's own.
#[test]
fn dns_another_host_behind_the_prefix_has_its_own_address() {
    let found = Addresses {
        v4: FOUND.v4,
        v6: Found::Known("2001:db8:1:2:aaaa::1".parse().unwrap()),
    };
    let text = route("edge", &["edge.ex.com"], "")
        + &route(
            "nas",
            &["nas.ex.com"],
            "[routes.dns]\nipv6_host_id = \"::a1:b2:c3:d4\"",
        );
    let all = of(&text, &found);
    let v6 = |name: &str| all[0].hosts[name].targets(Kind::Aaaa).unwrap();
    assert_eq!(
        v6("edge.ex.com").into_iter().collect::<Vec<_>>(),
        ["2001:db8:1:2:aaaa::1"]
    );
    assert_eq!(
        v6("nas.ex.com").into_iter().collect::<Vec<_>>(),
        ["2001:db8:1:2:a1:b2:c3:d4"]
    );
    // For all, but for those that say otherwise; and an address that is not known stays unknown.
    let all_hosts = format!("[dns]\nipv6_host_id = \"::5\"\n{text}");
    let all = of(&all_hosts, &found);
    let v6 = |name: &str| all[0].hosts[name].targets(Kind::Aaaa).unwrap();
    assert_eq!(
        v6("edge.ex.com").into_iter().collect::<Vec<_>>(),
        ["2001:db8:1:2::5"]
    );
    assert_eq!(
        v6("nas.ex.com").into_iter().collect::<Vec<_>>(),
        ["2001:db8:1:2:a1:b2:c3:d4"]
    );
    let unknown = Addresses {
        v6: Found::Unknown,
        ..found
    };
    assert_eq!(
        of(&text, &unknown)[0].hosts["nas.ex.com"].targets(Kind::Aaaa),
        None
    );
}
