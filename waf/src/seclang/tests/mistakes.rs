//! Wrong text, and what is said about it.

use super::*;

/// A text and all that is said about it, in order.
const MISTAKES: &[(&str, &str)] = &[
    // Directives.
    (
        "SecRul ARGS \"@rx a\" \"id:1\"",
        "1: unknown directive `SecRul`; did you mean `SecRule`?",
    ),
    ("ProxyPass / http://x", "1: unknown directive `ProxyPass`"),
    ("<IfModule x>", "1: unknown directive `<IfModule`"),
    (
        "SecRuleEngin On",
        "1: unknown directive `SecRuleEngin`; did you mean `SecRuleEngine`?",
    ),
    // Quotes.
    (
        "\nSecRule ARGS \"@rx a \"id:1\"",
        "2: expected a space behind the closing quote, found `id:1\"`",
    ),
    ("SecMarker \"X", "1: expected a closing \" for `X`"),
    ("SecMarker 'X", "1: expected a closing ' for `X`"),
    (
        "SecAction \\\n \"id:1,\\\n pass",
        "2: expected a closing \" for `id:1,pass`",
    ),
    // Words of a rule.
    (
        "SecRule ARGS",
        "1: SecRule: expected variables, an operator and actions, each quoted if it holds spaces, \
         found 1 argument(s)",
    ),
    (
        "SecAction",
        "1: SecAction: expected one list of actions, found 0 argument(s)",
    ),
    // Variables.
    (
        "SecRule ARG \"@rx a\" \"id:1\"",
        "1: unknown variable `ARG`; did you mean `ARGS`?",
    ),
    (
        "SecRule REQUEST_HEADER:x|ARGS|Q \"@rx a\" \"id:1\"",
        "1: unknown variable `REQUEST_HEADER`; did you mean `REQUEST_HEADERS`?\n1: unknown variable `Q`",
    ),
    (
        "SecRule REQUEST_URI:x \"@rx a\" \"id:1\"",
        "1: REQUEST_URI is one value and has no members: `:x` selects nothing",
    ),
    (
        "SecRule ARGS: \"@rx a\" \"id:1\"",
        "1: ARGS: expected a name or a /pattern/ behind the colon",
    ),
    (
        "SecRule ARGS:/( \"@rx a\" \"id:1\"",
        "1: expected a closing / for `(`",
    ),
    (
        "SecRule ARGS:/(/ \"@rx a\" \"id:1\"",
        "1: `/(/`: a missing closing parenthesis at offset 1",
    ),
    (
        "SecRule !&ARGS|ARGS \"@rx a\" \"id:1\"",
        "1: `!&ARGS`: a count cannot be excluded",
    ),
    (
        "SecRule !ARGS:x \"@rx a\" \"id:1\"",
        "1: expected a variable to look at, found exclusions only",
    ),
    (
        "SecRule ARGS| \"@rx a\" \"id:1\"",
        "1: expected a variable, found ``",
    ),
    (
        "SecRule XML:/a/b \"@rx a\" \"id:1\"",
        "1: XML:/a/b: expected /* (text) or //@* (attributes); other XPaths are not supported",
    ),
    // Operators.
    (
        "SecRule ARGS \\\n\"@contain a\" \"id:1\"",
        "2: unknown operator @contain; did you mean @contains?",
    ),
    // Actions: each at its own line.
    (
        "SecRule ARGS \"@rx a\" \\\n \"id:1,\\\n phase:9,\\\n denny,\\\n t:lower\"",
        "3: phase: expected one of 1 to 5, request, response, logging, found `9`\n\
         4: unknown action `denny`; did you mean `deny`?\n\
         5: unknown transformation `lower`",
    ),
    (
        "SecAction \"id:1,t:urlDecod\"",
        "1: unknown transformation `urlDecod`; did you mean `urlDecode`?",
    ),
    ("SecAction \"id:1,,pass\"", "1: expected an action, found a comma"),
    (
        "SecAction \"id:1,pass,\"",
        "1: expected an action, found the end of the list",
    ),
    ("SecAction \"id:1,msg:'x\"", "1: expected a closing ' for `x`"),
    ("SecAction \"id:1,msg\"", "1: msg: expected a text, found nothing"),
    (
        "SecAction \"id:1,msg:'%{nope.x}'\"",
        "1: unknown variable in the macro %{nope.x}",
    ),
    (
        "SecAction \"id:1,deny:403\"",
        "1: deny: expected no value, found `403`",
    ),
    (
        "SecAction \"id:1,status:abc\"",
        "1: status: expected an HTTP status from 100 to 599, found `abc`",
    ),
    (
        "SecAction \"id:1,severity:HIGH\"",
        "1: severity: expected a number from 0 to 7 or a name from EMERGENCY to DEBUG, found `HIGH`",
    ),
    (
        "SecAction \"id:1,allow:all\"",
        "1: allow: expected nothing, `phase` or `request`, found `all`",
    ),
    (
        "SecAction \"id:1,skip:0\"",
        "1: skip: expected a number of rules above 0, found `0`",
    ),
    (
        "SecAction \"id:1,maturity:10\"",
        "1: maturity: expected a number from 1 to 9, found `10`",
    ),
    (
        "SecAction \"id:1,setvar:x=1\"",
        "1: setvar: expected tx.name=value (or ip, global, session, user, resource), found `x=1`",
    ),
    (
        "SecAction \"id:1,setvar:args.x=1\"",
        "1: setvar: expected tx.name=value (or ip, global, session, user, resource), found `args.x=1`",
    ),
    (
        "SecAction \"id:1,setvar:!tx.x=1\"",
        "1: setvar: expected !tx.name without a value, found `!tx.x=1`",
    ),
    (
        "SecAction \"id:1,initcol:tx=1\"",
        "1: initcol: expected ip=key (or global, session, user, resource), found `tx=1`",
    ),
    (
        "SecAction \"id:1,expirevar:ip.x=soon\"",
        "1: expirevar: expected ip.name=seconds (or global, session, user, resource, tx), found `ip.x=soon`",
    ),
    (
        "SecAction \"id:1,setenv:x\"",
        "1: setenv: expected name=value, found `x`",
    ),
    (
        "SecAction \"id:1,exec:/bin/x\"",
        "1: the action exec is not supported: rules start no programs",
    ),
    (
        "SecAction \"id:1,sanitiseArg:password\"",
        "1: the action sanitiseArg is not supported: secrets are masked by the audit log's own list, not by rules",
    ),
    // ctl.
    (
        "SecAction \"id:1,ctl:x\"",
        "1: ctl: expected option=value, found `x`",
    ),
    (
        "SecAction \"id:1,ctl:ruleRemoveByIds=1\"",
        "1: unknown ctl option `ruleRemoveByIds`; did you mean `ruleRemoveById`?",
    ),
    (
        "SecAction \"id:1,ctl:ruleEngine=Maybe\"",
        "1: ctl: expected ruleEngine=On, Off or DetectionOnly, found `Maybe`",
    ),
    (
        "SecAction \"id:1,ctl:ruleRemoveById=x\"",
        "1: ctl: expected rule ids or ranges, found `x`",
    ),
    (
        "SecAction \"id:1,ctl:ruleRemoveTargetById=5\"",
        "1: ctl: expected rules;VARIABLE or rules;VARIABLE:name, found `5`",
    ),
    (
        "SecAction \"id:1,ctl:ruleRemoveTargetById=5;!ARGS:x\"",
        "1: ctl: expected a variable without `!` or `&`, found `ARGS`",
    ),
    (
        "SecAction \"id:1,ctl:ruleRemoveTargetById=5;ARG:x\"",
        "1: unknown variable `ARG`; did you mean `ARGS`?",
    ),
    (
        "SecAction \"id:1,ctl:requestBodyProcessor=YAML\"",
        "1: ctl: expected URLENCODED, MULTIPART, JSON, XML or RAW, found `YAML`",
    ),
    (
        "SecAction \"id:1,ctl:parseXmlIntoArgs=On\"",
        "1: the action parseXmlIntoArgs is not supported: the engine has no such feature to turn on",
    ),
    // Ids.
    ("SecAction \"pass\"", "1: the rule has no id"),
    ("SecRule ARGS \"@rx a\"", "1: the rule has no id"),
    (
        "SecAction \"id:x,pass\"",
        "1: id: expected one number above 0, found `x`",
    ),
    (
        "SecAction \"id:0,pass\"",
        "1: id: expected one number above 0, found `0`",
    ),
    (
        "SecAction \"id:1,id:2,pass\"",
        "1: id: expected one number above 0, found `2`",
    ),
    (
        "SecAction \"id:1\"\n\nSecAction \"id:1\"",
        "3: the id 1 is taken by the rule at main.conf:1",
    ),
    // Phases.
    (
        "SecAction \"id:1,phase:5,deny\"",
        "1: deny in phase 5: nothing can be stopped any more",
    ),
    (
        "SecAction \"id:1,phase:1,phase:2\"",
        "1: phase: expected one of 1 to 5, request, response, logging, found `2`",
    ),
];

