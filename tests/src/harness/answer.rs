//! What came back.

use serde_json::Value;

/// A whole response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body, as it was.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("status {}, not JSON ({error}): {}", self.status, self.text()),
        }
    }

    /// Fails the test unless the status is `status`; shows the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text());
        self
    }

    /// What the echo upstream received in a header: all values, in order.
    #[track_caller]
    pub fn echoed(&self, header: &str) -> Vec<String> {
        let json = self.json();
        let Some(headers) = json["headers"].as_array() else {
            panic!("not an echo: {json}")
        };
        headers
            .iter()
            .filter(|pair| pair[0] == header)
            .map(|pair| pair[1].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The id that a blocked client is shown.
    #[track_caller]
    pub fn incident(&self) -> String {
        let found = self.json()["incident"].as_str().map(str::to_owned);
        match found {
            Some(id) if !id.is_empty() => id,
            _ => panic!("no incident id in {}", self.text()),
        }
    }
}
