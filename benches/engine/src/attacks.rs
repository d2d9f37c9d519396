//! The same kinds of requests with an attack at the end, where only who reads everything finds it.

use bytes::Bytes;

use crate::requests::{self, Request};

/// In the query.
pub fn get() -> Request {
    Request {
        uri: "/catalog/lamps?page=1'%20OR%20'1'='1",
        ..requests::get()
    }
}

/// In the last field.
pub fn form_post() -> Request {
    let request = requests::form_post();
    let body = [&request.body[..], b"&page=1'+OR+'1'%3D'1"].concat();
    with_body(request, body)
}

/// In the last member.
pub fn json_post() -> Request {
    let request = requests::json_post();
    let body = String::from_utf8_lossy(&request.body).trim_end().to_owned();
    let body = body.trim_end_matches('}').to_owned() + r#", "page": "1' OR '1'='1"}"#;
    with_body(request, body.into())
}

/// In the last field, after the file.
pub fn multipart_post() -> Request {
    let request = requests::multipart_post();
    let end = request.body.windows(4).rposition(|bytes| bytes == b"\r\n--");
    let end = end.unwrap_or_default();
    let boundary = &request.body[end + 4..request.body.len() - 4];
    let body = [
        &request.body[..end],
        b"\r\n--",
        boundary,
        b"\r\ncontent-disposition: form-data; name=\"page\"\r\n\r\n1' OR '1'='1",
        &request.body[end..],
    ];
    let body = body.concat();
    with_body(request, body)
}

fn with_body(mut request: Request, body: Vec<u8>) -> Request {
    for (name, value) in &mut request.headers {
        if *name == "content-length" {
            *value = body.len().to_string();
        }
    }
    request.body = Bytes::from(body);
    request
}
