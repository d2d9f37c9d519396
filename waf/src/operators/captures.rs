//! The ten capture slots (`TX:0` to `TX:9`).

use smallvec::SmallVec;

/// What an operator captured. A group that took no part in the match leaves its slot `None`, and the
/// later slots keep their numbers.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    /// The values, one behind the other.
    bytes: SmallVec<[u8; 64]>,
    /// Where each value begins and ends.
    slots: [Option<(usize, usize)>; 10],
}

impl Captures {
    /// Ten empty slots.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties all slots.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.slots = Default::default();
    }

    /// Fills one slot; numbers past 9 are dropped, as SecLang has ten.
    pub fn set(&mut self, slot: usize, value: &[u8]) {
        let Some(place) = self.slots.get_mut(slot) else {
            return;
        };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        *place = Some((start, self.bytes.len()));
    }

    /// Changes one slot, as `setvar` may do any number of times: the bytes of its old value go.
    pub(crate) fn change(&mut self, slot: usize, value: Option<&[u8]>) {
        let old = std::mem::take(self);
        for (other, kept) in old.iter().filter(|(other, _)| *other != slot) {
            self.set(other, kept);
        }
        if let Some(value) = value {
            self.set(slot, value);
        }
    }

    /// What a slot holds.
    pub fn get(&self, slot: usize) -> Option<&[u8]> {
        let (start, end) = (*self.slots.get(slot)?)?;
        self.bytes.get(start..end)
    }

    /// The filled slots with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        (0..self.slots.len()).filter_map(|slot| Some((slot, self.get(slot)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_is_changed_again_and_again_holds_its_last_value_alone() {
        let mut captures = Captures::new();
        captures.set(0, b"all");
        captures.set(3, b"three");
        captures.set(10, b"none");
        for round in 0..1000 {
            captures.change(3, Some(format!("{round}").as_bytes()));
        }
        assert_eq!(
            captures.iter().collect::<Vec<_>>(),
            [(0, &b"all"[..]), (3, b"999")]
        );
        assert!(captures.bytes.len() < 64);
        captures.change(0, None);
        assert_eq!((captures.get(0), captures.get(3)), (None, Some(&b"999"[..])));
    }
}
