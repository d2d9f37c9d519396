//! XML, and what is nearly XML.

use crate::differential::random::Random;

use super::Stock;
use super::disguise::disguised;

const TYPES: &[&str] = &[
    "text/xml",
    "application/xml",
    "application/soap+xml; charset=utf-8",
    "text/xml; charset=utf-16",
    "application/xml;x=y",
];

const PROLOGS: &[&str] = &[
    "",
    "",
    "<?xml version=\"1.0\"?>",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
    "<?xml version='1.1' standalone='yes'?>",
    "<?xml version=\"1.0\" encoding=\"utf-7\"?>",
    "<?xml version=\"1.0\" encoding=\"x-unknown\"?>",
    "\u{feff}",
    " \n",
    "<!-- first -->",
    "<?style a=\"b\"?>",
    "<!DOCTYPE a>",
    "<!DOCTYPE a [<!ENTITY e \"' OR 1=1--\">]>",
    "<!DOCTYPE a SYSTEM \"http://h.test/x.dtd\">",
    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
    "<!DOCTYPE a [<!ATTLIST a b CDATA \"<script>\">]>",
];

pub(super) fn xml(stock: &Stock, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let mut out = random.pick(PROLOGS).as_bytes().to_vec();
    let depth = *random.pick(&[1, 1, 2, 2, 3, 4, 40]);
    element(stock, random, depth, &mut out);
    match random.below(30) {
        0 => out.extend_from_slice(b"<!-- last -->\n"),
        1 => out.extend_from_slice(b"text"),
        2 => out.extend_from_slice(b"<b/>"),
        3 => out.truncate(out.len().saturating_sub(3)),
        _ => {}
    }
    (random.pick(TYPES).as_bytes().to_vec(), out)
}

fn element(stock: &Stock, random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    let name = random
        .pick(&["a", "order", "soap:Envelope", "x-y", "A", "_1", "é"])
        .as_bytes()
        .to_vec();
    out.push(b'<');
    out.extend_from_slice(&name);
    for _ in 0..*random.pick(&[0, 0, 1, 2]) {
        attribute(stock, random, out);
    }
    if random.once_in(10) {
        return out.extend_from_slice(b"/>");
    }
    out.push(b'>');
    // Deep documents are narrow.
    for _ in 0..if depth > 4 { 1 } else { 1 + random.below(2) } {
        content(stock, random, depth - 1, out);
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(if random.once_in(60) { b"other" } else { &name });
    out.push(b'>');
}

fn attribute(stock: &Stock, random: &mut Random, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(
        random
            .pick(&["id", "x", "xmlns", "xmlns:soap", "soap:b", "href", "xml:lang"])
            .as_bytes(),
    );
    let (open, value) = (*random.pick(b"\"\"\"'"), disguised(stock.value(random), random));
    out.extend_from_slice(random.pick(&["=", "=", "=", " = "]).as_bytes());
    out.push(open);
    escaped(&value, random, out);
    out.push(open);
}

fn content(stock: &Stock, random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    if depth > 0 && !random.once_in(4) {
        return element(stock, random, depth, out);
    }
    let value = disguised(stock.value(random), random);
    match random.below(8) {
        0 => out.extend([&b"<![CDATA["[..], &value, b"]]>"].concat()),
        1 => out.extend([&b"<!-- "[..], &value, b" -->"].concat()),
        2 => out.extend([&b"<?pi "[..], &value, b"?>"].concat()),
        3 => out.extend_from_slice(
            random
                .pick(&[
                    "&e;",
                    "&x;",
                    "&nbsp;",
                    "&#x3c;script&#62;",
                    "&amp;lt;",
                    "&",
                    "&#0;",
                    "&lt;b&gt;",
                ])
                .as_bytes(),
        ),
        _ => escaped(&value, random, out),
    }
}

fn escaped(value: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    if random.once_in(12) {
        return out.extend_from_slice(value);
    }
    for byte in value {
        match byte {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            0..=8 | 11..=12 | 14..=31 => out.push(b' '),
            _ => out.push(*byte),
        }
    }
}
