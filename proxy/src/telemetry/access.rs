//! The access log: one line per request, JSON for machines, text for people.

use serde::Serialize;

use crate::config::{Log, LogFormat};

use super::diagnostics::human_readable;

/// One request, as it is logged. Durations are milliseconds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Entry {
    /// When the head was complete, RFC 3339 with milliseconds, UTC.
    pub time: String,
    /// The request's id, as sent to the upstream in X-Request-Id.
    pub request_id: String,
    /// The client's address.
    pub client: String,
    /// Who the client is, by the route's authentication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `h1` or `h2`.
    pub protocol: &'static str,
    /// TLS version, or none on a plain listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The request method.
    pub method: String,
    /// The host asked for, in lower case.
    pub host: String,
    /// Path without its query: queries carry secrets.
    pub path: String,
    /// The route that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The backend that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// The status sent; 0 if the client left before one.
    pub status: u16,
    /// From the head to the end of the answer.
    pub duration_ms: f64,
    /// Spent in the WAF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waf_ms: Option<f64>,
    /// From the head to the upstream's first byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ms: Option<f64>,
    /// Bytes of the request's body.
    pub bytes_received: usize,
    /// Bytes of the answer's body.
    pub bytes_sent: usize,
    /// Which policy of the route refused the request, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
    /// `passed`, `detected`, `blocked`, `failed` or `off`.
    pub waf: &'static str,
    /// The anomaly score, where the WAF ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// Whether a body was inspected only up to the limit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partly_inspected: bool,
    /// For `palisade incident`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Why the request failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

impl Style {
    /// The style that the configuration asks for.
    pub fn of(log: &Log) -> Self {
        match log.format {
            LogFormat::Json => Style::Json,
            LogFormat::Text => Style::Text,
            LogFormat::Auto if matches!(log.access, crate::config::LogTarget::File(_)) => Style::Json,
            LogFormat::Auto if human_readable(log.format) => Style::Text,
            LogFormat::Auto => Style::Json,
        }
    }
}

impl Entry {
    /// The line, its newline included.
    pub fn line(&self, style: Style) -> Vec<u8> {
        let mut line = match style {
            Style::Json => serde_json::to_vec(self).unwrap_or_default(),
            Style::Text => self.text().into_bytes(),
        };
        line.push(b'\n');
        line
    }

    fn text(&self) -> String {
        let time = self.time.get(11..23).unwrap_or(&self.time);
        let mut text = format!(
            "{time} {} {} {} {}{} {:.1}ms",
            self.status,
            self.client,
            self.method,
            self.host,
            printable(&self.path),
            self.duration_ms
        );
        if let Some(upstream) = &self.upstream {
            text.push_str(&format!(" -> {upstream}"));
        }
        if !matches!(self.waf, "passed" | "off") {
            text.push_str(&format!(
                " waf {} score {}",
                self.waf,
                self.score.unwrap_or_default()
            ));
        }
        if let Some(user) = &self.user {
            text.push_str(&format!(" user {}", printable(user)));
        }
        if let Some(refused) = self.refused {
            text.push_str(&format!(" refused {refused}"));
        }
        if let Some(incident) = &self.incident {
            text.push_str(&format!(" incident {incident}"));
        }
        if let Some(error) = &self.error {
            text.push_str(&format!(" ({})", printable(error)));
        }
        text
    }
}

/// Control characters never reach a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_no_control_characters() {
        let entry = Entry {
            path: "/\u{1b}[2J".to_owned(),
            ..Entry::default()
        };
        assert!(
            !String::from_utf8(entry.line(Style::Text))
                .unwrap()
                .contains('\u{1b}')
        );
    }

    #[test]
    fn a_json_line_is_one_object() {
        let entry = Entry {
            path: "/a\nb".to_owned(),
            status: 200,
            waf: "passed",
            ..Entry::default()
        };
        let line = String::from_utf8(entry.line(Style::Json)).unwrap();
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains(r#""status":200"#) && line.contains(r#""path":"/a\nb""#));
    }
}
