//! Rules of our own that leave nothing out: every operator with what it can need, every transformation, every
//! way to choose values, and what steers rules by rules.

use std::fmt::Write;

use super::agreement::recalling;
use palisade_waf::transformations::Transformation;
use palisade_waf::{MemorySource, RuleSet};

/// Operators with arguments, as in a rule.
#[rustfmt::skip]
pub const OPERATORS: &[&str] = &[
    "@rx select", "@rx (?i)SeLect", "@rx (?i)\\bunion\\b.{0,20}?\\bselect\\b", "@rx (?:insert|update).{2,8}(?:into|set)",
    "@rx sel(?:ect|f)", "@rx (https?)://([a-z.]+)", "@rx a[xyz]b", "@rx <|script", "@rx ^.*<[a-z]", "@rx 0x[0-9a-f]{4}",
    "@rx (?:ab){2,3}", "@rx (?:<x)+>", "@rx (?:a[0-9]+<|b[0-9]+>)", "@rx ^$", "@rx (?:select)?", "@rx ^(.*)$", "@rx \\w+",
    "@rx c['\\\\]*a['\\\\]*t", "@rx (?:n(?:\\$[a-z]*)?['^]*o['^]*h['^]*u['^]*p|c['^]*u['^]*r['^]*l)", "@rx [^a-z0-9=]{4}",
    "@rx (?i)[k-s]+ql", "@rx \\x3c\\x53", "@rx \\bon[a-z]{3,9}\\s*=", "@rx [\\x80-\\xff]{2}", "@rx (?:\\.\\./){2}",
    "@rx (?s:a.b)|c\\d{3}", "@rx ^(?:get|post|head)$", "@rx (?:^|[^0-9])13[0-9]{2}\\b", "@rx [;|&]\\s*(?:ls|id|cat)\\b",
    "@rx ((((a)b)c)d)?e=", "@rx \\$\\{.*\\}", "@rx %{REQUEST_METHOD}|%{TX.none}x", "@rx é", "@rx \\R|\\h{2}", "@rx [[:space:]]or[[:space:]]",
    "@rx (?i)(?:^|[;|&<]|\\btime\\b)\\s*(?:id|ls)\\b.*a", "@rx (?:[;|'\\n&]\\s*|in\\s)(?:['a-z]*=)?(o)['r]{2}(?:$|[\\s;])",
    "@rxGlobal ([a-z])=([0-9])", "@rxGlobal select|union",
    "@pm select union <script ..", "@pm Q", "@pm |3c|script or%20", "@pmFromFile words.data", "@pmf words.data",
    "@contains select", "@contains <", "@contains %{TX.last}", "@contains Or 1", "@containsWord union", "@strmatch ../",
    "@beginsWith sel", "@beginsWith /", "@beginsWith %{REQUEST_METHOD}", "@endsWith .php", "@endsWith =", "@endsWith T",
    "@streq select", "@streq GET", "@streq ", "@streq 1", "@within GET POST select,union", "@within %{ARGS.a} x",
    "@validateByteRange 32-126", "@validateByteRange 1-255", "@validateByteRange 9,10,13,32-126,128-255",
    "@validateUrlEncoding", "@validateUtf8Encoding", "@detectSQLi", "@detectXSS", "@noMatch", "@unconditionalMatch",
    "@eq 1", "@ge 10", "@gt 0", "@le 5", "@lt 3", "@ipMatch 192.0.2.0/24,203.0.113.9,2001:db8::/32",
    "@ipMatchFromFile addresses.data", "@restpath /a/{name}/b", "@verifyCC \\d{13,16}", "@verifyCPF \\d{11}",
    "@verifySSN \\d{3}-?\\d{2}-?\\d{4}", "@verifySVNR \\d{10}", "@validateNid cl \\d{7,8}-[0-9kK]",
];

