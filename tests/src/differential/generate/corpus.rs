//! Requests of the CRS corpus, changed. They are read from the installed rule set at run time.

use crate::corpus::wire::Message;
use crate::differential::random::Random;

use super::disguise::{disguised, encoded};
use super::{Stock, body, either, head, set_body};

/// The values of the arguments, and of a few headers.
pub(super) fn harvest(corpus: &[Message]) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = corpus.iter().flat_map(values_of).collect();
    values.retain(|value| (1..400).contains(&value.len()));
    values.sort();
    values.dedup();
    values
}

fn values_of(message: &Message) -> Vec<Vec<u8>> {
    let query = message
        .target
        .split(|byte| *byte == b'?')
        .nth(1)
        .unwrap_or_default();
    let pairs = query
        .split(|byte| *byte == b'&')
        .chain(message.body.split(|byte| *byte == b'&'));
    let mut values: Vec<Vec<u8>> = pairs
        .map(|pair| pair.splitn(2, |byte| *byte == b'=').last().unwrap_or_default())
        .map(decoded)
        .collect();
    values.extend(
        ["cookie", "user-agent", "referer"]
            .iter()
            .filter_map(|name| message.header(name))
            .map(<[u8]>::to_vec),
    );
    values
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match (byte, hex(text.get(at)), hex(text.get(at + 1))) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    out
}

/// One of them with up to three changes.
pub(super) fn changed(stock: &Stock, random: &mut Random) -> Message {
    let mut message = random.pick(&stock.corpus).clone();
    for _ in 0..random.below(4) {
        change(&mut message, stock, random);
    }
    if message.method.is_empty() {
        message.method = b"GET".to_vec();
    }
    message.target = head::clean(message.target);
    for (_, value) in &mut message.headers {
        *value = head::field(std::mem::take(value));
    }
    message
}

fn change(message: &mut Message, stock: &Stock, random: &mut Random) {
    match random.below(8) {
        0 => disguise_an_argument(&mut message.target, b'?', random),
        1 if !message.body.is_empty() => {
            let mut body = std::mem::take(&mut message.body);
            disguise_an_argument(&mut body, b'&', random);
            keep_type(message, body);
        }
        2 => {
            let (content_type, body) = body::body(stock, random);
            set_body(message, content_type, body);
        }
        3 => {
            let index = random.below(message.headers.len());
            if let Some((_, value)) = message.headers.get_mut(index) {
                *value = disguised(value, random);
            }
        }
        4 => {
            let name = random.pick(&["Cookie", "Referer", "X-Custom", "Range"]);
            head::add(message, name.as_bytes(), stock.value(random).to_vec());
        }
        5 => {
            message.target.push(if message.target.contains(&b'?') {
                b'&'
            } else {
                b'?'
            });
            message.target.extend(head::pairs(stock, random));
        }
        6 => move_query_to_body(message, random),
        _ => {
            let mut target = std::mem::take(&mut message.target);
            disguise_an_argument(&mut target, b'=', random);
            message.target = target;
        }
    }
}

/// The text behind the last `separator` of those in it, disguised.
fn disguise_an_argument(text: &mut Vec<u8>, separator: u8, random: &mut Random) {
    let places: Vec<usize> = (0..text.len()).filter(|at| text[*at] == separator).collect();
    let start = if places.is_empty() {
        0
    } else {
        random.pick(&places) + 1
    };
    let value = disguised(&decoded(&text[start..]), random);
    text.truncate(start);
    let safe = encoded(&value);
    text.extend(either(random, safe, value));
}

fn move_query_to_body(message: &mut Message, random: &mut Random) {
    let Some(at) = message.target.iter().position(|byte| *byte == b'?') else {
        return;
    };
    let query = message.target.split_off(at)[1..].to_vec();
    message.method = b"POST".to_vec();
    let content_type = (!random.once_in(8)).then(|| b"application/x-www-form-urlencoded".to_vec());
    set_body(message, content_type, query);
}

fn keep_type(message: &mut Message, body: Vec<u8>) {
    let content_type = message.header("content-type").map(<[u8]>::to_vec);
    set_body(message, content_type, body);
}
