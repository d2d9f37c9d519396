//! What an operator needs of a value.

use super::{ByteSet, rarity};

/// What must be true of a value that an operator matches: all of the clauses. No clause: nothing is known.
///
/// Clauses are about the value with ASCII capitals as small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    clauses: Vec<Clause>,
}

/// One need: some of the atoms occurs in the value, or some of the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clause {
    /// Two bytes at least, each; without ASCII capitals; sorted, no two the same.
    atoms: Vec<Vec<u8>>,
    /// The same, looked for in the value without all that is no ASCII letter and no digit.
    squeezed: Vec<Vec<u8>>,
    /// What may stand between the bytes of the squeezed ones: no letters, no digits.
    noise: ByteSet,
    bytes: ByteSet,
}

/// Past this a clause costs more to look for than it spares. The largest phrase list of the CRS has some two
/// thousand entries.
const MOST_ATOMS: usize = 20_000;

impl Requirement {
    /// Nothing is known of what the operator needs: it has to be asked.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Those of the clauses that are worth looking at, the most telling first: nearly every value meets some,
    /// and literals that are common cost more to look for than they spare where others tell as much.
    pub fn all_of(clauses: impl IntoIterator<Item = Clause>) -> Self {
        let mut clauses: Vec<_> = clauses.into_iter().filter(Clause::is_telling).collect();
        clauses.sort_by(|a, b| a.commonness().total_cmp(&b.commonness()));
        let mut chosen: Vec<Clause> = Vec::new();
        for clause in clauses {
            let so_far = commonness_of_all(&chosen);
            let worth = clause.is_of_bytes()
                || chosen.is_empty()
                || (so_far > rarity::SELDOM && clause.commonness_of_atoms() < rarity::AT_TIMES);
            if worth && !chosen.iter().any(|known| known.says_the_same(&clause)) {
                chosen.push(clause);
            }
        }
        Self { clauses: chosen }
    }

    /// One of the texts occurs.
    pub fn any_text<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::all_of(Clause::any_text(texts))
    }

    /// One of the bytes occurs.
    pub fn any_byte(bytes: ByteSet) -> Self {
        Self::all_of([Clause::any_byte(bytes)])
    }

    /// How likely an ordinary value meets all of them, as a score to compare: 1 for nearly all.
    pub fn commonness(&self) -> f64 {
        commonness_of_all(&self.clauses)
    }

    /// The clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }
}

fn commonness_of_all(clauses: &[Clause]) -> f64 {
    let clauses = clauses.iter();
    clauses.map(|clause| clause.commonness().min(1.0)).product()
}

impl Clause {
    /// One of the texts occurs; nothing if one of them is empty, and so occurs everywhere.
    pub fn any_text<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut clause = Self::default();
        for text in texts {
            match text.as_ref() {
                [] => return None,
                [byte] => clause.bytes.insert(byte.to_ascii_lowercase()),
                text => clause.atoms.push(text.to_ascii_lowercase()),
            }
        }
        clause.tidy();
        Some(clause)
    }

    /// One of the texts, letters and digits all of them, occurs in the value; bytes of `noise`, which has no letters
    /// and digits, may stand between theirs.
    pub fn any_squeezed<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>, noise: ByteSet) -> Option<Self> {
        let clause = Self::any_text(texts)?;
        Some(Self {
            squeezed: clause.atoms,
            noise,
            ..Self::any_byte(clause.bytes)
        })
    }

    /// One of the bytes occurs.
    pub fn any_byte(bytes: ByteSet) -> Self {
        Self {
            bytes: bytes.folded(),
            ..Self::default()
        }
    }

    /// One of both clauses is met.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.atoms.extend(other.atoms);
        self.squeezed.extend(other.squeezed);
        self.noise = self.noise.union(other.noise);
        self.bytes = self.bytes.union(other.bytes);
        self.tidy();
        self
    }

    /// The literals.
    pub fn atoms(&self) -> &[Vec<u8>] {
        &self.atoms
    }

    /// The literals to be looked for among letters and digits alone.
    pub fn squeezed(&self) -> &[Vec<u8>] {
        &self.squeezed
    }

    /// What may stand between the bytes of those.
    pub fn noise(&self) -> ByteSet {
        self.noise
    }

    /// Whether it is about single bytes alone.
    pub fn is_of_bytes(&self) -> bool {
        self.atoms.is_empty() && self.squeezed.is_empty()
    }

    /// The bytes.
    pub fn bytes(&self) -> ByteSet {
        self.bytes
    }

    /// How likely an ordinary value of some length meets the clause, as a score to compare: about 1 and more
    /// for nearly all.
    pub fn commonness(&self) -> f64 {
        self.commonness_of_atoms() + self.bytes.iter().map(rarity::of_byte).sum::<f64>()
    }

    fn is_telling(&self) -> bool {
        self.atoms.len() + self.squeezed.len() <= MOST_ATOMS
            && self.commonness_of_atoms() < rarity::EVERYWHERE
            // Bytes cost nothing to look for, and short values lack most of them.
            && self.commonness() < rarity::OF_BYTES
    }

    /// Whether both look for the same, squeezed or not.
    fn says_the_same(&self, other: &Self) -> bool {
        let all = |clause: &Self| [&clause.atoms[..], &clause.squeezed].concat();
        self.bytes == other.bytes && all(self) == all(other)
    }

    fn commonness_of_atoms(&self) -> f64 {
        let atoms = self.atoms.iter().chain(&self.squeezed);
        atoms.map(|atom| rarity::of_text(atom)).sum()
    }

    fn tidy(&mut self) {
        let bytes = self.bytes;
        for atoms in [&mut self.atoms, &mut self.squeezed] {
            atoms.sort();
            atoms.dedup();
            atoms.retain(|atom| !atom.iter().any(|byte| bytes.contains(*byte)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_everywhere() {
        assert_eq!(Clause::any_text(["a", ""]), None);
        assert_eq!(Requirement::any_text(["", "select"]).clauses(), []);
    }

    #[test]
    fn single_letters_are_bytes_and_swallow_what_holds_them() {
        let clause = Clause::any_text(["<", "<script", "ONLOAD", "onload"]).unwrap();
        assert_eq!(clause.atoms(), [b"onload".to_vec()]);
        assert_eq!(clause.bytes(), ByteSet::of(b"<"));
    }

    #[test]
    fn what_nearly_every_value_has_tells_nothing() {
        assert_eq!(Requirement::any_byte(ByteSet::range(b'a', b'z')).clauses(), []);
        assert_eq!(Requirement::any_byte(ByteSet::of(b"<")).clauses().len(), 1);
    }
}
