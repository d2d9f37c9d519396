//! Weights of a client's wishes (RFC 9110 section 12.4.2), and the form of the edge's own answers that it would have.

use http::{HeaderMap, header};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A page.
    Html,
    /// For programs.
    Json,
    /// A line.
    Text,
}

/// `q=0.5` in thousandths; none where it is no weight.
pub(super) fn thousandths(parameter: &str) -> Option<u16> {
    let value = parameter
        .strip_prefix("q=")
        .or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = format!("{part:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

/// What a client would have: the form it likes most, of equals the one it names, a page before JSON before text. Who says
/// nothing, or anything goes, is a program.
pub(super) fn form(headers: &HeaderMap) -> Form {
    let mut best = (0, 0, 0, Form::Json);
    for line in headers.get_all(header::ACCEPT) {
        for range in line.to_str().unwrap_or_default().split(',') {
            for (form, named, order) in forms(range) {
                let weight = weight(range);
                if weight > 0 && (weight, named, order) > (best.0, best.1, best.2) {
                    best = (weight, named, order, form);
                }
            }
        }
    }
    best.3
}

fn weight(range: &str) -> u16 {
    let mut parameters = range.split(';').skip(1).map(str::trim);
    let weight = parameters.find(|parameter| parameter.starts_with(['q', 'Q']));
    weight.map_or(1000, |weight| thousandths(weight).unwrap_or(0))
}

/// The forms that a media range takes in, how closely it names them, and their order among equals.
fn forms(range: &str) -> Vec<(Form, u8, u8)> {
    let mime = range
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match mime.as_str() {
        "text/html" | "application/xhtml+xml" => vec![(Form::Html, 2, 3)],
        "text/plain" => vec![(Form::Text, 2, 1)],
        "application/json" => vec![(Form::Json, 2, 2)],
        json if json.ends_with("+json") => vec![(Form::Json, 2, 2)],
        "text/*" => vec![(Form::Html, 1, 3)],
        "application/*" => vec![(Form::Json, 1, 2)],
        "*/*" => vec![(Form::Json, 0, 2)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn weights() {
        for (text, expected) in [
            ("q=1", Some(1000)),
            ("q=1.000", Some(1000)),
            ("Q=0.25", Some(250)),
            ("q=0", Some(0)),
            ("q=0.", Some(0)),
            ("q=1.1", None),
            ("q=0.1234", None),
            ("q=.5", None),
            ("q=-0", None),
            ("level=1", None),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn a_client_gets_the_form_that_it_likes_most() {
        for (accept, expected) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Form::Html,
            ),
            ("text/html, application/json;q=0.9", Form::Html),
            ("application/json, text/html;q=0.9", Form::Json),
            ("application/vnd.github+json", Form::Json),
            ("text/plain", Form::Text),
            ("text/plain, */*;q=0.1", Form::Text),
            ("text/plain;q=0.5, application/json;q=0.7", Form::Json),
            ("text/*", Form::Html),
            ("*/*", Form::Json),
            ("image/avif,image/webp", Form::Json),
            ("text/html;q=0", Form::Json),
            ("", Form::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            assert_eq!(form(&headers), expected, "{accept}");
        }
        assert_eq!(form(&HeaderMap::new()), Form::Json);
    }
}
