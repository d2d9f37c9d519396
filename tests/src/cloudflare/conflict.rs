//! Which records cannot be beside each other.

use super::content;
use super::error::ApiError;
use super::record::Record;

/// The most that the TXT records of one name may hold together, in characters.
const TXT_TOGETHER: usize = 8192;

/// Whether `new` can join `records`, of which it may replace one (by its id).
pub(super) fn check(new: &Record, records: &[Record]) -> Result<(), ApiError> {
    let beside: Vec<&Record> = records
        .iter()
        .filter(|record| record.name == new.name && record.id != new.id)
        .collect();
    let has = |kinds: &[&str]| beside.iter().any(|record| kinds.contains(&record.kind.as_str()));
    let identical = |record: &&&Record| {
        record.kind == new.kind && content::same(&new.kind, &record.content, &new.content)
    };
    if beside.iter().find(identical).is_some() {
        return Err(ApiError::identical());
    }
    match new.kind.as_str() {
        "CNAME" if has(&["A", "AAAA", "CNAME"]) => Err(ApiError::host_exists()),
        "A" | "AAAA" if has(&["CNAME"]) => Err(ApiError::cname_exists()),
        "A" | "AAAA" | "CNAME" if has(&["NS"]) => Err(ApiError::ns_exists()),
        "NS" if has(&["A", "AAAA", "CNAME"]) => Err(ApiError::host_exists()),
        "TXT" => check_txt(new, &beside),
        _ => Ok(()),
    }
}

fn check_txt(new: &Record, beside: &[&Record]) -> Result<(), ApiError> {
    let texts = beside.iter().filter(|record| record.kind == "TXT");
    let together: usize = texts.map(|record| record.content.len()).sum();
    match together + new.content.len() <= TXT_TOGETHER {
        true => Ok(()),
        // The limit is documented, the number is not.
        false => Err(ApiError::bad_content(
            9008,
            "The TXT records of this name are too long.",
        )),
    }
}
