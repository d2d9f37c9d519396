//! Requests, any number of them: the same seed and index give the same one.
//!
//! A third are requests of the CRS corpus, changed; the others are made from nothing. All are what an HTTP
//! server hands on: no control characters in the head, no repeated header lines.

mod body;
mod corpus;
mod disguise;
mod head;
mod json;
mod multipart;
mod values;
mod xml;

use crate::corpus::wire::Message;

use super::random::Random;

/// What requests are made from.
#[derive(Debug)]
pub struct Stock {
    /// The requests of the corpus, where there is one.
    corpus: Vec<Message>,
    /// Values that stand in them.
    harvest: Vec<Vec<u8>>,
}

impl Stock {
    /// The requests of the corpus, and the values in their arguments.
    pub fn new(corpus: Vec<Message>) -> Self {
        // What is about sheer size runs as it is; changed a thousand times it would cost more than all others.
        let corpus: Vec<Message> = corpus
            .into_iter()
            .filter(|message| size(message) < 4096)
            .collect();
        let harvest = corpus::harvest(&corpus);
        Self { corpus, harvest }
    }

    /// The request of that index.
    pub fn request(&self, seed: u64, index: u64) -> Message {
        let mut random = Random::of(seed, index);
        if !self.corpus.is_empty() && random.once_in(3) {
            return corpus::changed(self, &mut random);
        }
        self.made(&mut random)
    }

    fn made(&self, random: &mut Random) -> Message {
        let has_body = random.below(10) < 7;
        let mut message = head::head(self, random, has_body);
        if has_body {
            let (content_type, body) = body::body(self, random);
            set_body(&mut message, content_type, body);
        }
        message
    }

    fn value(&self, random: &mut Random) -> &[u8] {
        match random.below(5) {
            0 | 1 => random.pick(values::ORDINARY).as_bytes(),
            2 | 3 if !self.harvest.is_empty() => random.pick(&self.harvest).as_slice(),
            _ => random.pick(values::ATTACKS).as_bytes(),
        }
    }

    fn name(&self, random: &mut Random) -> &[u8] {
        random.pick(values::NAMES).as_bytes()
    }
}

/// Sets body, type and length.
fn set_body(message: &mut Message, content_type: Option<Vec<u8>>, body: Vec<u8>) {
    let replaced = [&b"content-type"[..], b"content-length"];
    message
        .headers
        .retain(|(name, _)| !replaced.iter().any(|known| name.eq_ignore_ascii_case(known)));
    if let Some(content_type) = content_type {
        head::add(message, b"Content-Type", content_type);
    }
    head::add(message, b"Content-Length", body.len().to_string().into_bytes());
    message.body = body;
}

fn size(message: &Message) -> usize {
    message.target.len() + message.body.len()
}

fn either<T>(random: &mut Random, one: T, other: T) -> T {
    if random.once_in(2) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_depend_on_seed_and_index_alone() {
        let stock = Stock::new(Vec::new());
        assert_eq!(stock.request(7, 9), stock.request(7, 9));
        assert_ne!(stock.request(7, 9), stock.request(7, 10));
    }

    #[test]
    fn heads_are_what_a_server_lets_in() {
        let stock = Stock::new(Vec::new());
        for index in 0..2000 {
            let message = stock.request(1, index);
            assert!(message.target.iter().all(|byte| *byte > b' '), "{message:?}");
            for (_, value) in &message.headers {
                assert!(
                    !value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')),
                    "{message:?}"
                );
            }
        }
    }
}
