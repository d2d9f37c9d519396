//! Files that rules are spread over.

use super::*;

fn source(files: &[(&str, &str)]) -> MemorySource {
    let mut source = MemorySource::new();
    for (path, content) in files {
        source.insert(*path, *content);
    }
    source
}

#[test]
fn names_are_relative_to_the_file_that_uses_them() {
    let source = source(&[
        (
            "etc/main.conf",
            "Include crs/setup.conf\nInclude \"crs/rules/*.conf\"\nSecAction \"id:9,pass\"",
        ),
        ("etc/crs/setup.conf", "SecAction \"id:1,pass\""),
        ("etc/crs/rules/b.conf", "SecAction \"id:3,pass\""),
        ("etc/crs/rules/a.conf", "Include ../extra.conf"),
        ("etc/crs/extra.conf", "SecAction \"id:2,pass\""),
    ]);
    let set = RuleSet::builder()
        .include("etc/main.conf")
        .build(&source)
        .unwrap();
    assert_eq!(ids(&set), [1, 2, 3, 9]);
    assert_eq!(
        set.rule(2).unwrap().head().location.to_string(),
        "etc/crs/extra.conf:1"
    );
}

#[test]
fn pieces_are_taken_in_order() {
    let source = source(&[("a.conf", "SecAction \"id:2,pass\"")]);
    let set = RuleSet::builder()
        .text("first", "SecAction \"id:1,pass\"")
        .include("*.conf")
        .text("last", "SecAction \"id:3,pass\"\nSecRuleRemoveById 1")
        .build(&source)
        .unwrap();
    assert_eq!(ids(&set), [2, 3]);
}

#[test]
fn data_files_are_looked_for_beside_the_rules() {
    let source = source(&[
        (
            "crs/a.conf",
            "SecRule ARGS \"@pmFromFile words.data\" \"id:1,pass\"",
        ),
        ("crs/words.data", "# comment\nevil\n"),
    ]);
    let set = RuleSet::builder().include("crs/a.conf").build(&source).unwrap();
    assert_eq!(ids(&set), [1]);
}

#[test]
fn a_data_set_is_a_data_file_inside_the_text() {
    let text = "SecDataset words `\nevil word\n# no\nbad\n`\n\
                SecRule ARGS \"@pmFromDataset words\" \"id:1,pass\"";
    let set = rules(text);
    let operator = &set.rule(1).unwrap().head().question.as_ref().unwrap().operator;
    let matches = |text: &[u8]| operator.matches(text, &crate::macros::NoVariables, None);
    assert!(matches(b"an Evil Word") && matches(b"bad") && !matches(b"evil") && !matches(b"no"));
    assert!(
        mistakes("SecRule ARGS \"@pmFromDataset none\" \"id:1,pass\"")
            .contains("SecDataset none: no such file")
    );
}

#[test]
fn files_that_are_not_there() {
    let source = source(&[(
        "a.conf",
        "IncludeOptional no.conf\nIncludeOptional no/*.conf\nSecMarker X",
    )]);
    assert!(RuleSet::builder().include("a.conf").build(&source).is_ok());
    let table = [
        ("Include no.conf", "main.conf:1: no.conf: no such file"),
        (
            "Include no/*.conf",
            "main.conf:1: Include: no file matches `no/*.conf` (IncludeOptional allows that)",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(load_with(text, &source).unwrap_err(), expected);
    }
    let errors = RuleSet::builder().include("no.conf").build(&source).unwrap_err();
    assert_eq!(errors.to_string(), "no.conf: no such file");
    let errors = RuleSet::builder()
        .include("no/*.conf")
        .build(&source)
        .unwrap_err();
    assert_eq!(
        errors.to_string(),
        "no/*.conf: Include: no file matches `no/*.conf` (IncludeOptional allows that)"
    );
}

#[test]
fn a_file_cannot_include_itself() {
    let source = source(&[
        ("a.conf", "Include b.conf"),
        ("b.conf", "SecMarker X\nInclude ./a.conf"),
    ]);
    let errors = RuleSet::builder().include("a.conf").build(&source).unwrap_err();
    assert_eq!(errors.to_string(), "b.conf:2: Include: `a.conf` includes itself");
}

#[test]
fn files_are_bounded_in_depth_and_number() {
    let mut deep = MemorySource::new();
    for level in 0..100 {
        deep.insert(format!("{level}.conf"), format!("Include {}.conf", level + 1));
    }
    let errors = RuleSet::builder().include("0.conf").build(&deep).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "29.conf:1: Include: nested deeper than 30 files"
    );

    let mut wide = MemorySource::new();
    for level in 0..20 {
        let next = format!("Include {}.conf\n", level + 1);
        wide.insert(format!("{level}.conf"), next.repeat(3));
    }
    wide.insert("20.conf", "SecMarker X");
    let errors = RuleSet::builder().include("0.conf").build(&wide).unwrap_err();
    assert!(
        errors.to_string().contains("Include: more than 1000 files"),
        "{errors}"
    );
}
