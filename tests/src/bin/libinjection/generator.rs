//! Strings.

use crate::material::Material;
use crate::mutation::mutate;
use crate::random::Random;

/// Every value of the material once, then what is made of them and of their pieces.
pub(crate) struct Generator {
    material: Material,
    random: Random,
    /// How many values have been given as they are.
    given: usize,
}

/// Pieces with which tokens begin, end or change their minds.
#[rustfmt::skip]
pub(crate) const PIECES: [&[u8]; 92] = [
    b"'", b"\"", b"`", b" ", b"  ", b"\t", b"\n", b"\r\n", b"\x0b", b"\0", b"\xa0", b"\x7f", b"--", b"-- ", b"#",
    b"/*", b"*/", b"/**/", b"/*!", b"(", b")", b",", b";", b"=", b"||", b"&&", b"|", b"&", b"1", b"0", b"0x", b"0b",
    b"0x1f", b"1e", b"1.e", b"e5", b"1fu", b".", b"@", b"@@", b"\\", b"\\N", b"\\'", b"$$", b"$a$", b"$", b"{", b"}",
    b"[", b"]", b"?", b"::", b":=", b":", b"!", b"!!", b"~", b"+", b"-", b"*", b"^", b"%", b"<=>", b"<>", b">=",
    b"<", b">", b"/", b"\xc4\xb1", b"\xc5\xbf", b"\xff", b"\xc3\xa9", b"q'(", b"nq'!", b"n'", b"x'1f'", b"b'01'",
    b"u&'", b"e'", b"a", b"</", b"<!--", b"-->", b"--!>", b"<?", b"<%", b"%>", b"<![CDATA[", b"]]>", b"/>",
    b"&#x6a;", b"sp_password",
];

impl Generator {
    pub(crate) fn new(material: Material, seed: u64) -> Self {
        Self {
            material,
            random: Random::new(seed),
            given: 0,
        }
    }

    pub(crate) fn next_string(&mut self) -> Vec<u8> {
        if let Some(value) = self.material.values.get(self.given) {
            self.given += 1;
            return value.clone();
        }
        match self.random.below(20) {
            0 => self.bytes(),
            1..=7 => self.soup(),
            8 | 9 => self.tag(),
            _ => self.mutated(),
        }
    }

    fn mutated(&mut self) -> Vec<u8> {
        let mut value = self.random.one_of(&self.material.values).clone();
        for _ in 0..=self.random.below(4) {
            value = mutate(value, &self.material, &mut self.random);
        }
        value
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..=self.random.below(40))
            .map(|_| self.random.below(256) as u8)
            .collect()
    }

    /// Words and pieces in any order.
    fn soup(&mut self) -> Vec<u8> {
        let mut soup = Vec::new();
        for _ in 0..=self.random.below(9) {
            if self.random.once_in(2) {
                soup.extend(word(&self.material, &mut self.random));
            } else {
                soup.extend_from_slice(self.random.piece(&PIECES));
            }
            if self.random.once_in(3) {
                soup.push(b' ');
            }
        }
        soup
    }

    /// Something like a tag, or what is left of one.
    fn tag(&mut self) -> Vec<u8> {
        let mut tag = self
            .random
            .piece(&[&b"<"[..], b"</", b"'", b"\"", b"`", b" ", b"", b"<\0", b"x>"])
            .to_vec();
        for _ in 0..=self.random.below(5) {
            tag.extend(word(&self.material, &mut self.random));
            tag.extend_from_slice(self.random.piece(&[
                &b" "[..],
                b"/",
                b"=",
                b"='",
                b"=\"",
                b"=`",
                b"'",
                b"\"",
                b"`",
                b">",
                b" = ",
                b"\0=",
                b"/>",
                b"><",
                b"\t",
            ]));
            if self.random.once_in(4) {
                tag.extend_from_slice(self.random.piece(&[
                    &b"java"[..],
                    b"&#106;ava",
                    b"data:",
                    b"&#x;",
                    b"\x01vbscript:",
                ]));
            }
        }
        tag
    }
}

/// A word of the material in some disguise.
pub(crate) fn word(material: &Material, random: &mut Random) -> Vec<u8> {
    let word = *random.one_of(&material.words);
    match random.below(12) {
        0..=3 => word.as_bytes().to_vec(),
        4..=8 => word.to_lowercase().into_bytes(),
        9 => word.replace('I', "\u{131}").replace('S', "\u{17f}").into_bytes(),
        10 => word.replace(' ', "/**/").into_bytes(),
        _ => {
            let at = random.below(word.len());
            [&word.as_bytes()[..at], b"\0", &word.as_bytes()[at..]].concat()
        }
    }
}
