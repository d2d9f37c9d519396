//! A request as bytes: nothing is normalised on its way out.

use std::sync::atomic::{AtomicU64, Ordering};

/// The name of the header that marks a request, so that a test can ask an upstream whether it arrived.
pub const PROBE: &str = "x-probe";

/// A mark that no other request of this process has.
pub fn probe() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("probe{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A request under construction. Starts as what a browser sends.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The mark in its `x-probe`.
    pub probe: String,
    /// The method.
    pub method: String,
    /// The target as it goes on the wire.
    pub target: Vec<u8>,
    /// In order, without Host and Content-Length.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; `None` sends no Content-Length.
    pub body: Option<Vec<u8>>,
    version: &'static str,
    measured: bool,
}

impl Ask {
    /// Any method.
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        let probe = probe();
        let headers = [
            (
                "User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            (
                "Accept",
                "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
            ),
            ("Accept-Language", "en-GB,en;q=0.7,de;q=0.3"),
            ("Accept-Encoding", "gzip, deflate, br"),
            (PROBE, probe.as_str()),
        ];
        let headers = headers
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .to_vec();
        Ask {
            probe,
            method: method.to_owned(),
            target: target.as_ref().to_vec(),
            headers,
            body: None,
            version: "HTTP/1.1",
            measured: true,
        }
    }

    /// GET.
    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// POST with a body.
    pub fn post(target: &str, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", target)
            .header("Content-Type", content_type)
            .body(body)
    }

    /// POST of an HTML form.
    pub fn form(target: &str, body: impl AsRef<[u8]>) -> Self {
        Self::post(target, "application/x-www-form-urlencoded", body)
    }

    /// POST of JSON.
    pub fn json(target: &str, body: impl AsRef<[u8]>) -> Self {
        Self::post(target, "application/json", body)
    }

    /// POST of XML.
    pub fn xml(target: &str, body: impl AsRef<[u8]>) -> Self {
        Self::post(target, "application/xml", body)
    }

    /// POST of `multipart/form-data`; each part: headers after `Content-Disposition: form-data; `, content.
    pub fn multipart(target: &str, parts: &[(&str, &str)]) -> Self {
        const BOUNDARY: &str = "----WebKitFormBoundaryq8Zy3vN0aTq1cE5k";
        let mut body = String::new();
        for (head, content) in parts {
            body += &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
        }
        body += &format!("--{BOUNDARY}--\r\n");
        Self::post(target, &format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    /// Replaces a header, or adds it.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.also(name, value)
    }

    /// Adds a header even if there is one of that name.
    pub fn also(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sends no header of that name.
    pub fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    /// Sets the body without a Content-Length: its framing is the caller's.
    pub fn unmeasured(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self.measured = false;
        self
    }

    /// Says what it would like to have: JSON, so that the answer names the incident for [`super::Answer`].
    pub fn accept_json(self) -> Self {
        self.header("Accept", "application/json")
    }

    /// The version in the request line.
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Everything up to the empty line. The connection closes after the answer.
    pub fn head(&self, host: &str) -> Vec<u8> {
        let mut head = self.method.clone().into_bytes();
        head.push(b' ');
        head.extend_from_slice(&self.target);
        head.extend_from_slice(format!(" {}\r\n", self.version).as_bytes());
        let own_host = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        if !own_host {
            head.extend_from_slice(format!("Host: {host}\r\n").as_bytes());
        }
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        if let Some(body) = self.body.as_ref().filter(|_| self.measured) {
            head.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        head.extend_from_slice(b"Connection: close\r\n\r\n");
        head
    }

    /// The whole request with a Content-Length.
    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = self.head(host);
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}
