//! A transaction whose request may have come before: nothing of it runs as long as nobody tells it anything new. Once
//! somebody does, the phases that were passed over run after all.

use std::mem::take;
use std::sync::Arc;

use bytes::Bytes;

use crate::rule::Phase;

use super::heard::{Fingerprint, Heard};
use super::recall::{self, Course, Sight};
use super::state::Control;
use super::{Completeness, Evaluation, Transaction, rooms};

/// Where a request stands with those that came before.
#[derive(Debug, Default)]
pub(super) enum Recall {
    /// It is evaluated, and what it comes to is kept nowhere.
    #[default]
    Out,
    /// Its head is being told.
    Open(Heard),
    /// It is evaluated, and what it comes to is kept.
    Recording(Recording),
    /// It is not evaluated.
    Recalled(Heard, Arc<Course>),
}

/// The settings after the phases that have run.
#[derive(Debug)]
pub(super) struct Recording {
    request: Fingerprint,
    head: Option<Control>,
    body: Option<Control>,
}

impl Recall {
    pub(super) fn new(room: usize, evaluation: Evaluation) -> Self {
        match room > 0 && evaluation == Evaluation::Indexed {
            true => Self::Open(Heard::within(rooms::bytes())),
            false => Self::Out,
        }
    }

    /// Takes the request line, if the head is being told.
    pub(super) fn hears_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) -> bool {
        match self {
            Self::Open(heard) => heard.line(method, uri, protocol),
            _ => false,
        }
    }

    /// Takes a header, if the head is being told.
    pub(super) fn hears_header(&mut self, name: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Open(heard) => heard.header(name, value),
            _ => false,
        }
    }

    /// Its memory is for another transaction.
    pub(super) fn give_back(&mut self) {
        if let Self::Open(heard) | Self::Recalled(heard, _) = take(self) {
            rooms::keep_bytes(heard.into_memory());
        }
    }
}

impl Transaction {
    /// Phase 1, if what it comes to is known.
    pub(super) fn recalls_head(&mut self) -> bool {
        let Recall::Open(heard) = &self.recall else {
            return false;
        };
        let request = heard.fingerprint(self.facts.client, self.facts.server);
        match recall::look_up(&self.rules, request) {
            Sight::First => self.settle(),
            Sight::Again => {
                self.settle();
                self.recall = Recall::Recording(Recording {
                    request,
                    head: None,
                    body: None,
                });
            }
            Sight::Known(course) => {
                if let Recall::Open(heard) = take(&mut self.recall) {
                    self.recall = Recall::Recalled(heard, course);
                }
                self.done = Some(Phase::RequestHeaders);
                return true;
            }
        }
        false
    }

    /// Phase 2, if what it comes to is known.
    pub(super) fn recalls_body(&mut self, body: &Bytes, completeness: Completeness) -> bool {
        let nothing = body.is_empty() && completeness == Completeness::Complete;
        match &self.recall {
            Recall::Recalled(..) if nothing && self.done == Some(Phase::RequestHeaders) => {
                self.done = Some(Phase::RequestBody);
                return true;
            }
            Recall::Recording(_) if nothing => {}
            _ => self.tell_more(),
        }
        false
    }

    /// Phase 5, if what it comes to is known.
    pub(super) fn recalls_logging(&mut self) -> bool {
        let behind = matches!(self.done, Some(Phase::RequestBody | Phase::Logging));
        match &self.recall {
            Recall::Recalled(..) if behind => {
                self.done = Some(Phase::Logging);
                return true;
            }
            Recall::Recording(_) => {}
            _ => self.tell_more(),
        }
        false
    }

    /// Something comes that the request before did not have: from here on this one is evaluated.
    pub(super) fn tell_more(&mut self) {
        match &self.recall {
            Recall::Out => {}
            Recall::Open(_) => self.settle(),
            Recall::Recording(_) => self.recall = Recall::Out,
            Recall::Recalled(..) => self.catch_up(),
        }
    }

    /// Runs the phases that were passed over: they find what the request before has shown, that is nothing.
    fn catch_up(&mut self) {
        self.settle();
        let done = take(&mut self.done);
        if done >= Some(Phase::RequestHeaders) {
            let _ = self.request_headers();
        }
        if done >= Some(Phase::RequestBody) {
            let _ = self.request_body(Bytes::new(), Completeness::Complete);
        }
        if done == Some(Phase::Logging) {
            self.logging();
        }
    }

    /// What was heard becomes facts; the request is out.
    fn settle(&mut self) {
        if let Recall::Open(heard) | Recall::Recalled(heard, _) = take(&mut self.recall) {
            let mut texts = heard.texts();
            if let [Some(method), Some(uri), Some(protocol)] = [texts.next(), texts.next(), texts.next()] {
                self.take_line(method, uri, protocol);
            }
            while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
                self.take_header(name, value);
            }
            drop(texts);
            rooms::keep_bytes(heard.into_memory());
        }
    }

    /// The same request, evaluated; `None` if this one was.
    pub(super) fn evaluated(&self) -> Option<Transaction> {
        let recall = match &self.recall {
            Recall::Open(heard) => Recall::Open(heard.clone()),
            Recall::Recalled(heard, course) => Recall::Recalled(heard.clone(), Arc::clone(course)),
            Recall::Out | Recall::Recording(_) => return None,
        };
        let mut evaluated = self.rules.transaction(self.facts.origin.clone());
        evaluated.recall.give_back();
        evaluated.facts.client = self.facts.client;
        evaluated.facts.server = self.facts.server;
        evaluated.done = self.done;
        evaluated.recall = recall;
        evaluated.tell_more();
        Some(evaluated)
    }

    /// The settings at this moment.
    pub(super) fn control(&self) -> &Control {
        match (self.course(), self.done) {
            (None, _) => &self.state.control,
            (Some(course), Some(Phase::Logging)) => &course.logging,
            (Some(course), Some(Phase::RequestBody)) => &course.body,
            (Some(course), _) => &course.head,
        }
    }

    /// The value of a member of `TX`, where all phases were recalled.
    pub(super) fn recalled_member(&self, name: &str) -> Option<Option<&[u8]>> {
        let course = self.course().filter(|_| self.done == Some(Phase::Logging));
        course.map(|course| course.member(name.as_bytes()))
    }

    pub(super) fn course(&self) -> Option<&Course> {
        match &self.recall {
            Recall::Recalled(_, course) => Some(course),
            _ => None,
        }
    }

    /// What a phase has come to, for the next request that is the same.
    pub(super) fn record(&mut self, phase: Phase) {
        let Recall::Recording(mut recording) = take(&mut self.recall) else {
            return;
        };
        if !self.state.is_calm() || self.facts.are_unrepeatable() {
            return;
        }
        let control = self.state.control.clone();
        match (phase, recording.head.take(), recording.body.take()) {
            (Phase::RequestHeaders, ..) => recording.head = Some(control),
            (Phase::RequestBody, Some(head), _) => {
                recording.head = Some(head);
                recording.body = Some(control);
            }
            (Phase::Logging, Some(head), Some(body)) => {
                let course = Course::new(head, body, control, &self.state.tx);
                return recall::keep(&self.rules, recording.request, course);
            }
            _ => return,
        }
        self.recall = Recall::Recording(recording);
    }
}
