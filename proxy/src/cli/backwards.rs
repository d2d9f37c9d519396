//! The lines of a file from its end: the incident that somebody asks about is a recent one, and the log is long.

use std::io::{self, Read, Seek, SeekFrom};

/// Read at a time.
const BLOCK: u64 = 64 << 10;

/// Lines without their newlines, the last one first. Empty ones, and those longer than the limit, are left out.
pub(super) struct LinesFromEnd<R> {
    reader: R,
    limit: usize,
    /// Where the block begins in the file: what is before it has not been read.
    position: u64,
    block: Vec<u8>,
    /// The end of the line that is looked for, in pieces, the last one first.
    pieces: Vec<Vec<u8>>,
    /// The line that is looked for is longer than the limit; its pieces are dropped.
    overlong: bool,
}

impl<R: Read + Seek> LinesFromEnd<R> {
    pub(super) fn new(mut reader: R, limit: usize) -> io::Result<Self> {
        let position = reader.seek(SeekFrom::End(0))?;
        Ok(Self {
            reader,
            limit,
            position,
            block: Vec::new(),
            pieces: Vec::new(),
            overlong: false,
        })
    }

    /// Steps one block towards the beginning; `false` if that is reached.
    fn step(&mut self) -> io::Result<bool> {
        let length = self.position.min(BLOCK);
        self.position -= length;
        self.reader.seek(SeekFrom::Start(self.position))?;
        self.block.clear();
        self.reader.by_ref().take(length).read_to_end(&mut self.block)?;
        Ok(length > 0)
    }

    /// Keeps a piece of the line that is looked for.
    fn keep(&mut self, piece: Vec<u8>) {
        self.pieces.push(piece);
        if self.pieces.iter().map(Vec::len).sum::<usize>() > self.limit {
            self.pieces.clear();
            self.overlong = true;
        }
    }

    /// The line whose beginning was found; `None` if it is left out.
    fn line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.pieces)
            .into_iter()
            .rev()
            .flatten()
            .collect::<Vec<u8>>();
        let overlong = std::mem::take(&mut self.overlong);
        (!overlong && !line.is_empty()).then_some(line)
    }
}

impl<R: Read + Seek> Iterator for LinesFromEnd<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.block.iter().rposition(|byte| *byte == b'\n') {
                Some(newline) => {
                    let piece = self.block.split_off(newline + 1);
                    self.block.truncate(newline);
                    self.keep(piece);
                    if let Some(line) = self.line() {
                        return Some(Ok(line));
                    }
                }
                None => {
                    let piece = std::mem::take(&mut self.block);
                    self.keep(piece);
                    match self.step() {
                        Ok(true) => {}
                        Ok(false) => return self.line().map(Ok),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn lines(text: &str, limit: usize) -> Vec<String> {
        let lines = LinesFromEnd::new(Cursor::new(text), limit).unwrap();
        lines
            .map(|line| String::from_utf8(line.unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn the_last_line_comes_first() {
        assert_eq!(lines("a\nbb\n\nccc\n", 10), ["ccc", "bb", "a"]);
        assert_eq!(lines("a\nunfinished", 10), ["unfinished", "a"]);
        assert_eq!(lines("", 10), [""; 0]);
        assert_eq!(lines("\n\n", 10), [""; 0]);
    }

    #[test]
    fn lines_longer_than_a_block_are_whole() {
        let long = "x".repeat(200_000);
        assert_eq!(
            lines(&format!("a\n{long}\nb\n"), 300_000),
            ["b", long.as_str(), "a"]
        );
    }

    #[test]
    fn lines_past_the_limit_are_left_out() {
        let long = "x".repeat(200_000);
        assert_eq!(lines(&format!("a\n{long}\nb\n{long}"), 100_000), ["b", "a"]);
        assert_eq!(lines(&format!("{long}\nb"), 100_000), ["b"]);
    }
}
