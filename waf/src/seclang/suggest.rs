//! "Did you mean": the nearest known name.

/// The candidate that `name` is most likely a misspelling of.
pub(super) fn nearest(
    name: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    // Names of the language have at most 40 characters; longer text is no misspelling of one.
    if name.len() > 64 {
        return None;
    }
    let wanted = name.to_ascii_lowercase();
    let bound = (wanted.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_wins_and_a_strange_one_has_none() {
        let names = ["SecRule", "SecRuleEngine", "SecMarker"];
        assert_eq!(nearest("SecRul", names), Some("SecRule"));
        assert_eq!(nearest("secruleengin", names), Some("SecRuleEngine"));
        assert_eq!(nearest("ProxyPass", names), None);
    }
}
