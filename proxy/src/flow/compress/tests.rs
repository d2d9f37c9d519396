use std::io::Read;

use super::*;
use crate::config::testing::config;

fn route(compression: &str) -> Arc<Route> {
    let text = format!(
        "[[routes]]\nname = \"a\"\nhosts = [\"a.example\"]\necho = true\ncompression = {compression}\n"
    );
    Arc::clone(&config(&text).routes[0])
}

fn press(method: &str, accept: &str) -> Press {
    let mut asked = RequestHeader::build(method, b"/", None).unwrap();
    asked.insert_header("accept-encoding", accept).unwrap();
    Press::new(&route("true"), &asked).unwrap()
}

fn head(status: u16, lines: &[(&'static str, &str)]) -> HttpTask {
    let mut head = ResponseHeader::build(status, None).unwrap();
    for (name, value) in lines {
        head.append_header(*name, *value).unwrap();
    }
    HttpTask::Header(Box::new(head), false)
}

fn body(text: &str, end: bool) -> HttpTask {
    HttpTask::Body(Some(Bytes::copy_from_slice(text.as_bytes())), end)
}

fn headers(task: &HttpTask) -> &HeaderMap {
    match task {
        HttpTask::Header(head, _) => &head.headers,
        other => panic!("{other:?}"),
    }
}

fn bytes(tasks: &[HttpTask]) -> Vec<u8> {
    let body = |task: &HttpTask| match task {
        HttpTask::Body(Some(bytes), _) => bytes.to_vec(),
        _ => Vec::new(),
    };
    tasks.iter().flat_map(body).collect()
}

fn decoded(coding: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text),
        _ => zstd::stream::read::Decoder::new(bytes)
            .unwrap()
            .read_to_string(&mut text),
    }
    .unwrap();
    text
}

#[test]
fn a_body_in_pieces_is_one_body_and_each_piece_is_out_at_once() {
    for coding in ["gzip", "br", "zstd"] {
        let mut press = press("GET", coding);
        let lines = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-length", "8000"),
            ("etag", "\"a\""),
            ("accept-ranges", "bytes"),
        ];
        let first = press
            .pass(vec![head(200, &lines), body(&"one ".repeat(1000), false)])
            .unwrap();
        let shown = headers(&first[0]);
        assert_eq!(shown["content-encoding"], coding);
        assert_eq!(shown["etag"], "W/\"a\"");
        assert_eq!(shown["vary"], "Accept-Encoding");
        assert!(!shown.contains_key("content-length") && !shown.contains_key("accept-ranges"));
        let mut all = bytes(&first);
        assert!(!all.is_empty(), "{coding} keeps a piece");
        let second = press.pass(vec![body(&"two ".repeat(1000), false)]).unwrap();
        assert!(!bytes(&second).is_empty(), "{coding} keeps a piece");
        all.extend(bytes(&second));
        let last = press.pass(vec![HttpTask::Done]).unwrap();
        assert!(matches!(last.last(), Some(HttpTask::Done)));
        all.extend(bytes(&last));
        assert_eq!(decoded(coding, &all), "one ".repeat(1000) + &"two ".repeat(1000));
        assert!(all.len() < 400, "{coding}: {}", all.len());
    }
}

#[test]
fn what_is_not_to_be_compressed_passes_as_it_is() {
    let page = [("content-type", "text/html"), ("content-length", "5000")];
    for (status, more) in [
        (200, ("content-encoding", "br")),
        (200, ("cache-control", "private, no-transform")),
        (200, ("content-digest", "sha-256=:x:")),
        (206, ("content-range", "bytes 0-4999/10000")),
        (304, ("x", "y")),
        (204, ("x", "y")),
    ] {
        let mut press = press("GET", "gzip");
        let lines = [page[0], page[1], more];
        let out = press
            .pass(vec![head(status, &lines), body("text", true)])
            .unwrap();
        assert_eq!(headers(&out[0])["content-length"], "5000", "{more:?}");
        assert!(!headers(&out[0]).contains_key("vary"), "{more:?}");
        assert_eq!(bytes(&out), b"text", "{more:?}");
    }
    for (content_type, length) in [
        ("text/html", "1023"),
        ("text/event-stream", "5000"),
        ("application/grpc+proto", "5000"),
        ("image/png", "5000"),
        ("application/zip", "5000"),
    ] {
        let lines = [("content-type", content_type), ("content-length", length)];
        let out = press("GET", "gzip")
            .pass(vec![head(200, &lines), body("text", true)])
            .unwrap();
        assert_eq!(bytes(&out), b"text", "{content_type}");
    }
}

#[test]
fn who_takes_no_coding_gets_the_plain_body_and_caches_are_told() {
    for (method, accept) in [("GET", "identity"), ("HEAD", "gzip")] {
        let lines = [
            ("content-type", "text/css"),
            ("content-length", "5000"),
            ("vary", "Origin"),
        ];
        let out = press(method, accept).pass(vec![head(200, &lines)]).unwrap();
        let vary: Vec<_> = headers(&out[0]).get_all("vary").iter().collect();
        assert_eq!(vary, ["Origin", "Accept-Encoding"]);
        assert_eq!(headers(&out[0])["content-length"], "5000");
        assert!(!headers(&out[0]).contains_key("content-encoding"));
    }
}

#[test]
fn an_interim_answer_decides_nothing() {
    let mut press = press("GET", "gzip");
    let lines = [("content-type", "application/json")];
    let out = press
        .pass(vec![head(103, &[("link", "</a.css>")]), head(200, &lines)])
        .unwrap();
    assert!(!headers(&out[0]).contains_key("content-encoding"));
    assert_eq!(headers(&out[1])["content-encoding"], "gzip");
    assert_eq!(headers(&out[1])["transfer-encoding"], "chunked");
}
