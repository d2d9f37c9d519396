//! Where a body ends.

use super::super::Outcome::Status;
use super::super::{Case, HOST};
use super::{DROPPED, HIDDEN, because, case, cleaned, get, post};

pub(super) fn cases() -> Vec<Case> {
    [lengths(), codings(), chunks()].concat()
}

fn lengths() -> Vec<Case> {
    const GROUP: &str = "Content-Length";
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let both = format!(
        "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
        hidden.len()
    );
    let reversed = format!(
        "Transfer-Encoding: chunked\r\nContent-Length: {}\r\n",
        hidden.len()
    );
    let one = |value: &str| post(&format!("Content-Length:{value}\r\n"), "hello");
    vec![
        case(
            GROUP,
            "beside Transfer-Encoding",
            post(&both, &hidden),
            Status(400),
        ),
        case(
            GROUP,
            "behind Transfer-Encoding",
            post(&reversed, &hidden),
            Status(400),
        ),
        case(
            GROUP,
            "twice, the same",
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            Status(400),
        ),
        case(
            GROUP,
            "twice, 0 and 43",
            post(
                &format!("Content-Length: 0\r\nContent-Length: {}\r\n", HIDDEN.len()),
                HIDDEN,
            ),
            Status(400),
        ),
        case(GROUP, "a list of the same", one(" 5, 5"), Status(400)),
        case(GROUP, "a list of different ones", one(" 5, 6"), Status(400)),
        case(GROUP, "+5", one(" +5"), Status(400)),
        case(GROUP, "-5", one(" -5"), Status(400)),
        case(GROUP, "0x5", one(" 0x5"), Status(400)),
        case(GROUP, "5 5", one(" 5 5"), Status(400)),
        case(GROUP, "5.0", one(" 5.0"), Status(400)),
        case(GROUP, "nothing", one(""), Status(400)),
        case(GROUP, "2^63", one(" 9223372036854775808"), Status(400)),
        case(GROUP, "2^64+5", one(" 18446744073709551621"), Status(400)),
        case(
            GROUP,
            "a space before the colon",
            post("Content-Length : 5\r\n", "hello"),
            Status(400),
        ),
        because(
            DROPPED,
            cleaned(GROUP, "Content_Length", get("Content_Length: 500\r\n"), "ontent_"),
        ),
    ]
}

fn codings() -> Vec<Case> {
    const GROUP: &str = "Transfer-Encoding";
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let one = |field: &str| post(&format!("{field}\r\n"), &hidden);
    vec![
        case(
            GROUP,
            "gzip, chunked",
            one("Transfer-Encoding: gzip, chunked"),
            Status(501),
        ),
        case(
            GROUP,
            "chunked, identity",
            one("Transfer-Encoding: chunked, identity"),
            Status(501),
        ),
        case(
            GROUP,
            "chunked, chunked",
            one("Transfer-Encoding: chunked, chunked"),
            Status(501),
        ),
        case(GROUP, "xchunked", one("Transfer-Encoding: xchunked"), Status(501)),
        case(GROUP, "identity", one("Transfer-Encoding: identity"), Status(501)),
        case(
            GROUP,
            "\"chunked\"",
            one("Transfer-Encoding: \"chunked\""),
            Status(501),
        ),
        case(
            GROUP,
            "chunked;x",
            one("Transfer-Encoding: chunked;x"),
            Status(501),
        ),
        case(GROUP, "nothing", one("Transfer-Encoding:"), Status(501)),
        case(
            GROUP,
            "twice",
            one("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "a vertical tab in front",
            one("Transfer-Encoding: \x0bchunked"),
            Status(400),
        ),
        case(
            GROUP,
            "on a folded line",
            one("Transfer-Encoding:\r\n chunked"),
            Status(501),
        ),
        case(
            GROUP,
            "a space before the colon",
            one("Transfer-Encoding : chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "a tab before the colon",
            one("Transfer-Encoding\t: chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "a NUL in the name",
            one("Transfer-\0Encoding: chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "in HTTP/1.0",
            format!("POST / HTTP/1.0\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n{hidden}"),
            Status(400),
        ),
        because(
            DROPPED,
            cleaned(
                GROUP,
                "Transfer_Encoding",
                get("Transfer_Encoding: chunked\r\n"),
                "ransfer_",
            ),
        ),
    ]
}

fn chunks() -> Vec<Case> {
    const GROUP: &str = "Chunks";
    let one = |name: &str, body: &str| {
        case(
            GROUP,
            name,
            post("Transfer-Encoding: chunked\r\n", body),
            Status(400),
        )
    };
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(2000));
    let many = format!("0\r\n{}\r\n", "X-Trailer: y\r\n".repeat(2000));
    vec![
        one("a size that ends in a bare LF", &format!("0\n\r\n{HIDDEN}")),
        one(
            "an extension with a bare LF (TERM.EXT)",
            &format!("2;\nxx\r\n33\r\n0\r\n\r\n{HIDDEN}"),
        ),
        one(
            "an extension with a bare CR",
            &format!("5;a\rb\r\nhello\r\n0\r\n\r\n{HIDDEN}"),
        ),
        one("an extension of 2,000 bytes", &long),
        one("a size of 2^63", "8000000000000000\r\nhello\r\n0\r\n\r\n"),
        one(
            "a size of 20 digits",
            "fffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        ),
        one("0x5", "0x5\r\nhello\r\n0\r\n\r\n"),
        one("+5", "+5\r\nhello\r\n0\r\n\r\n"),
        one("-5", "-5\r\nhello\r\n0\r\n\r\n"),
        one("a space behind the size", "5 \r\nhello\r\n0\r\n\r\n"),
        one("a space in front of the size", " 5\r\nhello\r\n0\r\n\r\n"),
        one("no size", "\r\nhello\r\n0\r\n\r\n"),
        one("more data than the size says", "3\r\nhello\r\n0\r\n\r\n"),
        one("data that ends in a bare LF", "5\r\nhello\n0\r\n\r\n"),
        one("an end of bare LFs", &format!("5\r\nhello\r\n0\r\n\n{HIDDEN}")),
        one("a folded trailer", "5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
        one(
            "a trailer with a space before its colon",
            "5\r\nhello\r\n0\r\nA : b\r\n\r\n",
        ),
        one("2,000 trailers", &many),
        cleaned(
            GROUP,
            "a trailer that sets Content-Length",
            post(
                "Transfer-Encoding: chunked\r\n",
                "5\r\nhello\r\n0\r\nContent-Length: 987654321987\r\n\r\n",
            ),
            "987654321987",
        ),
        cleaned(
            GROUP,
            "a trailer that sets X-Forwarded-For",
            post(
                "Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n",
                "5\r\nhello\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
            ),
            "6.6.6.6",
        ),
    ]
}
