//! A transaction whose request may have come before: it is recalled as long as nobody tells it anything new, and
//! evaluated from where it stands once somebody does.

use std::mem::take;
use std::sync::Arc;

use bytes::Bytes;

use crate::rule::Phase;

use super::named::Tx;
use super::recall::{self, Course, Sight, Snapshot};
use super::state::Control;
use super::told::{Fingerprint, Told};
use super::{Completeness, Evaluation, Transaction, request_body, request_headers, rooms};

/// Where a request stands with those that came before.
#[derive(Debug, Default)]
pub(super) enum Recall {
    /// It is evaluated, and nobody will want to know what it comes to.
    #[default]
    Out,
    /// Its head is being told.
    Open(Told),
    /// What its phases come to is kept.
    Recording(Recording),
    /// No rule has run.
    Recalled(Told, Arc<Course>),
}

/// What the phases have come to so far.
#[derive(Debug)]
pub(super) struct Recording {
    request: Fingerprint,
    head: Option<Arc<Snapshot>>,
    body: Option<Arc<Snapshot>>,
}

impl Recall {
    pub(super) fn new(room: usize, evaluation: Evaluation) -> Self {
        match room > 0 && evaluation == Evaluation::Indexed {
            true => Self::Open(Told::within(rooms::memory())),
            false => Self::Out,
        }
    }

    /// Takes the request line, if the head is being told.
    pub(super) fn hears_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) -> bool {
        match self {
            Self::Open(told) => told.line(method, uri, protocol),
            _ => false,
        }
    }

    /// Takes a header, if the head is being told.
    pub(super) fn hears_header(&mut self, name: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Open(told) => told.header(name, value),
            _ => false,
        }
    }

    /// Its memory is for another transaction.
    pub(super) fn give_back(&mut self) {
        if let Self::Open(told) | Self::Recalled(told, _) = take(self) {
            rooms::keep_memory(told.into_memory());
        }
    }
}

impl Transaction {
    /// Phase 1, if what it comes to is known.
    pub(super) fn recalls_head(&mut self) -> bool {
        let Recall::Open(told) = &self.recall else {
            return false;
        };
        let request = told.fingerprint(self.facts.client, self.facts.server);
        match recall::look_up(self.rules.index(), self.room(), request) {
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
                if let Recall::Open(told) = take(&mut self.recall) {
                    self.recall = Recall::Recalled(told, course);
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
            Recall::Recalled(_, course) if course.logging.is_some() && behind && !self.was_answered() => {
                self.done = Some(Phase::Logging);
                return true;
            }
            Recall::Recording(_) => {}
            _ => self.tell_more(),
        }
        false
    }

    /// Something comes that another request need not have had: from here on this one is evaluated, from the state
    /// that its phases have left or would have.
    pub(super) fn tell_more(&mut self) {
        match &self.recall {
            Recall::Out => {}
            Recall::Open(_) => self.settle(),
            Recall::Recording(_) => self.recall = Recall::Out,
            Recall::Recalled(_, course) => {
                let course = Arc::clone(course);
                self.settle();
                self.catch_up(&course);
            }
        }
    }

    fn catch_up(&mut self, course: &Course) {
        request_headers::prepare(&mut self.facts, &mut self.state);
        course.head.restore(&mut self.state);
        if self.done < Some(Phase::RequestBody) {
            return;
        }
        if self.runs(Phase::RequestBody) {
            let (rules, complete) = (&self.rules, Completeness::Complete);
            request_body::read(rules, &mut self.facts, &self.state, Bytes::new(), complete);
        }
        course.body.restore(&mut self.state);
        if let Some(logging) = course
            .logging
            .as_ref()
            .filter(|_| self.done == Some(Phase::Logging))
        {
            logging.restore(&mut self.state);
        }
    }

    /// What was told becomes facts; the request is out.
    pub(super) fn settle(&mut self) {
        if let Recall::Open(told) | Recall::Recalled(told, _) = take(&mut self.recall) {
            let mut texts = told.texts();
            if let [Some(method), Some(uri), Some(protocol)] = [texts.next(), texts.next(), texts.next()] {
                self.take_line(method, uri, protocol);
            }
            while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
                self.take_header(name, value);
            }
            drop(texts);
            rooms::keep_memory(told.into_memory());
        }
    }

    /// The same request as if no memory of others had been asked.
    pub(super) fn evaluated(&self) -> Option<Transaction> {
        let recall = match &self.recall {
            Recall::Open(told) => Recall::Open(told.clone()),
            Recall::Recalled(told, course) => Recall::Recalled(told.clone(), Arc::clone(course)),
            Recall::Out | Recall::Recording(_) => return None,
        };
        let mut evaluated = self.rules.transaction(self.facts.origin.clone());
        evaluated.facts.client = self.facts.client;
        evaluated.facts.server = self.facts.server;
        evaluated.facts.response = self.facts.response.clone();
        evaluated.done = self.done;
        evaluated.recall = recall;
        evaluated.tell_more();
        Some(evaluated)
    }

    pub(super) fn control(&self) -> &Control {
        self.recalled_state()
            .map_or(&self.state.control, |state| &state.control)
    }

    pub(super) fn tx(&self) -> &Tx {
        self.recalled_state().map_or(&self.state.tx, |state| &state.tx)
    }

    /// Whether no rule has run for it, as it came before.
    #[cfg(test)]
    pub(super) fn is_recalled(&self) -> bool {
        self.recalled_state().is_some()
    }

    fn recalled_state(&self) -> Option<&Snapshot> {
        let Recall::Recalled(_, course) = &self.recall else {
            return None;
        };
        let state = match (self.done, &course.logging) {
            (Some(Phase::Logging), Some(logging)) => logging,
            (Some(Phase::RequestHeaders) | None, _) => &course.head,
            _ => &course.body,
        };
        Some(state)
    }

    /// Whether anything was told of an answer.
    fn was_answered(&self) -> bool {
        let answer = &self.facts.response;
        answer.status.is_some() || !answer.headers.is_empty() || !answer.body.is_empty()
    }

    /// For how many requests there is room.
    fn room(&self) -> usize {
        self.rules.limits().recalled_requests
    }

    /// What a phase has come to, for the next request that is the same.
    pub(super) fn record(&mut self, phase: Phase) {
        let Recall::Recording(mut recording) = take(&mut self.recall) else {
            return;
        };
        let repeatable = self.state.is_calm() && !self.facts.are_unrepeatable() && !self.was_answered();
        let (index, room) = (self.rules.index(), self.room());
        let Some(state) = repeatable
            .then(|| recall::keep_state(index, room, &self.state))
            .flatten()
        else {
            return;
        };
        match (phase, &recording.head, &recording.body) {
            (Phase::RequestHeaders, ..) => recording.head = Some(state),
            (Phase::RequestBody, Some(head), _) => {
                recall::keep(index, room, recording.request, Course::new(head, &state, None));
                recording.body = Some(state);
            }
            (Phase::Logging, Some(head), Some(body)) => {
                recall::keep(
                    index,
                    room,
                    recording.request,
                    Course::new(head, body, Some(state)),
                );
                return;
            }
            _ => return,
        }
        self.recall = Recall::Recording(recording);
    }
}
