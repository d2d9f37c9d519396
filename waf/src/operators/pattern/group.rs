//! `(...)`: capturing and other groups, inline flags, and all that `(?` may begin.

use super::PatternError;
use super::translate::Translator;

/// What `(` and what follows may begin that cannot be taken over.
const UNSUPPORTED: [(&[u8], &str); 14] = [
    (b"*", "a verb"),
    (b"?=", "a lookahead"),
    (b"?!", "a lookahead"),
    (b"?<=", "a lookbehind"),
    (b"?<!", "a lookbehind"),
    (b"?>", "an atomic group"),
    (b"?|", "a branch reset group"),
    (b"?(", "a conditional group"),
    (b"?C", "a callout"),
    (b"?R", "a recursion"),
    (b"?&", "a recursion"),
    (b"?P>", "a recursion"),
    (b"?+", "a recursion"),
    (b"?P=", "a back reference"),
];

impl Translator<'_> {
    /// Reads the beginning of the group whose `(` was just taken.
    pub(super) fn open_group(&mut self) -> Result<(), PatternError> {
        let start = self.at - 1;
        let rest = self.rest();
        if let Some((_, construct)) = UNSUPPORTED.iter().find(|(begin, _)| rest.starts_with(begin)) {
            return Err(self.unsupported(construct, start));
        }
        match rest {
            [b'?', b'#', ..] => self.comment(start),
            [b'?', b'P', b'<', ..] => self.named(3, b'>', start),
            [b'?', b'<', ..] => self.named(2, b'>', start),
            [b'?', b'\'', ..] => self.named(2, b'\'', start),
            [b'?', ..] => self.flags(start),
            _ => {
                self.captures += 1;
                self.push_group("(");
                Ok(())
            }
        }
    }

    pub(super) fn close_group(&mut self) -> Result<(), PatternError> {
        let Some(extended) = self.open.pop() else {
            return Err(self.malformed("a closing parenthesis without its opening one", self.at - 1));
        };
        self.extended = extended;
        self.out.push(')');
        Ok(())
    }

    fn push_group(&mut self, text: &str) {
        self.open.push(self.extended);
        self.out.push_str(text);
    }

    fn comment(&mut self, start: usize) -> Result<(), PatternError> {
        match memchr::memchr(b')', self.rest()) {
            Some(end) => {
                self.at += end + 1;
                Ok(())
            }
            None => Err(self.malformed("a comment without its closing parenthesis", start)),
        }
    }

    fn named(&mut self, prefix: usize, end: u8, start: usize) -> Result<(), PatternError> {
        let rest = &self.rest()[prefix..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        if length == 0 || rest.get(length) != Some(&end) {
            return Err(self.malformed("a group name that is not a name", start));
        }
        let name = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += prefix + length + 1;
        self.captures += 1;
        self.push_group(&format!("(?P<{name}>"));
        Ok(())
    }

    /// `(?flags)` or `(?flags:`. `x` is dealt with here: the crate would apply it inside classes as well.
    fn flags(&mut self, start: usize) -> Result<(), PatternError> {
        self.at += 1;
        let before = self.extended;
        let mut extended = self.extended;
        let mut on = true;
        let mut kept = [String::new(), String::new()];
        let scoped = loop {
            match self.next() {
                Some(b':') => break true,
                Some(b')') => break false,
                Some(b'-') if on && self.peek().is_none_or(|byte| !byte.is_ascii_digit()) => on = false,
                Some(b'x') if self.peek() == Some(b'x') => return Err(self.unsupported("the flag xx", start)),
                Some(b'x') => extended = on,
                Some(flag @ (b'i' | b'm' | b's' | b'U')) => kept[usize::from(!on)].push(char::from(flag)),
                Some(b'0'..=b'9' | b'-') => return Err(self.unsupported("a recursion", start)),
                Some(b'J' | b'n' | b'a' | b'r' | b'^') => {
                    return Err(self.unsupported("an inline flag", start));
                }
                _ => return Err(self.malformed("an unknown group or flag", start)),
            }
        };
        let [set, cleared] = kept;
        let minus = if cleared.is_empty() { "" } else { "-" };
        if scoped {
            self.out.push_str(&format!("(?{set}{minus}{cleared}:"));
            self.open.push(before);
        } else if !(set.is_empty() && cleared.is_empty()) {
            self.out.push_str(&format!("(?{set}{minus}{cleared})"));
        } else {
            // A quantifier after the flags is an error and must not apply to what is before them: this is
            // an inline flag of the crate's own that is off anyway.
            self.out.push_str("(?-R)");
        }
        self.extended = extended;
        Ok(())
    }
}
