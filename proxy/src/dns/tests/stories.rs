//! What is there, what is wanted, and the plan as people see it.

use crate::config::{DnsPolicy, TxtAffix, TxtNames};
use crate::dns::testing::{Model, options, wanted};
use crate::dns::{Limit, Options, Registry};

/// The plan's lines after the zone's; and that carrying it out leaves nothing to do.
fn lines(there: &str, desired: &str, options: &Options) -> Vec<String> {
    let mut model = Model::of(there);
    let desired = wanted(desired);
    let plan = model.plan(&desired, options);
    let shown = plan.to_string();
    model.apply(&plan);
    let again = model.plan(&desired, options);
    assert!(again.is_empty(), "{shown}then {again}");
    shown.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn dns_plans_are_what_they_should_be() {
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("nothing", "", "", &["nothing to do"]),
        (
            "creation",
            "",
            "www: 203.0.113.5 2001:db8::1",
            &[
                "+ TXT a-www.ex.com (ownership of A www.ex.com)",
                "+ A www.ex.com -> 203.0.113.5 (ttl auto, DNS only)",
                "+ TXT aaaa-www.ex.com (ownership of AAAA www.ex.com)",
                "+ AAAA www.ex.com -> 2001:db8::1 (ttl auto, DNS only)",
            ],
        ),
        (
            "nothing to do",
            "A www 203.0.113.5\nMARK a-www me",
            "www: 203.0.113.5",
            &["nothing to do"],
        ),
        (
            "another spelling",
            "AAAA www 2001:DB8:0::1\nMARK aaaa-www me",
            "www: 2001:db8::1",
            &["nothing to do"],
        ),
        (
            "an update keeps what somebody set",
            "A www 203.0.113.5 ttl=60 comment=door\nMARK a-www me",
            "www: 203.0.113.6",
            &["~ A www.ex.com -> 203.0.113.5 => 203.0.113.6 (ttl 60, DNS only)"],
        ),
        (
            "deletion",
            "A www 203.0.113.5\nMARK a-www me\nA ftp 203.0.113.5",
            "",
            &[
                "- TXT a-www.ex.com (ownership of A www.ex.com)",
                "- A www.ex.com -> 203.0.113.5",
            ],
        ),
        (
            "not ours",
            "A www 203.0.113.9\nA ftp 203.0.113.9\nMARK a-ftp you",
            "www: 203.0.113.5\nftp: 203.0.113.5",
            &[
                "nothing to do",
                "! A ftp.ex.com belongs to `you`: left as it is",
                "! A www.ex.com is there and not ours: left as it is",
            ],
        ),
        (
            "a type beside one that is not ours",
            "AAAA www 2001:db8::9",
            "www: 203.0.113.5",
            &[
                "nothing to do",
                "! no A www.ex.com: there is a record AAAA that is not ours",
            ],
        ),
        (
            "a mark of another's without a record",
            "MARK a-www you",
            "www: 203.0.113.5",
            &["nothing to do", "! A www.ex.com belongs to `you`: left as it is"],
        ),
        (
            "other types are no hindrance",
            "MX @ mail\nTXT www v=spf1\nHTTPS www x",
            "www: 203.0.113.5",
            &[
                "+ TXT a-www.ex.com (ownership of A www.ex.com)",
                "+ A www.ex.com -> 203.0.113.5 (ttl auto, DNS only)",
            ],
        ),
        (
            "delegated",
            "NS www ns.other",
            "www: 203.0.113.5",
            &[
                "nothing to do",
                "! no A www.ex.com: NS records give the name to other servers",
            ],
        ),
        (
            "from an address to a name",
            "A www 203.0.113.5 proxied\nMARK a-www me\nAAAA www 2001:db8::1\nMARK aaaa-www me",
            "www: edge.example.net",
            &[
                "- TXT a-www.ex.com (ownership of A www.ex.com)",
                "- A www.ex.com -> 203.0.113.5",
                "- TXT aaaa-www.ex.com (ownership of AAAA www.ex.com)",
                "- AAAA www.ex.com -> 2001:db8::1",
                "+ TXT cname-www.ex.com (ownership of CNAME www.ex.com)",
                "+ CNAME www.ex.com -> edge.example.net (ttl auto, proxied)",
            ],
        ),
        (
            "from a name to an address, one family of which is not known",
            "CNAME www Edge.example.net.\nMARK cname-www me",
            "www: 203.0.113.5 6?",
            &[
                "+ TXT a-www.ex.com (ownership of A www.ex.com)",
                "+ A www.ex.com -> 203.0.113.5 (ttl auto, DNS only)",
                "- TXT cname-www.ex.com (ownership of CNAME www.ex.com)",
                "- CNAME www.ex.com -> Edge.example.net.",
            ],
        ),
        (
            "from a name to what is not known yet",
            "CNAME www edge.example.net\nMARK cname-www me",
            "www: ? 6-",
            &["nothing to do"],
        ),
        (
            "a name that is not ours",
            "CNAME www edge.example.net",
            "www: 203.0.113.5",
            &[
                "nothing to do",
                "! no A www.ex.com: there is a record CNAME that is not ours",
            ],
        ),
        (
            "unknown families keep their records, the other is updated",
            "A www 203.0.113.5\nMARK a-www me\nAAAA www 2001:db8::1\nMARK aaaa-www me",
            "www: 203.0.113.6 6?",
            &["~ A www.ex.com -> 203.0.113.5 => 203.0.113.6 (ttl auto, DNS only)"],
        ),
        (
            "empty is not unknown",
            "A www 203.0.113.5\nMARK a-www me\nAAAA www 2001:db8::1\nMARK aaaa-www me",
            "www: 203.0.113.5",
            &[
                "- TXT aaaa-www.ex.com (ownership of AAAA www.ex.com)",
                "- AAAA www.ex.com -> 2001:db8::1",
            ],
        ),
        (
            "several targets",
            "A www 203.0.113.1\nA www 203.0.113.2 comment=two\nMARK a-www me",
            "www: 203.0.113.2 203.0.113.3 203.0.113.4",
            &[
                "~ A www.ex.com -> 203.0.113.1 => 203.0.113.3 (ttl auto, DNS only)",
                "+ A www.ex.com -> 203.0.113.4 (ttl auto, DNS only)",
            ],
        ),
        (
            "fewer targets",
            "A www 203.0.113.1\nA www 203.0.113.2\nMARK a-www me",
            "www: 203.0.113.2",
            &["- A www.ex.com -> 203.0.113.1"],
        ),
        (
            "an old mark proves ownership, and a new one comes",
            "A www 203.0.113.5\nMARK www me",
            "www: 203.0.113.5",
            &["+ TXT a-www.ex.com (ownership of A www.ex.com)"],
        ),
        (
            "an old mark proves nothing about AAAA",
            "AAAA www 2001:db8::1\nMARK www me\nA x 203.0.113.5\nMARK a-x me",
            "",
            &[
                "- TXT a-x.ex.com (ownership of A x.ex.com)",
                "- A x.ex.com -> 203.0.113.5",
            ],
        ),
        (
            "an old mark goes with its last record",
            "A www 203.0.113.5\nMARK www me\nMARK a-www me",
            "",
            &[
                "- TXT a-www.ex.com (ownership of A www.ex.com)",
                "- TXT www.ex.com (ownership of A www.ex.com)",
                "- A www.ex.com -> 203.0.113.5",
            ],
        ),
        (
            "an old mark of another's stays when our record goes",
            "A www 203.0.113.5\nMARK a-www me\nMARK www you\nMARK www me",
            "",
            &[
                "- TXT a-www.ex.com (ownership of A www.ex.com)",
                "- TXT www.ex.com (ownership of A www.ex.com)",
                "- A www.ex.com -> 203.0.113.5",
            ],
        ),
        (
            "an old mark stays when only AAAA goes",
            "AAAA www 2001:db8::1\nMARK aaaa-www me\nMARK www me",
            "",
            &[
                "- TXT aaaa-www.ex.com (ownership of AAAA www.ex.com)",
                "- AAAA www.ex.com -> 2001:db8::1",
            ],
        ),
        (
            "a mark of www is none of a-www's",
            "A a-www 203.0.113.9\nA www 203.0.113.5\nMARK a-www me",
            "www: 203.0.113.5",
            &["nothing to do"],
        ),
        (
            "a mark without a record goes, with one to come it stays",
            "MARK a-gone me for=palisade/r\nMARK a-www me for=palisade/r",
            "www: 203.0.113.5",
            &[
                "- TXT a-gone.ex.com (ownership of A gone.ex.com)",
                "+ A www.ex.com -> 203.0.113.5 (ttl auto, DNS only)",
            ],
        ),
        (
            "a mark without a record that we did not write is not for us to judge",
            "MARK a-gone me\nMARK gone me for=palisade/r",
            "",
            &["nothing to do"],
        ),
        (
            "marks that contradict one another",
            "A www 203.0.113.5\nMARK a-www me\nMARK a-www you",
            "",
            &["nothing to do"],
        ),
        (
            "wildcards",
            "",
            "*: 203.0.113.5",
            &[
                "+ TXT a-*.ex.com (ownership of A *.ex.com)",
                "+ A *.ex.com -> 203.0.113.5 (ttl auto, DNS only)",
            ],
        ),
        (
            "the apex needs a prefix",
            "",
            "@: 203.0.113.5",
            &[
                "nothing to do",
                "! no A ex.com: its ownership record would not be in the zone: set `txt_prefix` to such as \"x-%{record_type}.\"",
            ],
        ),
    ];
    for (story, there, desired, expected) in table {
        assert_eq!(lines(there, desired, &options()), *expected, "{story}");
    }
}

