//! What is answered to a request that is none, before anybody else reads it.

use pingora_core::protocols::http::date::get_cached_date;

/// Why a request goes no further than its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not the syntax of RFC 9112.
    Syntax(&'static str),
    /// A body whose end two readers may see at two places (RFC 9112 section 6.3).
    Framing(&'static str),
    /// A transfer coding other than chunked (RFC 9112 section 6.1).
    TransferCoding,
    /// Fields behind a body, by policy.
    Trailers,
    /// Another major version.
    Version,
    /// HTTP/0.9: its client would take the head of an answer for the page.
    NoVersion,
    /// The target is over its limit.
    TargetTooLong,
    /// The head is over its limits.
    HeadTooLarge,
    /// The head was not complete in time.
    Timeout,
}

impl Refusal {
    /// The status; 0 where there is no answer.
    pub(super) fn code(self) -> u16 {
        match self {
            Refusal::NoVersion => 0,
            _ => self
                .status()
                .get(..3)
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0),
        }
    }

    /// Whether no client that works sends such a thing. Sizes and slow networks are nobody's fault.
    pub(super) fn is_malformed(self) -> bool {
        match self {
            Refusal::Syntax(_) | Refusal::Framing(_) | Refusal::TransferCoding => true,
            Refusal::Version | Refusal::NoVersion => true,
            Refusal::TargetTooLong | Refusal::HeadTooLarge | Refusal::Timeout | Refusal::Trailers => false,
        }
    }

    /// Status and reason phrase.
    pub(super) fn status(self) -> &'static str {
        match self {
            Refusal::Syntax(_) | Refusal::Framing(_) | Refusal::Trailers => "400 Bad Request",
            Refusal::Timeout => "408 Request Timeout",
            Refusal::TargetTooLong => "414 URI Too Long",
            Refusal::HeadTooLarge => "431 Request Header Fields Too Large",
            Refusal::TransferCoding => "501 Not Implemented",
            Refusal::Version | Refusal::NoVersion => "505 HTTP Version Not Supported",
        }
    }

    /// The word for it in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Refusal::Syntax(_) => "syntax",
            Refusal::Framing(_) => "framing",
            Refusal::TransferCoding => "transfer_coding",
            Refusal::Version | Refusal::NoVersion => "version",
            Refusal::Trailers => "trailers",
            Refusal::TargetTooLong => "target_length",
            Refusal::HeadTooLarge => "head_size",
            Refusal::Timeout => "head_timeout",
        }
    }

    /// More about it, for the log.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Refusal::Syntax(detail) | Refusal::Framing(detail) => detail,
            Refusal::NoVersion => "HTTP/0.9",
            Refusal::Trailers => "trailers, which [listen].trailers refuses",
            other => other.status(),
        }
    }

    /// The whole answer.
    pub(super) fn answer(self) -> Vec<u8> {
        let status = self.status();
        let date = get_cached_date();
        let date = date.to_str().unwrap_or_default();
        format!(
            "HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{status}\n",
            status.len() + 1
        )
        .into_bytes()
    }
}
