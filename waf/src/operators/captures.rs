//! The ten capture slots (`TX:0` to `TX:9`).

/// What an operator captured. A group that took no part in the match leaves its slot `None`, and the
/// later slots keep their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures {
    slots: [Option<Vec<u8>>; 10],
}

impl Captures {
    /// Ten empty slots.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties all slots.
    pub fn clear(&mut self) {
        self.slots = Default::default();
    }

    /// Fills one slot; numbers past 9 are dropped, as SecLang has ten.
    pub fn set(&mut self, slot: usize, value: &[u8]) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(value.to_vec());
        }
    }

    /// The slots themselves.
    pub(crate) fn into_slots(self) -> [Option<Vec<u8>>; 10] {
        self.slots
    }

    /// The filled slots with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(slot, value)| Some((slot, value.as_deref()?)))
    }
}
