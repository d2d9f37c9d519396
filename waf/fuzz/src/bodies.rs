//! Body processors: bounded, and what they hand out lies within the body.

use palisade_waf::Limits;
use palisade_waf::body::{
    json as json_body, multipart as multipart_body, urlencoded as form, xml as xml_body,
};

use super::exchange::split_once;

/// Small bounds are met sooner.
const ARGUMENTS: usize = 40;
const DEPTH: usize = 20;

/// Bytes of names that the JSON processor may hand out for each argument.
const NAME_BYTES_PER_ARGUMENT: usize = 1024;

/// The bytes as a form.
pub fn urlencoded(data: &[u8]) {
    let found = form::parse(data, b'&', ARGUMENTS);
    assert!(found.pairs.len() <= ARGUMENTS);
    let pieces = data
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .count();
    assert_eq!(found.truncated, pieces > ARGUMENTS);
    assert_eq!(found.pairs.len(), pieces.min(ARGUMENTS));
    let bytes: usize = found
        .pairs
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(bytes <= data.len());
    let (decoded, invalid) = form::decode(data);
    assert!(decoded.len() <= data.len());
    assert!(!invalid || data.contains(&b'%'));
    let (path, _) = form::decode_path(data);
    assert_eq!(path.len(), decoded.len());
}

/// The first line as a Content-Type, the rest as a body.
pub fn multipart(data: &[u8]) {
    let (content_type, body) = split_once(data, b"\n");
    let limits = Limits {
        multipart_parts: 5,
        multipart_header_bytes: 200,
        ..Limits::default()
    };
    let found = multipart_body::parse(body, content_type, &limits);
    assert!(found.parts.len() <= limits.multipart_parts);
    assert_eq!(found.error.is_some(), found.flags.parse_error);
    let mut end = 0;
    for part in &found.parts {
        assert!(end <= part.content.start && part.content.start <= part.content.end);
        let headers: usize = part.raw_headers.iter().map(Vec::len).sum();
        assert!(headers <= limits.multipart_header_bytes);
        end = part.content.end;
    }
    assert!(end <= body.len());
}

/// The bytes as a JSON document.
pub fn json(data: &[u8]) {
    let found = json_body::flatten(data, DEPTH, ARGUMENTS);
    let flat = match &found {
        Ok(flat) => flat,
        Err(error) => {
            assert!(error.offset <= data.len());
            &error.partial
        }
    };
    assert!(flat.values.len() <= ARGUMENTS);
    let names: usize = flat.values.iter().map(|(name, _)| name.len()).sum();
    assert!(names <= NAME_BYTES_PER_ARGUMENT * ARGUMENTS + data.len());
    // An escape of six characters is three bytes at most.
    let texts: usize = flat.values.iter().map(|(_, value)| value.len()).sum();
    assert!(texts <= data.len());
}

/// The bytes as an XML document.
pub fn xml(data: &[u8]) {
    let found = xml_body::parse(data, DEPTH, ARGUMENTS);
    let text = match &found {
        Ok(text) => text,
        Err(error) => &error.partial,
    };
    // Where the pieces are too many the whole text is one more.
    assert!(text.texts.len() + text.attributes.len() <= ARGUMENTS + DEPTH + 2);
    let bytes: usize = text.texts.iter().chain(&text.attributes).map(Vec::len).sum();
    // UTF-16 and single-byte encodings grow to three bytes each; mixed text is shown a second time.
    assert!(bytes <= 3 * (DEPTH + 1) * data.len());
}