/// What rules look at.
#[rustfmt::skip]
const TARGETS: &[&str] = &[
    "ARGS", "ARGS|ARGS_NAMES|REQUEST_COOKIES|!REQUEST_COOKIES:/^_g/|XML:/*", "ARGS|!ARGS:skip", "ARGS:/^a/", "ARGS:a|ARGS_NAMES:b",
    "ARGS_GET|!ARGS_GET:/^[a-c]$/|ARGS_POST", "REQUEST_HEADERS|!REQUEST_HEADERS:/^x-no/", "REQUEST_HEADERS:User-Agent|ARGS",
    "REQUEST_URI|REQUEST_BASENAME|REQUEST_FILENAME", "REQUEST_URI_RAW|QUERY_STRING", "REQUEST_BODY|ARGS_POST_NAMES",
    "REQUEST_COOKIES|REQUEST_COOKIES_NAMES", "FILES|FILES_NAMES|FILES_TMP_CONTENT|MULTIPART_PART_HEADERS",
    "XML:/*|XML://@*", "REQUEST_METHOD|REQUEST_PROTOCOL|REQUEST_LINE", "&ARGS|ARGS", "&REQUEST_HEADERS:/^x/",
    "TX:0|TX:last|ARGS", "MATCHED_VARS|MATCHED_VAR_NAME", "REMOTE_ADDR|ARGS:ip", "REQUEST_HEADERS_NAMES",
    "RESPONSE_BODY", "RESPONSE_HEADERS|!RESPONSE_HEADERS:/^Set/", "RESPONSE_STATUS|RESPONSE_CONTENT_TYPE|ARGS",
    "FULL_REQUEST|REQUEST_HEADERS:Referer", "ARGS_COMBINED_SIZE|REQUEST_BODY_LENGTH|FILES_SIZES",
];

/// Transformations one after another; every single one is used besides.
#[rustfmt::skip]
const CHAINS: &[&str] = &[
    "", "t:lowercase", "t:urlDecodeUni", "t:urlDecodeUni,t:lowercase", "t:utf8toUnicode,t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:cssDecode,t:removeNulls",
    "t:urlDecodeUni,t:htmlEntityDecode,t:lowercase", "t:urlDecodeUni,t:replaceComments,t:compressWhitespace",
    "t:base64Decode", "t:base64DecodeExt,t:lowercase", "t:hexDecode,t:urlDecode", "t:lowercase,t:uppercase,t:lowercase",
    "t:cmdLine", "t:escapeSeqDecode,t:cmdLine", "t:normalizePath", "t:urlDecodeUni,t:normalizePathWin,t:lowercase",
    "t:removeWhitespace", "t:trim,t:lowercase,t:trimLeft", "t:sqlHexDecode,t:removeCommentsChar", "t:length", "t:sha1,t:hexEncode",
    "t:lowercase,t:md5,t:hexEncode", "t:jsDecode,t:jsDecode", "t:lowercase,t:lowercase", "t:removeComments,t:replaceNulls",
];

/// What steers rules by rules, in the place where it stands.
const STEERING: &str = r#"
SecRule ARGS:quiet "@rx ." "id:11,phase:1,pass,nolog,ctl:ruleRemoveTargetById=1000-1150;ARGS:a"
SecRule ARGS:quiet "@streq tag" "id:12,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=tags/odd;ARGS:/^b/"
SecRule ARGS:quiet "@streq ids" "id:13,phase:1,pass,nolog,ctl:ruleRemoveById=1200-1240,ctl:ruleRemoveByTag=tags/three"
SecRule REQUEST_HEADERS:X-Skip "@contains a" "id:14,phase:2,pass,nolog,skipAfter:MIDDLE"
SecRule REQUEST_HEADERS:X-Skip "@contains b" "id:15,phase:2,pass,nolog,skip:20"
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application|text)/json" "id:16,phase:1,pass,nolog,t:lowercase,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@rx xml" "id:17,phase:1,pass,nolog,t:lowercase,ctl:requestBodyProcessor=XML"
SecRule ARGS "@rx ([a-z]+)[^a-z]+([a-z]+)" "id:18,phase:2,pass,log,capture,t:lowercase,setvar:'tx.last=%{TX.1}',logdata:'%{TX.2}',chain"
    SecRule TX:1 "@within select union or" "capture,chain,t:none"
    SecRule MATCHED_VARS|ARGS|!ARGS:b "@contains e" "setvar:'tx.counted=+1'"
