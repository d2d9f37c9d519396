//! Requests out of chance: ordinary ones, attacks, and what lies between.

use super::dice::Dice;
use super::targets::Exchange;

/// What our own rules and those of the CRS look for, and what is near it.
#[rustfmt::skip]
const WORDS: &[&[u8]] = &[
    b"select", b"SELECT * FROM users", b"union all", b"' or '1'='1", b"1 or 1=1--", b"insert xx into", b"update t set a",
    b"<script>alert(1)</script>", b"<img src=x onerror=a()>", b"javascript:x", b"<x<x>", b"onload =", b"https://x.test/a",
    b"../../etc/passwd", b"/etc/shadow", b"c:\\windows", b"n'o'hup", b"c\\at /x", b"; ls -la", b"| id", b"`cat x`", b"$(id)",
    b"${jndi:ldap://x}", b"%{TX.0}", b"{{7*7}}", b"<?php eval(1)", b"0x41ff", b"axb", b"abab", b"a12<", b"cdcd", b"e=1",
    b"4111111111111111", b"52998224725", b"078-05-1120", b"12345678-5", b"192.0.2.7", b"2001:db8::1", b"/a/x/b", b"x.php",
    b"GET", b"Q", b"\0", b"\xe2\x84\xaa\xc5\xbf", b"\xc0\xbc", b"\xff\xfe", b"%3c", b"%u003c", b"&lt;", b"\\x3c", b"\\u003c",
    b"/**/", b"--", b"#", b"'", b"\"", b"=", b"<", b">", b"\r\n", b"  ", b"1", b"12", b"true", b"hello world", b"a", b"name",
    b"jane.doe@example.test", b"2024-02-29", b"the quick brown fox", b"Mozilla/5.0 (X11; Linux x86_64)", b"nikto", b"or", b"b",
    b"sel\xe2\x80\x80ect", b"\xe1\x9a\x80", b"\xe2\x80\xa8", b"un\xe3\x80\x80ion", b"\xc2\xa0", b"\xa0", b"\xc2\x85",
];

const NAMES: &[&str] = &[
    "a", "b", "c", "ab", "_b", "skip", "q", "id", "ip", "stop", "quiet", "name[0]", "x.y", "select", "e",
];

const HEADERS: &[&str] = &[
    "User-Agent",
    "Referer",
    "X-Skip",
    "X-No-Look",
    "X-Forwarded-For",
    "Accept",
    "Range",
    "X-A",
    "Accept-Language",
];

/// A source of requests; `texts` are values besides those that are known here.
pub struct Requests {
    pub dice: Dice,
    texts: Vec<Vec<u8>>,
}

impl Requests {
    pub fn new(seed: u64, texts: Vec<Vec<u8>>) -> Self {
        Self {
            dice: Dice::new(seed),
            texts,
        }
    }

    pub fn next_one(&mut self) -> Exchange {
        let mut exchange = Exchange {
            method: self.dice.one_of(&["GET", "POST", "PUT", "get", "SELECT"]).into(),
            uri: self.uri(),
            protocol: self
                .dice
                .one_of(&["HTTP/1.1", "HTTP/1.1", "HTTP/2.0", "HTTP/1.0"])
                .into(),
            headers: vec![(b"Host".to_vec(), b"app.test".to_vec())],
            status: [200, 200, 404, 500][self.dice.below(4)],
            ..Exchange::default()
        };
        for _ in 0..self.dice.below(5) {
            let name = self.dice.one_of(HEADERS).into();
            exchange.headers.push((name, self.value()));
        }
        if self.dice.once_in(2) {
            let cookie = format!("{}=", self.dice.one_of(&["session", "_ga", "__utmz", "a"]));
            exchange
                .headers
                .push((b"Cookie".to_vec(), [cookie.into_bytes(), self.value()].concat()));
        }
        if !self.dice.once_in(3) {
            self.add_body(&mut exchange);
        }
        if self.dice.once_in(3) {
            exchange
                .response_headers
                .push((b"Content-Type".to_vec(), b"text/html".to_vec()));
            exchange
                .response_headers
                .push((b"Set-Cookie".to_vec(), self.value()));
            exchange.response_body = [b"<p>SQL syntax ".to_vec(), self.value()].concat();
        }
        exchange
    }

    fn uri(&mut self) -> Vec<u8> {
        let path = self.dice.one_of(&[
            "/",
            "/a/b/c.php",
            "/a/x/b",
            "/select/union",
            "/a/../b//c",
            "/%2e%2e/x",
        ]);
        let mut uri = path.as_bytes().to_vec();
        if self.dice.once_in(6) {
            uri.extend(percent(&self.value()));
        }
        if !self.dice.once_in(3) {
            uri.push(b'?');
            uri.extend(self.form());
        }
        uri
    }

    fn form(&mut self) -> Vec<u8> {
        let mut form = Vec::new();
        for _ in 0..=self.dice.below(4) {
            let name = if self.dice.once_in(8) {
                self.value()
            } else {
                self.dice.one_of(NAMES).into()
            };
            form.extend(percent(&name));
            form.push(b'=');
            let value = self.value();
            form.extend(if self.dice.once_in(6) {
                value
            } else {
                percent(&value)
            });
            form.push(b'&');
        }
        form.pop();
        form
    }