#[test]
fn dns_policies_do_what_they_say() {
    let there =
        "A old 203.0.113.1\nMARK a-old me\nA www 203.0.113.1\nMARK a-www me\nCNAME x y.test\nMARK cname-x me";
    let desired = "new: 203.0.113.2\nwww: 203.0.113.2\nx: 203.0.113.2";
    let of = |policy| Options { policy, ..options() };
    let create = [
        "+ TXT a-new.ex.com (ownership of A new.ex.com)",
        "+ A new.ex.com -> 203.0.113.2 (ttl auto, DNS only)",
    ];
    let update = "~ A www.ex.com -> 203.0.113.1 => 203.0.113.2 (ttl auto, DNS only)";
    let kept = "! no A x.ex.com: the record CNAME is kept";
    assert_eq!(
        lines(there, desired, &of(DnsPolicy::CreateOnly)),
        [&create[..], &[kept]].concat()
    );
    assert_eq!(
        lines(there, desired, &of(DnsPolicy::UpsertOnly)),
        [&create[..], &[update, kept]].concat()
    );
    let all = lines(there, desired, &of(DnsPolicy::Sync));
    assert!(
        all.contains(&"- A old.ex.com -> 203.0.113.1".to_owned()),
        "{all:?}"
    );
    assert!(all.contains(&"- CNAME x.ex.com -> y.test".to_owned()), "{all:?}");
}

