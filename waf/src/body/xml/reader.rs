//! From markup to texts and attribute values.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{XmlErrorKind, XmlText};
use crate::body::work::spend;

/// Reads all that can be read; the first error goes along.
pub(super) fn read(document: &str, max_depth: usize, max_nodes: usize) -> (XmlText, Option<XmlErrorKind>) {
    let mut reader = Reader::from_str(document);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.check_end_names = true;
    let mut collector = Collector::new(max_depth, max_nodes);
    loop {
        let before = reader.buffer_position();
        let event = reader.read_event();
        spend(usize::try_from(reader.buffer_position() - before).unwrap_or(usize::MAX));
        let goes_on = match event {
            Ok(event) => collector.event(event),
            Err(Error::IllFormed(error)) => collector.ill_formed(&error),
            Err(error) => collector.unreadable(&error),
        };
        if !goes_on {
            break;
        }
    }
    let rest = usize::try_from(reader.error_position())
        .ok()
        .and_then(|at| document.get(at..));
    collector.finish(rest.unwrap_or_default())
}

/// An element that is not closed yet.
#[derive(Default)]
struct Open {
    has_text: bool,
    has_child: bool,
}

struct Collector {
    found: XmlText,
    fault: Option<XmlErrorKind>,
    max_depth: usize,
    max_nodes: usize,
    open: Vec<Open>,
    /// The text since the last tag.
    piece: String,
    /// The text of the whole document.
    whole: String,
    /// Some element holds both text and elements.
    mixed: bool,
    /// There was a DOCTYPE: it may declare entities.
    doctype: bool,
    /// The root was opened.
    root: bool,
    /// Markup stopped making sense; the rest of the document is shown as it stands.
    lost: bool,
}

impl Collector {
    fn new(max_depth: usize, max_nodes: usize) -> Self {
        Self {
            found: XmlText::default(),
            fault: None,
            max_depth,
            max_nodes,
            open: Vec::new(),
            piece: String::new(),
            whole: String::new(),
            mixed: false,
            doctype: false,
            root: false,
            lost: false,
        }
    }

    fn flag(&mut self, kind: XmlErrorKind) {
        self.lost |= matches!(kind, XmlErrorKind::Markup(_) | XmlErrorKind::TooDeep);
        self.fault.get_or_insert(kind);
    }