    fn add_body(&mut self, exchange: &mut Exchange) {
        let (content_type, body) = match self.dice.below(5) {
            0 | 1 => ("application/x-www-form-urlencoded", self.form()),
            2 => ("application/json", self.json(3)),
            3 => ("text/xml", self.xml()),
            _ => ("multipart/form-data; boundary=XX", self.multipart()),
        };
        exchange.method = b"POST".to_vec();
        exchange
            .headers
            .push((b"Content-Type".to_vec(), content_type.into()));
        exchange
            .headers
            .push((b"Content-Length".to_vec(), body.len().to_string().into()));
        exchange.body = body;
        if self.dice.once_in(10) {
            self.change(&mut exchange.body);
        }
    }

    fn json(&mut self, depth: usize) -> Vec<u8> {
        let (open, close) = if self.dice.once_in(3) {
            ("[", "]")
        } else {
            ("{", "}")
        };
        let mut json = open.as_bytes().to_vec();
        for number in 0..=self.dice.below(3) {
            if number > 0 {
                json.push(b',');
            }
            if open == "{" {
                json.extend(format!("\"{}\":", self.dice.one_of(NAMES)).bytes());
            }
            if depth > 0 && self.dice.once_in(3) {
                json.extend(self.json(depth - 1));
            } else {
                let value = self.value();
                json.extend(serde_json::to_vec(&String::from_utf8_lossy(&value)).unwrap());
            }
        }
        json.extend(close.bytes());
        json
    }

    fn xml(&mut self) -> Vec<u8> {
        let escaped = |value: Vec<u8>| {
            let text = String::from_utf8_lossy(&value).replace('&', "&amp;");
            text.replace('<', "&lt;").replace('"', "&quot;")
        };
        let (attribute, text, more) = (
            escaped(self.value()),
            escaped(self.value()),
            escaped(self.value()),
        );
        format!("<a x=\"{attribute}\">{text}<b>{more}</b></a>").into_bytes()
    }

    fn multipart(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let name = self.dice.one_of(NAMES);
            let file = self
                .dice
                .one_of(&["", "", "; filename=\"x.php\"", "; filename=\"select\""]);
            let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nX-P: ");
            body.extend(head.bytes());
            body.extend(self.value().iter().filter(|byte| !b"\r\n".contains(byte)));
            body.extend(b"\r\n\r\n");
            body.extend(self.value());
            body.extend(b"\r\n");
        }
        body.extend(b"--XX--\r\n");
        body
    }

    /// A value: words and texts behind each other, bitten and disguised.
    pub fn value(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        for _ in 0..=self.dice.below(3) {
            if !self.texts.is_empty() && self.dice.once_in(2) {
                value.extend_from_slice(&self.texts[self.dice.below(self.texts.len())]);
            } else {
                value.extend_from_slice(self.dice.one_of(WORDS));
            }
            value.extend(self.dice.one_of(&["", "", " ", ";", "="]).bytes());
        }
        if self.dice.once_in(4) {
            self.change(&mut value);
        }
        if self.dice.once_in(3) {
            self.disguised(&value)
        } else {
            value
        }
    }

    /// Bites bytes: replaced, removed, put in, doubled, in the other case.
    pub fn change(&mut self, value: &mut Vec<u8>) {
        for _ in 0..=self.dice.below(3) {
            let place = self.dice.below(value.len() + 1);
            match self.dice.below(5) {
                0 => value.insert(place, self.dice.byte()),
                1 if place < value.len() => drop(value.remove(place)),
                2 if place < value.len() => value[place] = self.dice.byte(),
                3 => value.splice(place..place, b"/**/".iter().copied()).for_each(drop),
                _ => value.iter_mut().skip(place).step_by(2).for_each(|byte| {
                    if byte.is_ascii_alphabetic() {
                        *byte ^= 0x20;
                    }
                }),
            }
        }
    }

    fn disguised(&mut self, value: &[u8]) -> Vec<u8> {
        let each =
            |write: fn(u8) -> String| value.iter().flat_map(|byte| write(*byte).into_bytes()).collect();
        match self.dice.below(9) {
            0 => percent(value),
            1 => each(|byte| format!("%u00{byte:02x}")),
            2 => each(|byte| format!("&#x{byte:x};")),
            3 => each(|byte| format!("\\x{byte:02x}")),
            4 => each(|byte| format!("\\{byte:o}")),
            5 => each(|byte| format!("{byte:02x}")),
            6 => base64(value),
            7 => value.iter().flat_map(|byte| [*byte, 0]).collect(),
            _ => percent(&percent(value)),
        }
    }
}

/// Percent encoding of all that is no letter and no digit.
fn percent(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(*byte),
            b' ' => out.push(b'+'),
            byte => out.extend(format!("%{byte:02X}").bytes()),
        }
    }
    out
}

fn base64(value: &[u8]) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .encode(value)
        .into_bytes()
}