#[test]
fn dns_a_routes_own_settings_are_held_and_defaults_are_for_what_is_new() {
    let there = "A www 203.0.113.5 ttl=60\nMARK a-www me\nA off 203.0.113.5 proxied\nMARK a-off me";
    let mut desired = wanted("www: 203.0.113.5\noff: 203.0.113.5\nnew: 203.0.113.5");
    let options = Options {
        ttl: 600,
        ..options()
    };
    let mut model = Model::of(there);
    let plan = model.plan(&desired, &options);
    assert_eq!((plan.creates.len(), plan.updates.len()), (2, 0), "{plan}");
    assert_eq!(plan.creates[1].record.ttl, 600);

    let [www, off] = ["www.ex.com", "off.ex.com"];
    desired.hosts.get_mut(www).unwrap().proxied = Some(true);
    desired.hosts.get_mut(off).unwrap().ttl = Some(300);
    let plan = model.plan(&desired, &options);
    assert_eq!(
        plan.updates.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["~ A www.ex.com -> 203.0.113.5 (ttl 60, DNS only => ttl auto, proxied)"],
        "what is proxied has no TTL of its own"
    );
    model.apply(&plan);
    desired.hosts.get_mut(off).unwrap().proxied = Some(false);
    let plan = model.plan(&desired, &options);
    model.apply(&plan);
    assert!(
        model
            .lines()
            .contains(&"A off.ex.com 203.0.113.5 ttl=300".to_owned()),
        "{:?}",
        model.lines()
    );
    assert!(model.plan(&desired, &options).is_empty());
}