SecRule REQUEST_URI "@rx /([a-z]+)/" "id:19,phase:1,pass,log,capture,chain"
    SecRule ARGS_NAMES|REQUEST_COOKIES "@contains %{TX.1}" "setvar:'tx.score=+%{TX.counted}'"
SecRule &ARGS "@gt 3" "id:20,phase:2,pass,log,chain"
    SecRule ARGS "!@rx ^[a-z0-9]*$" "multiMatch,t:urlDecode,t:lowercase"
"#;

const END: &str = r#"
SecRuleUpdateTargetById 1000-1080 "!ARGS:/^_/"
SecRuleUpdateTargetByTag tags/odd "!REQUEST_COOKIES:session"
SecRule ARGS:stop "@contains select" "id:9001,phase:2,deny,status:406,log,msg:'stopped by %{MATCHED_VAR}'"
SecRule TX:score "@gt 400" "id:9002,phase:2,deny,log,msg:'score %{TX.score}'"
SecRule RESPONSE_BODY "@rx (?i)sql syntax|warning: \w+" "id:9003,phase:4,deny,status:500,log,capture,logdata:'%{TX.0}'"
SecRule TX:/^s/ "@ge 1" "id:9004,phase:5,pass,log,msg:'%{MATCHED_VAR_NAME}'"
"#;

/// The rules.
///
/// # Panics
///
/// If they are wrong.
pub fn own_rules() -> RuleSet {
    let mut source = MemorySource::new();
    source.insert(
        "words.data",
        "# words\nselect\n<script\nunion all\nQ\n../\nor 1=1\n\\x3c\n",
    );
    source.insert("addresses.data", "198.51.100.0/24\n203.0.113.9\n");
    RuleSet::builder()
        .limits(recalling())
        .text("own.conf", text())
        .build(&source)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn text() -> String {
    let mut text = String::from(
        "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
         SecResponseBodyMimeType text/plain text/html\n",
    );
    text.push_str(STEERING);
    let mut number = 0;
    for operator in OPERATORS {
        for _ in 0..3 {
            rule(&mut text, number, operator, CHAINS[number % CHAINS.len()]);
            number += 1;
        }
        if number == 120 {
            text.push_str("SecMarker MIDDLE\n");
        }
    }
    for transformation in Transformation::ALL {
        for operator in ["@rx (?:e|<|[0-9])(.)", "@pm select <script q"] {
            rule(
                &mut text,
                number,
                operator,
                &format!("t:{}", transformation.name()),
            );
            number += 1;
        }
    }
    text.push_str(END);
    text
}

/// One of each kind in turn: the numbers share no factor, so that everything meets everything.
fn rule(text: &mut String, number: usize, operator: &str, transformations: &str) {
    let target = TARGETS[(number * 7 + number / TARGETS.len()) % TARGETS.len()];
    let phase = if target.contains("RESPONSE_") {
        4
    } else {
        2 - usize::from(number.is_multiple_of(13))
    };
    let not = if number % 11 == 10 { "!" } else { "" };
    let mut flags = String::new();
    for (every, flag) in [
        (2, ",capture"),
        (5, ",multiMatch"),
        (3, ",tag:'tags/three'"),
        (2, ",tag:'tags/odd'"),
    ] {
        if number % every == 1 {
            flags.push_str(flag);
        }
    }
    // The score counts every match, a record costs a fuzzer much time.
    let log = if number.is_multiple_of(3) { "log" } else { "nolog" };
    let comma = if transformations.is_empty() { "" } else { "," };
    let _ = writeln!(
        text,
        "SecRule {target} \"{not}{operator}\" \"id:{},phase:{phase},pass,{log}{flags},t:none{comma}{transformations},\
         msg:'%{{MATCHED_VAR_NAME}}',logdata:'%{{TX.0}} %{{TX.1}} %{{MATCHED_VAR}}',setvar:'tx.score=+1',\
         setvar:'tx.last=%{{TX.0}}'\"",
        1000 + number
    );
}
