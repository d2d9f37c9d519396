//! Multipart bodies, from a browser's to those that are written to be misread.

use crate::differential::random::Random;

use super::Stock;
use super::disguise::disguised;

/// Which oddities this body has: a few at most, so that each is seen alone too.
struct Oddities {
    line: &'static str,
    one: usize,
}

const PLAIN: usize = 0;

pub(super) fn multipart(stock: &Stock, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let boundary = random
        .pick(&[
            "----WebKitFormBoundary7MA4YWxk",
            "abc",
            "=_a1",
            "a'b",
            "0000",
            "x--",
            "A:B",
        ])
        .to_string();
    let odd = Oddities {
        line: if random.once_in(25) { "\n" } else { "\r\n" },
        one: if random.once_in(2) {
            PLAIN
        } else {
            1 + random.below(24)
        },
    };
    let mut out = Vec::new();
    if odd.one == 1 {
        out.extend_from_slice(random.pick(&["preamble\r\n", "\r\n", " ", "x"]).as_bytes());
    }
    for _ in 0..1 + random.below(4) {
        part(stock, random, &boundary, &odd, &mut out);
    }
    end(random, &boundary, &odd, &mut out);
    (content_type(random, &boundary), out)
}

fn content_type(random: &mut Random, boundary: &str) -> Vec<u8> {
    match random.below(24) {
        0 => format!("multipart/form-data; boundary=\"{boundary}\""),
        1 => format!("multipart/form-data;boundary={boundary}; charset=utf-8"),
        2 => format!("multipart/form-data; charset=utf-8; boundary={boundary}"),
        3 => format!("Multipart/Form-Data; BOUNDARY={boundary}"),
        4 => format!("multipart/form-data; boundary ={boundary}"),
        5 => format!("multipart/form-data; boundary= {boundary}"),
        6 => format!("multipart/form-data; boundary=x; boundary={boundary}"),
        7 => "multipart/form-data".to_owned(),
        8 => "multipart/form-data; boundary=".to_owned(),
        9 => format!("multipart/form-data boundary={boundary}"),
        10 => format!("multipart/form-data; boundary={boundary},"),
        11 => format!("multipart/form-data; boundary={boundary}x"),
        12 => format!("multipart/form-data; boundary=\"{boundary}"),
        13 => format!("multipart/form-data; boundary*=utf-8''{boundary}"),
        _ => format!("multipart/form-data; boundary={boundary}"),
    }
    .into_bytes()
}

fn part(stock: &Stock, random: &mut Random, boundary: &str, odd: &Oddities, out: &mut Vec<u8>) {
    let line = odd.line;
    let start = match odd.one {
        2 => format!("--{boundary} {line}"),
        3 => format!("--{boundary}\t \r\n"),
        4 => format!("-- {boundary}{line}"),
        5 if random.once_in(2) => format!("--{boundary}-{line}"),
        _ => format!("--{boundary}{line}"),
    };
    out.extend_from_slice(start.as_bytes());
    headers(stock, random, odd, out);
    if odd.one != 6 {
        out.extend_from_slice(line.as_bytes());
    }
    if odd.one == 7 {
        nested(stock, random, out);
    } else {
        out.extend(disguised(stock.value(random), random));
    }
    if odd.one != 8 {
        out.extend_from_slice(line.as_bytes());
    }
}

fn headers(stock: &Stock, random: &mut Random, odd: &Oddities, out: &mut Vec<u8>) {
    let line = odd.line;
    if odd.one == 9 {
        out.extend_from_slice(
            random
                .pick(&["No colon here\r\n", ": no name\r\n", "X\0Y: z\r\n", "A : b\r\n"])
                .as_bytes(),
        );
    }
    if odd.one == 10 && random.once_in(2) {
        return;
    }
    disposition(stock, random, odd, out);
    out.extend_from_slice(line.as_bytes());
    if odd.one == 11 {
        out.extend_from_slice(b"Content-Disposition: form-data; name=\"again\"\r\n");
    }
    let more: &[&str] = &[
        "Content-Type: text/plain",
        "Content-Type: text/plain; charset=utf-7",
        "Content-Type: image/png",
        "Content-Transfer-Encoding: base64",
        "content-type:text/html",
        "X-Odd: \u{e9}<script>",
        "Content-Length: 3",
        "Content-Type: application/json",
        "Content-Type: multipart/mixed; boundary=inner",
    ];
    for header in more.iter().filter(|_| random.once_in(12)).collect::<Vec<_>>() {
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(line.as_bytes());
    }
}