#[test]
fn every_mistake_says_where_it_is_and_what_was_expected() {
    for (text, expected) in MISTAKES {
        let expected: Vec<String> = expected.lines().map(|line| format!("main.conf:{line}")).collect();
        assert_eq!(mistakes(text), expected.join("\n"), "{text}");
    }
}

#[test]
fn all_mistakes_of_all_files_come_at_once() {
    let mut source = MemorySource::new();
    source.insert("a.conf", "SecMarkr X\nSecAction \"id:1,pass\"");
    source.insert(
        "b.conf",
        "SecAction \"id:1,deny\"\nSecRule ARGS \"@rx (\" \"id:2,pass\"",
    );
    let errors = RuleSet::builder()
        .include("*.conf")
        .text("edge", "SecRuleEngine 1")
        .build(&source)
        .unwrap_err();
    let places: Vec<String> = errors
        .errors()
        .iter()
        .map(|error| error.location.to_string())
        .collect();
    assert_eq!(places, ["a.conf:1", "b.conf:1", "b.conf:2", "edge:1"]);
}

#[test]
fn mistakes_are_shown_one_per_line_and_not_without_end() {
    let errors = RuleSet::builder()
        .text("x", "Nonsense\n".repeat(1000))
        .build(&MemorySource::new())
        .unwrap_err();
    assert_eq!((errors.errors().len(), errors.left_out()), (100, 900));
    assert_eq!(errors.to_string().lines().count(), 101);
    assert!(errors.to_string().ends_with("and 900 more"));
    let pattern = mistakes("SecRule ARGS \"@rx a(\" \"id:1,pass\"");
    assert_eq!(pattern.lines().count(), 1, "{pattern}");
}

#[test]
fn bytes_that_are_no_text_are_a_mistake_of_their_line() {
    let mut source = MemorySource::new();
    source.insert(
        "a.conf",
        b"# caf\xe9\nSecMarker X\nSecRule ARGS \"@rx \xe9\" \\\n\"id:1\"\nSecMarker Y".to_vec(),
    );
    let errors = RuleSet::builder().include("a.conf").build(&source).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "a.conf:3: the line is not UTF-8; write other bytes as \\xHH"
    );
}

#[test]
fn control_characters_of_a_file_do_not_reach_a_terminal() {
    assert_eq!(
        mistakes("\u{1b}[31mX"),
        "main.conf:1: unknown directive `\\u{1b}[31mX`"
    );
}
