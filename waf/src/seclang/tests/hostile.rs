//! Text that nobody means: whatever stands in a file, the answer is a rule set or a list of mistakes.

use super::*;

/// Rules of every notation, to be cut, spliced and bitten.
const SEED: &str = r#"# seed
SecRuleEngine On
SecDefaultAction "phase:2,deny,status:403,log,auditlog,t:lowercase"
SecRule ARGS|!ARGS:/^a\/b|c/|&TX:x|XML:/*|REQUEST_HEADERS:'/x y/' "!@rx ^(?i)a\"b[^\"]+$" \
    "id:1,phase:2,block,capture,t:none,t:urlDecodeUni,multiMatch,\
    # between
    msg:'It\'s %{MATCHED_VAR} \\',logdata:'%{TX.0}',severity:'CRITICAL',tag:'a/b',chain"
    SecRule MATCHED_VARS "@eq 0" "setvar:'tx.a_%{rule.id}=+%{tx.b}',ctl:ruleRemoveTargetById=1-5;ARGS:'/a,b/'"
SecAction "id:2,phase:1,nolog,pass,initcol:ip=%{REMOTE_ADDR},expirevar:ip.x=60,skipAfter:END"
SecMarker "END"
SecDataset d `
one two
`
SecRuleUpdateTargetById 1 2-3 "!ARGS:/^_ga(?:_\w+)?$/,REQUEST_URI"
SecRuleUpdateActionById 1:1 "t:none,deny"
SecRuleRemoveByTag "/^a/"
Include "x/*.conf"
SecResponseBodyMimeType text/plain text/html
"#;

/// Bytes that mean something to the parser.
const SIGNIFICANT: &[u8] = b"\"'\\,:|!&/%{}=;.`#@ \t\r\n\x00\xff\xe9()[]*-+";

/// A generator without an outside: the same mutations on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

fn try_to_load(bytes: Vec<u8>) {
    let mut source = MemorySource::new();
    source.insert("a.conf", bytes);
    match RuleSet::builder().include("a.conf").build(&source) {
        Ok(set) => assert!(set.rules().all(|rule| !rule.links.is_empty() && rule.id > 0)),
        Err(errors) => {
            assert!(!errors.errors().is_empty());
            let shown = errors.to_string();
            let more = usize::from(errors.left_out() > 0);
            assert_eq!(shown.lines().count(), errors.errors().len() + more, "{shown}");
        }
    }
}

#[test]
fn every_beginning_of_a_text_is_answered() {
    for end in 0..=SEED.len() {
        try_to_load(SEED.as_bytes()[..end].to_vec());
    }
}

#[test]
fn every_text_with_a_significant_byte_in_a_strange_place_is_answered() {
    for place in 0..SEED.len() {
        // Not every byte everywhere: each byte in every seventh place, and no place without some.
        for byte in SIGNIFICANT.iter().skip(place % 7).step_by(7) {
            let mut bytes = SEED.as_bytes().to_vec();
            bytes[place] = *byte;
            try_to_load(bytes);
        }
    }
}

#[test]
fn spliced_and_repeated_text_is_answered() {
    let mut dice = Dice(1);
    for _ in 0..1_000 {
        let mut bytes = SEED.as_bytes().to_vec();
        for _ in 0..=dice.roll(8) {
            let (from, to) = (dice.roll(bytes.len()), dice.roll(bytes.len()));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            match dice.roll(3) {
                0 => drop(bytes.drain(from.min(to)..from.max(to))),
                1 if bytes.len() < 20_000 => {
                    bytes.splice(from..from, piece);
                }
                _ => bytes.insert(from, SIGNIFICANT[dice.roll(SIGNIFICANT.len())]),
            }
            if bytes.is_empty() {
                break;
            }
        }
        try_to_load(bytes);
    }
}

#[test]
fn long_text_of_one_kind_is_answered() {
    for piece in [
        "\"", "'", "\\", ",", "|", "ARGS|", "!", "&", "%{", "`", "id:1,", "t:none,", "(", "a:/", "\\\n",
    ] {
        let long = piece.repeat(20_000);
        for text in [
            long.clone(),
            format!("SecRule {long} \"@rx a\" \"id:1\""),
            format!("SecRule ARGS \"@contains {long}\" \"id:1\""),
            format!("SecAction \"id:1,{long}\""),
            format!("SecAction \"id:1,msg:'{long}'\""),
            format!("SecAction \"id:1,setvar:'tx.{long}=1'\""),
            format!("SecDataset x `\n{long}\n`"),
        ] {
            try_to_load(text.into_bytes());
        }
    }
}
