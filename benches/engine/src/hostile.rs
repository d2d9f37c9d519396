//! What a hostile client may send within the limits: long values of what many rules look for, many arguments, deep
//! and wide bodies.

use std::fmt::Write;

use bytes::Bytes;

use crate::requests::{self, Request};

/// Pieces that are repeated to a long value. Each is the beginning of something that many rules look for, or the
/// worst for a transformation.
const PIECES: [(&str, &str); 20] = [
    ("quotes", "'"),
    ("double quotes", "\""),
    ("less-than", "<"),
    ("open parens", "("),
    ("letters", "a"),
    ("blanks", " "),
    ("backslashes", "\\"),
    ("percent 25", "%25"),
    ("percent u", "%u0027"),
    ("entities", "&#x27;"),
    ("dots and slashes", "../"),
    ("comments", "/**/"),
    ("union select", "union select 1,"),
    ("or 1=1", "' or 1=1 -- "),
    ("script tags", "<script>alert(1)</script>"),
    ("attributes", "<a onload=x href=javascript:"),
    ("nested expressions", "${jndi:${lower:l}"),
    ("commands", ";cat /etc/passwd|sh`id`&&"),
    ("php", "<?php eval(base64_decode("),
    ("assignments", "a[b]=c&&d==e||f;"),
];

/// A name for the table, and the request.
pub type Case = (String, Request);

/// Long values: of an argument, a cookie, a JSON string, an XML text.
#[must_use]
pub fn long_values(length: usize) -> Vec<Case> {
    let kibibytes = length / 1024;
    let mut cases = Vec::new();
    for (name, piece) in PIECES {
        let value: String = piece.chars().cycle().take(length).collect();
        let body = format!("comment={}", value.replace('&', "%26").replace('+', "%2B"));
        cases.push((format!("{kibibytes} KiB {name}"), form(body)));
    }
    let noise: Vec<u8> = (0..length as u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    cases.push((
        format!("{kibibytes} KiB noise"),
        form([b"comment=", &noise[..]].concat()),
    ));
    let quotes = "' or 1=1 -- <script>"
        .chars()
        .cycle()
        .take(length)
        .collect::<String>();
    cases.push((
        format!("{kibibytes} KiB JSON string"),
        json(format!("{{\"comment\":\"{quotes}\"}}")),
    ));
    let text = quotes.replace('<', "&lt;");
    cases.push((format!("{kibibytes} KiB XML text"), xml(format!("<a>{text}</a>"))));
    cases
}

/// A header as long as servers take one.
#[must_use]
pub fn long_cookie(length: usize) -> Case {
    let mut request = requests::get();
    let value = "' or 1=1 -- <script>"
        .chars()
        .cycle()
        .take(length)
        .collect::<String>();
    for (name, header) in &mut request.headers {
        if *name == "cookie" {
            *header = format!("session={value}");
        }
    }
    (format!("{} KiB cookie", length / 1024), request)
}

/// Many and deep.
#[must_use]
pub fn structures() -> Vec<Case> {
    vec![
        ("10,000 arguments".to_owned(), form(arguments(10_000, "x"))),
        ("1,000 arguments".to_owned(), form(arguments(1_000, "x"))),
        (
            "1,000 arguments of attacks".to_owned(),
            form(arguments(1_000, "'+or+1%3D1+--+%3Cscript%3E")),
        ),
        (
            "1,000 arguments of 128 attacks".to_owned(),
            form(arguments(1_000, &"'+or+1%3D1".repeat(12))),
        ),
        ("1,000 cookies".to_owned(), cookies(1_000)),
        ("JSON 100 deep".to_owned(), json(nested("{\"a\":", "1", "}", 100))),
        (
            "JSON arrays 500 deep".to_owned(),
            json(nested("[", "1", "]", 500)),
        ),
        (
            "JSON 500 deep, 900 values".to_owned(),
            json(nested("{\"a\":", &format!("[{}1]", "1,".repeat(899)), "}", 500)),
        ),
        (
            "JSON of 10,000 numbers".to_owned(),
            json(format!("[{}]", vec!["1"; 10_000].join(","))),
        ),
        ("XML 100 deep".to_owned(), xml(nested("<a>", "x", "</a>", 100))),
        (
            "XML of 9,000 texts".to_owned(),
            xml(format!("<a>{}</a>", "<b c=\"'\">or</b>".repeat(4_500))),
        ),
        ("1,000 multipart fields".to_owned(), multipart(1_000, "")),
        (
            "1,000 multipart files".to_owned(),
            multipart(1_000, "; filename=\"a.php\""),
        ),
    ]
}

fn arguments(count: usize, value: &str) -> String {
    let mut body = String::new();
    for index in 0..count {
        let _ = write!(body, "name{index}={value}&");
    }
    body.pop();
    body
}

fn cookies(count: usize) -> Request {
    let mut request = requests::get();
    for (name, header) in &mut request.headers {
        if *name == "cookie" {
            *header = arguments(count, "x").replace('&', "; ");
        }
    }
    request
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + inner + &close.repeat(depth)
}

fn multipart(parts: usize, disposition: &str) -> Request {
    let mut body = String::new();
    for part in 0..parts {
        let _ = write!(
            body,
            "--b\r\ncontent-disposition: form-data; name=\"n{part}\"{disposition}\r\n\r\n' or 1=1\r\n"
        );
    }
    body.push_str("--b--\r\n");
    post("multipart/form-data; boundary=b", body)
}

fn form(body: impl Into<Bytes>) -> Request {
    post("application/x-www-form-urlencoded", body)
}

fn json(body: impl Into<Bytes>) -> Request {
    post("application/json", body)
}

fn xml(body: impl Into<Bytes>) -> Request {
    post("application/xml", body)
}

fn post(content_type: &str, body: impl Into<Bytes>) -> Request {
    let mut request = requests::form_post();
    request.body = body.into();
    for (name, value) in &mut request.headers {
        match *name {
            "content-type" => content_type.clone_into(value),
            "content-length" => *value = request.body.len().to_string(),
            _ => {}
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_long_as_said() {
        for (name, request) in long_values(16 * 1024) {
            assert!(request.body.len() >= 16 * 1024, "{name}");
            let length = request.headers.iter().find(|(name, _)| *name == "content-length");
            assert_eq!(
                length.map(|(_, value)| value.clone()),
                Some(request.body.len().to_string())
            );
        }
    }
}