    /// Whether there may be more.
    fn event(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.character_data(&text.xml10_content()),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::Start(tag) => return self.start(&tag),
            Event::Empty(tag) => {
                if !self.start(&tag) {
                    return false;
                }
                self.end();
            }
            Event::End(_) => self.end(),
            Event::DocType(declaration) => self.doctype(&declaration),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return false,
        }
        true
    }

    /// Nothing can be made of the rest.
    fn unreadable(&mut self, error: &Error) -> bool {
        let text = match error {
            Error::Syntax(error) => error.to_string(),
            other => other.to_string(),
        };
        self.flag(XmlErrorKind::Markup(text));
        false
    }

    /// Whether reading can go on: it can, but for a document type without a name, whose end is unsure.
    fn ill_formed(&mut self, error: &IllFormedError) -> bool {
        match error {
            IllFormedError::MismatchedEndTag { .. } => {
                self.flag(XmlErrorKind::EndTag(error.to_string()));
                self.end();
            }
            IllFormedError::UnmatchedEndTag(_) => {
                self.flag(XmlErrorKind::EndTag(error.to_string()));
                self.flush();
            }
            _ => self.flag(XmlErrorKind::Markup(error.to_string())),
        }
        !self.lost
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> bool {
        self.flush();
        match self.open.last_mut() {
            Some(parent) => {
                parent.has_child = true;
                self.mixed |= parent.has_text;
            }
            None if self.root => self.flag(XmlErrorKind::OutsideRoot),
            None => self.root = true,
        }
        if !is_name(tag.name().as_ref()) {
            self.flag(XmlErrorKind::ElementName);
        }
        if self.open.len() >= self.max_depth {
            self.flag(XmlErrorKind::TooDeep);
            return false;
        }
        self.attributes(tag);
        self.open.push(Open::default());
        true
    }

    fn end(&mut self) {
        self.flush();
        self.open.pop();
    }

    /// Values without quotes are an error in XML, but what stands there is shown all the same.
    fn attributes(&mut self, tag: &BytesStart<'_>) {
        let mut names = HashSet::new();
        let strict = tag.attributes().with_checks(false).find_map(Result::err);
        if let Some(error) = strict {
            self.flag(XmlErrorKind::Attribute(error.to_string()));
        }
        let mut attributes = tag.html_attributes();
        for attribute in attributes.with_checks(false) {
            let Ok(attribute) = attribute else { break };
            if !names.insert(attribute.key.into_inner()) {
                self.flag(XmlErrorKind::DuplicateAttribute);
            }
            if attribute.value.contains('<') {
                self.flag(XmlErrorKind::UnescapedLess);
            }
            let value = self.attribute_value(&attribute.value);
            if self.has_room() {
                self.found.attributes.push(value.into_bytes());
            }
        }
    }

    /// References put in, white space made blanks (XML 1.0, 3.3.3).
    fn attribute_value(&mut self, raw: &str) -> String {
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
            let (plain, tail) = rest.split_at(at);
            value.push_str(plain);
            rest = match tail.strip_prefix('&') {
                None => {
                    value.push(' ');
                    tail.get(1..).unwrap_or_default()
                }
                Some(tail) => match tail.find([';', '&']) {
                    Some(end) if tail[end..].starts_with(';') => {
                        self.resolve(&BytesRef::new(&tail[..end]), &mut value);
                        &tail[end + 1..]
                    }
                    _ => {
                        self.flag(XmlErrorKind::InvalidReference);
                        value.push('&');
                        tail
                    }
                },
            };
        }
        value.push_str(rest);
        value
    }

    fn text(&mut self, text: &str) {
        // References are events of their own: an ampersand in a text is none.
        if text.contains('&') {
            self.flag(XmlErrorKind::InvalidReference);
        }
        self.character_data(text);
    }

    fn character_data(&mut self, text: &str) {
        if text
            .bytes()
            .any(|byte| byte < b' ' && !byte.is_ascii_whitespace() || byte == b'\x0c')
        {
            self.flag(XmlErrorKind::InvalidCharacter);
        }
        self.piece.push_str(text);
    }

    fn reference(&mut self, reference: &BytesRef<'_>) {
        let mut piece = std::mem::take(&mut self.piece);
        self.resolve(reference, &mut piece);
        self.piece = piece;
    }

    /// A reference that cannot be resolved here stays as it is written.
    fn resolve(&mut self, reference: &BytesRef<'_>, text: &mut String) {
        let resolved = match &**reference {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        match resolved {
            Some(character) => {
                if character < ' ' && !matches!(character, '\t' | '\n' | '\r') {
                    self.flag(XmlErrorKind::InvalidReference);
                }
                text.push(character);
            }
            None => {
                match (reference.is_char_ref(), self.doctype) {
                    (true, _) => self.flag(XmlErrorKind::InvalidReference),
                    (false, false) => self.flag(XmlErrorKind::UndeclaredEntity),
                    (false, true) => {}
                }
                text.push('&');
                text.push_str(reference);
                text.push(';');
            }
        }
    }

    fn doctype(&mut self, declaration: &str) {
        self.doctype = true;
        let declaration = declaration.trim();
        if declaration.contains(char::is_whitespace) || declaration.contains('[') {
            self.add_text(declaration);
        }
    }

    /// Ends a piece of text, at a tag.
    fn flush(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        self.whole.push_str(&piece);
        let text = piece.trim_ascii();
        if text.is_empty() {
            return;
        }
        match self.open.last_mut() {
            Some(element) => {
                element.has_text = true;
                self.mixed |= element.has_child;
            }
            None => self.flag(XmlErrorKind::OutsideRoot),
        }
        self.add_text(text);
    }

    fn add_text(&mut self, text: &str) {
        if self.has_room() {
            self.found.texts.push(text.as_bytes().to_vec());
        }
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.found.texts.len() + self.found.attributes.len() < self.max_nodes;
        self.found.truncated |= !has_room;
        has_room
    }

    /// `rest` is what stands where the markup stopped making sense.
    fn finish(mut self, rest: &str) -> (XmlText, Option<XmlErrorKind>) {
        self.flush();
        if self.lost {
            self.add_text(rest.trim_ascii());
        } else if !self.open.is_empty() {
            self.flag(XmlErrorKind::UnclosedElement);
        } else if !self.root {
            self.flag(XmlErrorKind::NoRoot);
        }
        if self.mixed || self.found.truncated {
            self.found.texts.push(self.whole.trim_ascii().as_bytes().to_vec());
        }
        (self.found, self.fault)
    }
}

/// A name does not begin with a digit, a hyphen, a full stop or other punctuation (XML 1.0, 2.3).
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | ':') || !first.is_ascii())
}
