//! "Did you mean": the known name nearest to one that is not known.

/// The nearest of the known names, if it is near enough to be meant: a third of the letters may differ.
pub(crate) fn nearest(name: &str, known: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    // No name is that long, and the distance costs the product of the lengths.
    if name.len() > 64 {
        return None;
    }
    let wanted = name.to_ascii_lowercase();
    known
        .into_iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&wanted, &known.to_ascii_lowercase()),
                known,
            )
        })
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_has_a_suggestion_and_a_stranger_none() {
        let known = ["beginsWith", "endsWith", "rx", "within"];
        assert_eq!(nearest("beginWith", known), Some("beginsWith"));
        assert_eq!(nearest("WITHN", known), Some("within"));
        assert_eq!(nearest("frobnicate", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
