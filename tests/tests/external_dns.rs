//! Our records beside what external-dns wrote for the same wishes, as `tests/external-dns.json` keeps it: no Go, no
//! external-dns. `make external-dns` asks it again.

use palisade_tests::external_dns::{Findings, cases, hold, kept};

#[tokio::test]
async fn dns_external_records_are_the_same_and_can_be_taken_over_and_given_back() {
    let kept = kept().unwrap();
    let cases = cases();
    assert!(
        kept.keys().eq(cases
            .iter()
            .map(|case| case.name.to_owned())
            .collect::<std::collections::BTreeSet<_>>()
            .iter()),
        "make external-dns UPDATE=--update"
    );
    let mut findings = Findings::default();
    for case in &cases {
        findings.add(hold(case, &kept[case.name]).await);
    }
    let told: Vec<String> = findings.unexplained.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{findings}\n{}", told.join("\n"));
}
