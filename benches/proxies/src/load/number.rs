//! Requests that all differ: a number in each that no other has.

use std::sync::atomic::{AtomicU64, Ordering};

use palisade_bench_engine::requests::NUMBER;

/// The next number, in as many hexadecimal digits as [`NUMBER`] has. Neighbours have nothing in common.
pub(super) fn next() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}", count.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Where a number is to be put.
pub(super) fn places(request: &[u8]) -> Vec<usize> {
    let windows = request.windows(NUMBER.len()).enumerate();
    windows
        .filter(|(_, window)| *window == NUMBER.as_bytes())
        .map(|(place, _)| place)
        .collect()
}

/// Puts the next number there.
pub(super) fn put(request: &mut [u8], places: &[usize]) {
    if places.is_empty() {
        return;
    }
    let number = next();
    for place in places {
        if let Some(part) = request.get_mut(*place..*place + number.len()) {
            part.copy_from_slice(number.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_a_number_of_its_own() {
        let mut request = format!("GET /{NUMBER}?a={NUMBER} HTTP/1.1").into_bytes();
        let found = places(&request);
        assert_eq!(found, [5, 24]);
        put(&mut request, &found);
        let first = request.clone();
        assert_eq!(first[5..21], first[24..40]);
        put(&mut request, &found);
        assert_ne!(first, request);
        assert_eq!(first.len(), request.len());
        assert!(places(b"GET / HTTP/1.1").is_empty());
    }
}
