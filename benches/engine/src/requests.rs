//! Ordinary requests of an ordinary shop, written for these benchmarks. Most of what an edge sees is
//! harmless, and what is harmless goes through all rules to the end.

use bytes::Bytes;

/// A request as the engine sees it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`.
    pub method: &'static str,
    /// Path and query, as sent.
    pub uri: &'static str,
    /// In order.
    pub headers: Vec<(&'static str, String)>,
    /// Empty if there is none.
    pub body: Bytes,
}

const BOUNDARY: &str = "----geckoformboundary5c1f9d2e7a30";

/// The bytes of the uploaded file.
const FILE_BYTES: usize = 1 << 20;

/// A page, by a browser: 10 headers, 3 arguments, 2 cookies.
pub fn get() -> Request {
    Request {
        method: "GET",
        uri: "/catalog/lamps?page=2&sort=price&colour=warmwhite",
        headers: owned(&[
            ("host", "shop.example"),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            (
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            ),
            ("accept-language", "en-GB,en;q=0.5"),
            ("accept-encoding", "gzip, deflate, br"),
            ("referer", "https://shop.example/catalog"),
            ("cookie", "session=8f14e45fceea167a5a36dedd4bea2543; theme=dark"),
            ("upgrade-insecure-requests", "1"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
        ]),
        body: Bytes::new(),
    }
}

/// What a client replaces by another number in each request.
pub const NUMBER: &str = "0000000000000000";

/// A page that nobody has asked for before, by a browser: [`NUMBER`] stands in its path and in an argument.
pub fn get_distinct() -> Request {
    Request {
        uri: "/catalog/lamps/0000000000000000?page=2&sort=price&colour=0000000000000000",
        ..get()
    }
}

/// A file of 1 MiB, by a browser.
pub fn download() -> Request {
    Request {
        uri: "/downloads/lamps.pdf",
        ..get()
    }
}

/// A review in a form of 8 fields, about 2 kB.
pub fn form_post() -> Request {
    let fields = [
        ("product", "LAMP-0042"),
        ("rating", "4"),
        ("name", "Martha Lindqvist"),
        ("email", "martha.lindqvist@mail.example"),
        ("city", "Rotterdam"),
        ("title", "A lamp that stays where you put it"),
        ("review", include_str!("../material/comment.txt").trim_end()),
        ("token", "4b0f6d1c93a84e27f05b8d2ac6e17394"),
    ];
    let encoded = fields.map(|(name, value)| format!("{name}={}", form_encoded(value)));
    let body = encoded.join("&");
    post("/reviews", "application/x-www-form-urlencoded", body.into())
}

/// An order as an application sends it, about 2 kB.
pub fn json_post() -> Request {
    let body = include_str!("../material/order.json");
    post(
        "/api/orders",
        "application/json",
        Bytes::from_static(body.as_bytes()),
    )
}

/// A photo with two fields, 1 MiB.
pub fn multipart_post() -> Request {
    let mut body = Vec::with_capacity(FILE_BYTES + 1024);
    for (name, value) in [
        ("album", "living room"),
        ("caption", "The lamp by the window, in the evening"),
    ] {
        let part =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"lamp.jpg\"\r\n\
         content-type: image/jpeg\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend(noise().take(FILE_BYTES));
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    post("/photos", &content_type, body.into())
}

fn post(uri: &'static str, content_type: &str, body: Bytes) -> Request {
    let mut headers = get().headers;
    headers.push(("origin", "https://shop.example".to_owned()));
    headers.push(("content-type", content_type.to_owned()));
    headers.push(("content-length", body.len().to_string()));
    Request {
        method: "POST",
        uri,
        headers,
        body,
    }
}

fn owned(headers: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

/// As browsers encode a field.
fn form_encoded(value: &str) -> String {
    let encode = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}

/// What a compressed image looks like to a parser: every byte, CR and LF among them, in no order (xorshift).
fn noise() -> impl Iterator<Item = u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_what_their_names_say() {
        let get = get();
        assert_eq!(get.headers.len(), 10);
        assert_eq!(get.uri.matches('=').count(), 3);
        let two_kilobytes = 1_950..=2_150;
        for (request, sizes) in [
            (form_post(), two_kilobytes.clone()),
            (json_post(), two_kilobytes),
            (multipart_post(), FILE_BYTES..=FILE_BYTES + 1024),
        ] {
            assert!(
                sizes.contains(&request.body.len()),
                "{} {}",
                request.uri,
                request.body.len()
            );
        }
    }

    #[test]
    fn fields_are_encoded_as_browsers_do() {
        assert_eq!(form_encoded("a b&c=d;é*"), "a+b%26c%3Dd%3B%C3%A9*");
    }
}
