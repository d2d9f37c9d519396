//! The request's body and what its processor made of it.

use std::ops::ControlFlow;

use crate::body::multipart::Flags;
use crate::transaction::{Body, Facts};

use super::Variable;
use super::arguments::named;
use super::view::{Visit, flag, number, one, pairs};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let body = &facts.body;
    content(facts, variable, visit)
        .or_else(|| files(body, variable, visit))
        .or_else(|| multipart(body.flags.unwrap_or_default(), variable, visit))
}

fn content(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let body = &facts.body;
    match variable {
        Variable::RequestBody if body.visible => one(&body.bytes, visit),
        Variable::RequestBody => one(b"", visit),
        Variable::RequestBodyLength => number(body.bytes.len(), visit),
        Variable::InboundDataError => flag(body.partial || body.over_limit, visit),
        Variable::ReqbodyProcessorError => flag(body.processor_error.is_some(), visit),
        Variable::ReqbodyProcessorErrorMsg => one(text(&body.processor_error), visit),
        Variable::UrlencodedError => flag(facts.request.invalid_encoding || body.invalid_encoding, visit),
        Variable::Xml => pairs(xml(&body.xml_texts, &body.xml_attributes), visit),
        _ => None,
    }
}

/// Texts stand under the key `/*`, attribute values under `//@*`: the two XPaths that rules use.
pub(super) fn xml<'a>(
    texts: &'a [Vec<u8>],
    attributes: &'a [Vec<u8>],
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let texts = texts.iter().map(|text| (&b"/*"[..], text.as_slice()));
    texts.chain(attributes.iter().map(|value| (&b"//@*"[..], value.as_slice())))
}

/// The key is the name of the form's field, as in ModSecurity.
fn files(body: &Body, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let files = body.files.iter();
    match variable {
        Variable::Files => pairs(
            files.flat_map(|file| file.names().map(|name| (file.field.as_slice(), name))),
            visit,
        ),
        Variable::FilesNames => pairs(
            files.map(|file| (file.field.as_slice(), file.field.as_slice())),
            visit,
        ),
        Variable::FilesTmpContent => pairs(
            files.map(|file| (file.field.as_slice(), &file.content[..])),
            visit,
        ),
        Variable::FilesSizes => Some(
            files
                .into_iter()
                .try_for_each(|file| visit(Some(&file.field), file.content.len().to_string().as_bytes())),
        ),
        Variable::FilesCombinedSize => number(files.map(|file| file.content.len()).sum::<usize>(), visit),
        // An embedded engine keeps no uploads on disk.
        Variable::FilesTmpnames => Some(ControlFlow::Continue(())),
        Variable::MultipartFilename => pairs(
            files.flat_map(|file| file.names().map(|name| (name, name))),
            visit,
        ),
        Variable::MultipartName => pairs(body.part_names.iter().map(|name| (&name[..], &name[..])), visit),
        Variable::MultipartPartHeaders => pairs(body.part_headers.iter().map(named), visit),
        _ => None,
    }
}

fn multipart(flags: Flags, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let raised = match variable {
        Variable::MultipartBoundaryQuoted => flags.boundary_quoted,
        Variable::MultipartBoundaryWhitespace => flags.boundary_whitespace,
        Variable::MultipartCrlfLfLines => flags.crlf_lf_lines,
        Variable::MultipartDataAfter => flags.data_after,
        Variable::MultipartDataBefore => flags.data_before,
        Variable::MultipartFileLimitExceeded => flags.file_limit_exceeded,
        Variable::MultipartHeaderFolding => flags.header_folding,
        Variable::MultipartInvalidHeaderFolding => flags.invalid_header_folding,
        Variable::MultipartInvalidPart => flags.invalid_part,
        Variable::MultipartInvalidQuoting => flags.invalid_quoting,
        Variable::MultipartLfLine => flags.lf_line,
        Variable::MultipartMissingSemicolon => flags.missing_semicolon,
        Variable::MultipartStrictError => flags.strict_error(),
        Variable::MultipartUnmatchedBoundary => flags.unmatched_boundary,
        _ => return None,
    };
    flag(raised, visit)
}

fn text(message: &Option<String>) -> &[u8] {
    message.as_deref().unwrap_or_default().as_bytes()
}
