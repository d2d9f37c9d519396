//! The frames that the oracles speak; `tests/lab/coraza/wire.go` describes them.

use std::io::{self, Read};

use crate::corpus::origin::Response;
use crate::corpus::wire::Message;

use super::observation::{Observation, Stop};

const ABSENT: u32 = u32::MAX;

/// A request as a frame.
pub(super) fn frame(message: &Message, response: &Response) -> Vec<u8> {
    let mut out = vec![0; 4];
    text(&mut out, &message.method);
    text(&mut out, &message.target);
    text(&mut out, &message.protocol);
    pairs(
        &mut out,
        message
            .headers
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice())),
    );
    text(&mut out, &message.body);
    number(&mut out, usize::from(response.status));
    pairs(
        &mut out,
        response
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes())),
    );
    text(&mut out, &response.body);
    let length = u32::try_from(out.len() - 4).unwrap_or(ABSENT);
    out[..4].copy_from_slice(&length.to_be_bytes());
    out
}

fn number(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&u32::try_from(value).unwrap_or(ABSENT).to_be_bytes());
}

fn text(out: &mut Vec<u8>, value: &[u8]) {
    number(out, value.len());
    out.extend_from_slice(value);
}

fn pairs<'a>(out: &mut Vec<u8>, pairs: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])>) {
    number(out, pairs.len());
    for (name, value) in pairs {
        text(out, name);
        text(out, value);
    }
}

/// Reads one answer; the views have the names that the engine was asked for.
pub(super) fn observation(from: &mut impl Read, views: &[String]) -> io::Result<Observation> {
    let length = read_number(from)?;
    let mut frame = vec![0; length as usize];
    from.read_exact(&mut frame)?;
    let mut rest = frame.as_slice();
    let mut seen = Observation::default();
    for _ in 0..read_number(&mut rest)? {
        seen.logged.insert(u64::from(read_number(&mut rest)?));
    }
    let count = read_number(&mut rest)? as usize;
    for name in views.iter().take(count) {
        let length = read_number(&mut rest)?;
        if length != ABSENT {
            let mut value = vec![0; length as usize];
            rest.read_exact(&mut value)?;
            seen.views.insert(name.clone(), value);
        }
    }
    seen.stop = Stop {
        status: read_number(&mut rest)?,
        rule: u64::from(read_number(&mut rest)?),
    };
    Ok(seen)
}

fn read_number(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}
