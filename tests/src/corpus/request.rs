//! What go-ftw sends for a stage's input: the bytes on the wire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::suite::Input;
use super::template::{self, TemplateError};

/// Why a stage's input makes no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A template in the data.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// `encoded_request` is not Base64.
    #[error("encoded_request: {0}")]
    Encoding(#[from] base64::DecodeError),
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The request, byte for byte.
pub fn bytes(input: &Input) -> Result<Vec<u8>, RequestError> {
    match &input.encoded_request {
        Some(encoded) => Ok(STANDARD.decode(encoded.split_whitespace().collect::<String>())?),
        None => built(input),
    }
}

fn built(input: &Input) -> Result<Vec<u8>, RequestError> {
    let method = input.method.as_deref().unwrap_or("GET");
    let target = input.uri.as_deref().unwrap_or("/");
    let version = input.version.as_deref().unwrap_or("HTTP/1.1");
    let mut body = template::expand(input.data.as_deref().unwrap_or(""))?.into_bytes();
    let mut headers = Headers(
        input
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    );

    let complete = input.autocomplete_headers.unwrap_or(true);
    if complete && !body.is_empty() {
        headers.add_missing("Content-Type", FORM);
        if headers.has("Content-Type", |value| value.eq_ignore_ascii_case(FORM)) {
            body = form_encoded(body);
        }
    }
    if headers.has("Content-Type", |value| {
        value.to_lowercase().contains("multipart/form-data;")
    }) {
        body = with_crlf(&body);
    }
    if complete {
        headers.add_missing("Connection", "close");
        if !body.is_empty() || usually_has_body(method) {
            headers.add_missing("Content-Length", &body.len().to_string());
        }
    }

    let mut wire = format!("{method} {target} {version}\r\n").into_bytes();
    for (name, value) in &headers.0 {
        wire.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(&body);
    Ok(wire)
}

struct Headers(Vec<(String, String)>);

impl Headers {
    fn has(&self, name: &str, wanted: impl Fn(&str) -> bool) -> bool {
        self.0
            .iter()
            .any(|(known, value)| known.eq_ignore_ascii_case(name) && wanted(value))
    }

    fn add_missing(&mut self, name: &str, value: &str) {
        if !self.has(name, |_| true) {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// go-ftw asks the pattern `^POST|PUT|PATCH|DELETE$`, whose anchors bind to the outer words only.
fn usually_has_body(method: &str) -> bool {
    method.starts_with("POST")
        || method.contains("PUT")
        || method.contains("PATCH")
        || method.ends_with("DELETE")
}

/// Each `\n` becomes `\r\n`, also one that already follows a `\r`: go-ftw does it so.
fn with_crlf(body: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(body.len() + 64);
    for byte in body {
        if *byte == b'\n' {
            result.push(b'\r');
        }
        result.push(*byte);
    }
    result
}

/// Encodes keys and values of a form unless something in it looks encoded already.
fn form_encoded(body: Vec<u8>) -> Vec<u8> {
    if looks_encoded(&body) {
        return body;
    }
    let text = body.strip_suffix(b"&").unwrap_or(&body);
    let pairs: Vec<String> = text
        .split(|byte| *byte == b'&')
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => format!(
                "{}={}",
                query_escaped(&pair[..at]),
                query_escaped(&pair[at + 1..])
            ),
            None => query_escaped(pair),
        })
        .collect();
    pairs.join("&").into_bytes()
}

/// Whether decoding would change the text, or fail on a `%` without two hex digits.
fn looks_encoded(body: &[u8]) -> bool {
    body.iter().any(|byte| matches!(byte, b'+' | b'%'))
}

/// Go's `url.QueryEscape`.
fn query_escaped(text: &[u8]) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                result.push(char::from(*byte))
            }
            b' ' => result.push('+'),
            _ => result.push_str(&format!("%{byte:02X}")),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(input: &Input) -> String {
        String::from_utf8(bytes(input).unwrap()).unwrap()
    }

    fn form(data: &str) -> Input {
        Input {
            method: Some("POST".into()),
            data: Some(data.into()),
            ..Input::default()
        }
    }

    #[test]
    fn an_empty_input_is_a_plain_get() {
        assert_eq!(
            sent(&Input::default()),
            "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_form_is_encoded_and_completed() {
        let wire = sent(&form("a=<b c>&d&=e"));
        assert!(wire.starts_with("POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
        assert!(
            wire.ends_with("Connection: close\r\nContent-Length: 16\r\n\r\na=%3Cb+c%3E&d&=e"),
            "{wire}"
        );
    }

    #[test]
    fn what_looks_encoded_stays() {
        for data in ["a=%41 b", "a=b+c d", "a=100% sure"] {
            assert!(sent(&form(data)).ends_with(&format!("\r\n\r\n{data}")), "{data}");
        }
    }

    #[test]
    fn only_the_last_ampersand_is_dropped() {
        assert_eq!(form_encoded(b"a=b&&c&".to_vec()), b"a=b&&c");
        assert_eq!(form_encoded(b"a=b&&".to_vec()), b"a=b&");
    }

    #[test]
    fn other_content_types_stay_raw() {
        let mut input = form("{\"a\": 1}");
        input
            .headers
            .insert("Content-Type".into(), "application/json".into());
        assert!(sent(&input).ends_with("\r\n\r\n{\"a\": 1}"));
    }

    #[test]
    fn multipart_lines_end_in_crlf_also_without_completion() {
        let mut input = form("--b\nx\n");
        input.autocomplete_headers = Some(false);
        input
            .headers
            .insert("Content-Type".into(), "multipart/form-data; boundary=b".into());
        assert_eq!(
            sent(&input),
            "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nx\r\n"
        );
    }

    #[test]
    fn a_given_length_stays_and_methods_with_a_body_get_one() {
        let mut input = form("abc");
        input.headers.insert("content-length".into(), "3".into());
        assert!(!sent(&input).contains("Content-Length"));
        let put = Input {
            method: Some("PUT".into()),
            ..Input::default()
        };
        assert!(sent(&put).contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn an_encoded_request_is_sent_as_it_is() {
        let input = Input {
            encoded_request: Some("R0VUIC8gSFRUUC8xLjANCg0K".into()),
            uri: Some("/other".into()),
            ..Input::default()
        };
        assert_eq!(sent(&input), "GET / HTTP/1.0\r\n\r\n");
    }
}
