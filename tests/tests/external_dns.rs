//! Our records beside what external-dns wrote for the same wishes, as `tests/external-dns.json` keeps it: without Go
//! and without external-dns. `make external-dns` asks it again.

use std::collections::BTreeSet;

use palisade_tests::external_dns::{FIXTURE, Findings, cases, hold, kept};

#[test]
fn dns_external_every_case_is_kept_and_every_difference_has_a_reason() {
    let cases = cases();
    let names: BTreeSet<String> = cases.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(names.len(), cases.len(), "a name is there twice");
    assert!(
        kept().unwrap().into_keys().eq(names),
        "{FIXTURE} is of other cases: make external-dns UPDATE=--update"
    );
    let differences = cases.iter().flat_map(|case| &case.differences);
    assert!(
        differences
            .into_iter()
            .all(|difference| !difference.because.is_empty())
    );
}

#[tokio::test]
async fn dns_external_records_are_the_same_and_can_be_taken_over_and_given_back() {
    let kept = kept().unwrap();
    let mut findings = Findings::default();
    for case in &cases() {
        findings.add(hold(case, &kept[case.name]).await);
    }
    let told: Vec<String> = findings.unexplained.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{findings}\n{}", told.join("\n"));
}
