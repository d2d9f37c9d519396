//! A quick hash for values of requests, seeded with a secret of the process: nobody outside can aim at
//! collisions.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0_u64) | 1);

/// Sets the bit that tells a capital from its small letter, and changes other bytes just as reliably.
const WITHOUT_CASE: u64 = 0x2020_2020_2020_2020;

/// The hash of some bytes.
#[inline]
pub(crate) fn of(bytes: &[u8]) -> u64 {
    folded(bytes, 0)
}

/// A hash that is the same for bytes that differ in ASCII case alone.
#[inline]
pub(crate) fn without_case(bytes: &[u8]) -> u64 {
    folded(bytes, WITHOUT_CASE)
}

#[inline(always)]
fn folded(bytes: &[u8], mask: u64) -> u64 {
    let seed = *SEED;
    let mut state = seed ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.try_into().map_or(0, u64::from_le_bytes);
        state = fold(state ^ (word | mask), seed);
    }
    fold(
        state ^ (last_bytes(bytes, chunks.remainder()) | mask),
        0x9e37_79b9_7f4a_7c15,
    )
}

/// The bytes behind the last whole word, as a number. Where there was a word, some of its bytes come again: the
/// length is in the hash, so no two texts become the same by it.
#[inline(always)]
fn last_bytes(bytes: &[u8], rest: &[u8]) -> u64 {
    if let Some(word) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte)),
    }
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_told_apart_or_not() {
        assert_eq!(without_case(b"Anomaly_Score"), without_case(b"ANOMALY_score"));
        assert_ne!(of(b"Anomaly_Score"), of(b"ANOMALY_score"));
        assert_ne!(without_case(b"score"), without_case(b"scores"));
        assert_ne!(of(b""), of(b"\0"));
    }
}