#[test]
fn dns_the_guard_refuses_and_tells_what_and_lets_updates_through() {
    let there: String = (0..20)
        .map(|n| format!("A h{n:02} 203.0.113.1\nMARK a-h{n:02} me\n"))
        .collect();
    let model = Model::of(&there);
    let desired = wanted("h00: 203.0.113.2\nnew: 203.0.113.2");
    let plan = model.plan(&desired, &options());
    let refusal = plan.refusal.as_ref().unwrap();
    assert_eq!(
        (refusal.records, refusal.ours, refusal.limit),
        (19, 20, Limit::Count(10))
    );
    assert_eq!((refusal.withheld.len(), refusal.waiting.len()), (38, 2));
    assert_eq!(
        (plan.creates.len(), plan.updates.len(), plan.deletes.len()),
        (0, 1, 0)
    );
    let told = plan.to_string();
    assert!(
        told.contains(
            "! refused to delete 19 of our 20 records, more than 10 (max_deletes); 2 to make wait for it\n"
        ),
        "{told}"
    );
    assert!(told.contains("    - A h19.ex.com -> 203.0.113.1\n"), "{told}");
    let brief = refusal.brief();
    assert_eq!(brief.lines().count(), 1 + 5 + 1, "{brief}");
    assert!(
        brief.ends_with("- TXT a-h03.ex.com (ownership of A h03.ex.com)\nand 33 more"),
        "{brief}"
    );

    let mut options = options();
    options.guard.open = true;
    let plan = model.plan(&desired, &options);
    assert_eq!((plan.refusal.is_none(), plan.deletes.len()), (true, 38));

    options.guard.open = false;
    options.guard.max_percent = 50;
    let few =
        Model::of("A a 203.0.113.1\nMARK a-a me\nA b 203.0.113.1\nMARK a-b me\nA c 203.0.113.1\nMARK a-c me");
    let plan = few.plan(&wanted("a: 203.0.113.1"), &options);
    assert_eq!(plan.refusal.unwrap().limit, Limit::Percent(50));
}

#[test]
fn dns_a_zone_that_fills_up_is_told_of() {
    let there = |count: usize| (0..count).map(|n| format!("MX m{n} x\n")).collect::<String>();
    let notes = |count| {
        Model::of(&there(count))
            .plan(&wanted("www: 203.0.113.5"), &options())
            .notes
            .len()
    };
    assert_eq!((notes(177), notes(178), notes(200), notes(201)), (0, 1, 1, 0));
}

#[test]
fn dns_marks_follow_the_configured_names() {
    let names = |affix, wildcard: Option<&str>| Options {
        registry: Registry::new(
            "me",
            &TxtNames {
                affix,
                wildcard: wildcard.map(str::to_owned),
            },
        ),
        ..options()
    };
    let apex = names(TxtAffix::Prefix("x-%{record_type}.".to_owned()), None);
    assert_eq!(
        lines("MX @ mail", "@: 203.0.113.5", &apex),
        [
            "+ TXT x-a.ex.com (ownership of A ex.com)",
            "+ A ex.com -> 203.0.113.5 (ttl auto, DNS only)",
        ]
    );
    let any = names(TxtAffix::None, Some("any"));
    assert_eq!(
        lines(
            "A any 203.0.113.9\nMARK a-any me",
            "*: 203.0.113.5\nany: 203.0.113.5",
            &any
        ),
        [
            "+ A *.ex.com -> 203.0.113.5 (ttl auto, DNS only)",
            "! A any.ex.com is there and not ours: left as it is",
        ]
    );
}

/// Names of marks as somebody may have configured them before.
fn named(affix: TxtAffix, wildcard: Option<&str>) -> Options {
    let wildcard = wildcard.map(str::to_owned);
    Options {
        registry: Registry::new("me", &TxtNames { affix, wildcard }),
        ..options()
    }
}

#[test]
fn dns_a_changed_affix_costs_no_mark() {
    let wish = "www: 203.0.113.5\nftp: 203.0.113.5\n*: 203.0.113.5";
    let suffix = || TxtAffix::Suffix("-txt".to_owned());
    let prefix = || TxtAffix::Prefix("x-".to_owned());
    let typed = || TxtAffix::Prefix("%{record_type}-x-".to_owned());
    let none = || TxtAffix::None;
    let table = [
        (named(prefix(), None), named(none(), None)),
        (named(none(), None), named(prefix(), None)),
        (named(suffix(), None), named(none(), None)),
        (named(none(), None), named(suffix(), None)),
        (named(typed(), None), named(none(), None)),
        (named(suffix(), None), named(typed(), None)),
        (named(none(), Some("any")), named(none(), None)),
        (named(none(), Some("any")), named(none(), Some("all"))),
    ];
    for (before, after) in table {
        let mut model = Model::default();
        model.apply(&model.plan(&wanted(wish), &before));
        let plan = model.plan(&wanted(wish), &after);
        assert!(plan.deletes.is_empty(), "{before:?} {after:?} {plan}");
    }
}

#[test]
fn dns_marks_without_a_record_count_in_the_guard() {
    let there: String = (0..11)
        .map(|n| format!("MARK a-h{n:02} me for=palisade/r\n"))
        .collect();
    let plan = Model::of(&there).plan(&wanted(""), &options());
    assert!(plan.deletes.is_empty(), "{plan}");
    let refusal = plan.refusal.unwrap();
    assert_eq!(
        (refusal.records, refusal.ours, refusal.limit),
        (11, 11, Limit::Count(10))
    );
}
