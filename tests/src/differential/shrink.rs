//! A request that shows a difference -> a smaller one that still does.

use crate::corpus::wire::Message;

/// How often the engines are asked at most.
const TRIES: usize = 400;

/// Leaves out headers, then ever smaller pieces of body and target, while `differs` holds.
pub(super) fn shrink(message: &Message, mut differs: impl FnMut(&Message) -> bool) -> Message {
    let mut best = message.clone();
    let mut tries = 0;
    let mut attempt = |candidate: Message, best: &mut Message| {
        tries += 1;
        if tries > TRIES || candidate == *best || !differs(&candidate) {
            return false;
        }
        *best = candidate;
        true
    };
    for index in (0..message.headers.len()).rev() {
        let mut candidate = best.clone();
        candidate.headers.remove(index);
        attempt(candidate, &mut best);
    }
    for part in [Part::Body, Part::Target, Part::Headers] {
        let mut size = part.of(&best).len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < part.of(&best).len() {
                if !attempt(part.without(&best, at, size), &mut best) {
                    at += size;
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    best
}

#[derive(Clone, Copy)]
enum Part {
    Body,
    Target,
    /// The value of the last header but those that HTTP needs.
    Headers,
}

impl Part {
    fn of(self, message: &Message) -> &[u8] {
        match self {
            Part::Body => &message.body,
            Part::Target => message.target.get(1..).unwrap_or_default(),
            Part::Headers => message.headers.last().map_or(&[], |(_, value)| value),
        }
    }

    fn without(self, message: &Message, at: usize, size: usize) -> Message {
        let mut message = message.clone();
        let text = match self {
            Part::Body => &mut message.body,
            Part::Target => &mut message.target,
            Part::Headers => match message.headers.last_mut() {
                Some((_, value)) => value,
                None => return message,
            },
        };
        // A target keeps its first byte: without the slash it is another kind of target.
        let at = if matches!(self, Part::Target) { at + 1 } else { at };
        let end = (at + size).min(text.len());
        text.drain(at.min(end)..end);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_is_left_out() {
        let message = Message {
            target: b"/abc?x=1&y=2".to_vec(),
            headers: vec![(b"A".to_vec(), b"1".to_vec()), (b"B".to_vec(), b"2".to_vec())],
            body: b"lots of text with a needle in it".to_vec(),
            ..Message::default()
        };
        let contains = |text: &[u8]| text.windows(6).any(|window| window == b"needle");
        let smallest = shrink(&message, |candidate| contains(&candidate.body));
        assert_eq!(smallest.body, b"needle");
        assert_eq!(smallest.target, b"/");
        assert!(smallest.headers.is_empty());
    }
}