fn disposition(stock: &Stock, random: &mut Random, odd: &Oddities, out: &mut Vec<u8>) {
    let start: &[u8] = match odd.one {
        12 => b"Content-Disposition: form-data;\r\n name=",
        13 => b"Content-Disposition: form-data name=",
        14 => b"content-disposition:form-data;name=",
        15 => b"Content-Disposition: attachment; name=",
        16 => b"Content-Disposition: form-data; Name =",
        17 => b"Content-Disposition: ; name=",
        18 => b"Content-Disposition: form-data; x=\"y\"; name=",
        _ => b"Content-Disposition: form-data; name=",
    };
    out.extend_from_slice(start);
    let name = if random.once_in(10) {
        disguised(stock.value(random), random)
    } else {
        stock.name(random).to_vec()
    };
    parameter(&name, random, odd, out);
    if random.once_in(3) {
        filename(stock, random, odd, out);
    }
}

fn filename(stock: &Stock, random: &mut Random, odd: &Oddities, out: &mut Vec<u8>) {
    let names = [
        "a.txt",
        "me at the sea.png",
        "x.php",
        "",
        "a;b.php",
        "../../x",
        "é.pdf",
        "C:\\a\\b.txt",
        "a.php\0.png",
        "shell.jsp",
    ];
    let name = if random.once_in(4) {
        disguised(stock.value(random), random)
    } else {
        random.pick(&names).as_bytes().to_vec()
    };
    match odd.one {
        19 => {
            out.extend_from_slice(b"; filename*=UTF-8''");
            out.extend(super::disguise::encoded(&name));
        }
        20 => {
            out.extend_from_slice(b"; filename=\"a.txt\"; filename=");
            parameter(&name, random, odd, out);
        }
        21 => {
            out.extend_from_slice(b" filename=");
            parameter(&name, random, odd, out);
        }
        _ => {
            out.extend_from_slice(b"; filename=");
            parameter(&name, random, odd, out);
        }
    }
}

fn parameter(value: &[u8], random: &mut Random, odd: &Oddities, out: &mut Vec<u8>) {
    let style = if odd.one == 22 { 1 + random.below(4) } else { 0 };
    match style {
        1 => out.extend([&b"'"[..], value, b"'"].concat()),
        2 => out.extend_from_slice(value),
        3 => out.extend([&b"\""[..], value].concat()),
        4 => out.extend([&b"\""[..], value, b"\"x"].concat()),
        _ => {
            out.push(b'"');
            for byte in value {
                match byte {
                    b'"' if random.once_in(2) => out.extend_from_slice(b"%22"),
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                    b'\r' | b'\n' => out.push(b' '),
                    _ => out.push(*byte),
                }
            }
            out.push(b'"');
        }
    }
}

/// A multipart body within a part.
fn nested(stock: &Stock, random: &mut Random, out: &mut Vec<u8>) {
    out.extend_from_slice(b"--inner\r\nContent-Disposition: form-data; name=\"in\"\r\n\r\n");
    out.extend(disguised(stock.value(random), random));
    out.extend_from_slice(b"\r\n--inner--");
}

fn end(random: &mut Random, boundary: &str, odd: &Oddities, out: &mut Vec<u8>) {
    let line = odd.line;
    match odd.one {
        23 => {}
        24 => {
            out.extend_from_slice(format!("--{boundary}--{line}epilogue{line}--{boundary}{line}").as_bytes())
        }
        _ if random.once_in(30) => out.extend_from_slice(format!("--{boundary}--").as_bytes()),
        _ if random.once_in(60) => out.extend_from_slice(format!("--{boundary}{line}").as_bytes()),
        _ => out.extend_from_slice(format!("--{boundary}--{line}").as_bytes()),
    }
}
