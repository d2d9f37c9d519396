//! No input may panic: random bytes in every place, the same ones each time.

use std::fmt::Write;

use super::*;
use crate::hostile_bytes::HostileBytes;
use crate::variables::Variable;

/// A rule for each variable, with macros of each, so that every value is looked at in every way.
fn curious_rules() -> RuleSet {
    let mut text = String::from(
        r#"SecAuditEngine On
           SecAction "id:90001,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},initcol:global=%{REQUEST_HEADERS.x},setsid:%{ARGS.a}"
           SecRule REQUEST_HEADERS:Content-Type "@contains json" "id:90002,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
           SecRule REQUEST_HEADERS:Content-Type "@contains xml" "id:90003,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
           SecAction "id:90004,phase:3,pass,nolog,ctl:forceResponseBodyVariable=On,ctl:responseBodyProcessor=JSON"
        "#,
    );
    for (number, variable) in Variable::ALL.iter().enumerate() {
        let name = variable.name();
        for phase in [1, 2, 4, 5] {
            let _ = writeln!(
                text,
                "SecRule {name} \"@rx (.)(.)?\" \"id:{phase}{number:03},phase:{phase},pass,log,capture,multiMatch,\
                 t:none,t:urlDecodeUni,t:htmlEntityDecode,msg:'%{{{name}}}',logdata:'%{{TX.0}} %{{MATCHED_VAR_NAME}}',\
                 setvar:'tx.%{{MATCHED_VAR_NAME}}=+%{{MATCHED_VAR}}',setvar:'ip.%{{MATCHED_VAR}}=%{{TX.2}}',setenv:'e=%{{MATCHED_VAR}}'\""
            );
        }
    }
    text.push_str("SecRule TX:/./ \"@rx .\" \"id:90009,phase:5,pass,log,msg:'%{MATCHED_VARS}',chain\"\n");
    text.push_str("SecRule MATCHED_VARS|MATCHED_VARS_NAMES \"!@streq x\" \"t:none\"\n");
    rules_within(
        Limits {
            arguments: 20,
            tx_entries: 200,
            matched_rules: 50,
            ..Limits::default()
        },
        &text,
    )
}

fn content_type(bytes: &mut HostileBytes) -> Vec<u8> {
    let known: [&[u8]; 5] = [
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=b",
        b"application/json",
        b"text/xml",
        b"multipart/form-data",
    ];
    let mut value = known[bytes.below(known.len())].to_vec();
    if bytes.below(4) == 0 {
        value.extend(bytes.next_value());
    }
    value
}

/// Well-formed pieces with hostile bytes between them.
fn body(bytes: &mut HostileBytes) -> Vec<u8> {
    let pieces: [&[u8]; 10] = [
        b"--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\n",
        b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n",
        b"\r\n--b--\r\n",
        b"{\"a\":[1,",
        b"\"x\":{",
        b"]}",
        b"<a b=\"c\">",
        b"</a>",
        b"&a=",
        b"<?xml version=\"1.0\"?><!DOCTYPE a [",
    ];
    let mut body = Vec::new();
    for _ in 0..bytes.below(6) {
        body.extend_from_slice(pieces[bytes.below(pieces.len())]);
        body.extend(bytes.next_value());
    }
    body
}

fn completeness(bytes: &mut HostileBytes) -> Completeness {
    if bytes.below(2) == 0 {
        Completeness::Complete
    } else {
        Completeness::Partial
    }
}

#[test]
fn hostile_bytes_in_every_place_panic_nowhere() {
    let rules = curious_rules();
    let mut bytes = HostileBytes::new(20_240_229);
    for round in 0..300 {
        let id = String::from_utf8_lossy(&bytes.next_value()).into_owned();
        let origin = RequestOrigin {
            id,
            unix_micros: round * 12_345_678_901_234,
            utc_offset_seconds: i32::MIN,
        };
        let mut transaction = rules.transaction(origin);
        transaction.request_line(&bytes.next_value(), &bytes.next_value(), &bytes.next_value());
        for name in [&b"Cookie"[..], b"Host", b"Authorization", b"X"] {
            transaction.add_request_header(name, &bytes.next_value());
        }
        transaction.add_request_header(&bytes.next_value(), &bytes.next_value());
        transaction.add_request_header(b"Content-Type", &content_type(&mut bytes));
        let _ = transaction.request_headers();
        let _ = transaction.request_body(body(&mut bytes).into(), completeness(&mut bytes));
        transaction.response_line(bytes.below(65_536) as u16, &bytes.next_value());
        transaction.add_response_header(&bytes.next_value(), &bytes.next_value());
        transaction.add_response_header(b"Content-Type", &bytes.next_value());
        let _ = transaction.response_headers();
        let _ = transaction.response_body(body(&mut bytes).into(), completeness(&mut bytes));
        transaction.logging();
        assert!(transaction.wants_audit());
        serde_json::to_string(&transaction.audit_record()).unwrap();
    }
}

#[test]
fn phases_in_any_order_and_nothing_told_panic_nowhere() {
    let rules = curious_rules();
    let mut bytes = HostileBytes::new(7);
    for _ in 0..200 {
        let mut transaction = get("/?a=1").open(&rules);
        for _ in 0..8 {
            match bytes.below(8) {
                0 => drop(transaction.request_headers()),
                1 => drop(transaction.request_body(body(&mut bytes).into(), Completeness::Complete)),
                2 => transaction.response_line(200, b""),
                3 => drop(transaction.response_headers()),
                4 => drop(transaction.response_body(body(&mut bytes).into(), Completeness::Partial)),
                5 => transaction.logging(),
                6 => transaction.add_request_header(b"Content-Type", b"application/json"),
                _ => drop(transaction.audit_record()),
            }
        }
    }
}
