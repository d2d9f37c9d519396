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
    /// Another major version.
    Version,
    /// The target is over its limit.
    TargetTooLong,
    /// The head is over its limits.
    HeadTooLarge,
    /// The head was not complete in time.
    Timeout,
}

impl Refusal {
    /// Status and reason phrase.
    pub(super) fn status(self) -> &'static str {
        match self {
            Refusal::Syntax(_) | Refusal::Framing(_) => "400 Bad Request",
            Refusal::Timeout => "408 Request Timeout",
            Refusal::TargetTooLong => "414 URI Too Long",
            Refusal::HeadTooLarge => "431 Request Header Fields Too Large",
            Refusal::TransferCoding => "501 Not Implemented",
            Refusal::Version => "505 HTTP Version Not Supported",
        }
    }

    /// The word for it in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Refusal::Syntax(_) => "syntax",
            Refusal::Framing(_) => "framing",
            Refusal::TransferCoding => "transfer_coding",
            Refusal::Version => "version",
            Refusal::TargetTooLong => "target_length",
            Refusal::HeadTooLarge => "head_size",
            Refusal::Timeout => "head_timeout",
        }
    }

    /// More about it, for the log.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Refusal::Syntax(detail) | Refusal::Framing(detail) => detail,
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
