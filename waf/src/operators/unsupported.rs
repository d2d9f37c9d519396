//! Operators of ModSecurity and Coraza that an embedded, pure engine leaves out, with the reason.

use super::OperatorError;

const REASONS: [(&str, &str); 12] = [
    ("fuzzyHash", "it needs the ssdeep library and its files"),
    (
        "geoLookup",
        "there is no geographic database in the engine; decide by address with @ipMatch",
    ),
    ("gsbLookup", "Google's service behind it has been shut down"),
    ("inspectFile", "it runs a program for every upload"),
    (
        "rbl",
        "a name lookup for every request would make serving depend on the network",
    ),
    ("rsub", "it changes bodies, which the engine only reads"),
    (
        "strmatchFromFile",
        "ModSecurity does not implement it either; use @pmFromFile",
    ),
    ("validateDTD", "there is no validating XML parser in the engine"),
    ("validateHash", "it needs the page rewriting of ModSecurity v2"),
    ("validateSchema", "there is no schema validator in the engine"),
    ("validateXmlSchema", "there is no schema validator in the engine"),
    ("verifyCRC", "ModSecurity does not implement it either"),
];

/// The refusal of an operator that is left out on purpose.
pub(super) fn find(name: &str) -> Option<OperatorError> {
    REASONS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(name, reason)| OperatorError::Unsupported { name, reason })
}
