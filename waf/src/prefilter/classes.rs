//! Classes of bytes, and pairs of them.

use std::sync::LazyLock;

use super::rarity;

/// Classes of bytes: letters, digits and most marks have one of their own, and share none with others.
pub(super) const CLASSES: usize = 64;
pub(super) const PAIRS: usize = CLASSES * CLASSES;

const MARKS: &[u8; 27] = b" _/-.\\<%:@'\"[]`$(){}&;,+=*|";

/// That of all other bytes.
const OTHERS: u8 = 0;

const CLASS: [u8; 256] = classes();

#[inline(always)]
pub(super) fn class(byte: u8) -> usize {
    usize::from(CLASS[usize::from(byte)])
}

#[inline(always)]
pub(super) const fn pair(first: usize, second: usize) -> usize {
    (first * CLASSES + second) & (PAIRS - 1)
}

const fn classes() -> [u8; 256] {
    let mut classes = [OTHERS; 256];
    let mut place = 0;
    while place < 26 {
        classes[b'a' as usize + place] = 1 + place as u8;
        classes[b'A' as usize + place] = 1 + place as u8;
        place += 1;
    }
    place = 0;
    while place < 10 {
        classes[b'0' as usize + place] = 27 + place as u8;
        place += 1;
    }
    place = 0;
    while place < MARKS.len() {
        classes[MARKS[place] as usize] = 37 + place as u8;
        place += 1;
    }
    classes
}

/// How common each pair of classes is in ordinary values.
pub(super) static COMMONNESS: LazyLock<Box<[f64; PAIRS]>> = LazyLock::new(|| {
    let mut classes = [rarity::of_byte(b'#'); CLASSES];
    for byte in (0..=u8::MAX).filter(|byte| class(*byte) != usize::from(OTHERS)) {
        classes[class(byte)] = rarity::of_byte(byte);
    }
    let mut commonness = Box::new([0.0; PAIRS]);
    for (pair, common) in commonness.iter_mut().enumerate() {
        *common = classes[pair / CLASSES] * classes[pair % CLASSES];
    }
    commonness
});
