//! Requests that came before, to the byte: what harmless ones came to is recalled instead of evaluated once more
//! (docs/decisions/0050-requests-that-come-again.md).
//!
//! Clients ask the same again and again: applications poll, monitors probe, pages come with the same pictures. What
//! rules say of such a request follows from its head alone, as long as none of them looks at anything else. So a thread
//! keeps fingerprints of requests without a body that nothing was found in, and what they came to.
//!
//! - Only what left no trace is recalled: no entry in the log, no verdict, no persistent collection. What is blocked
//!   or detected is evaluated each time.
//! - Rules that look at what no other request has ([`Variable::is_unrepeatable`]) are seen doing so, and their
//!   request is not kept.
//! - A request is kept when it comes the second time: a flood of requests that all differ drives out none that was
//!   kept.
//! - Once courses take too much, the thread begins anew: nothing that clients send stays for good.
//!
//! [`Variable::is_unrepeatable`]: crate::variables::Variable::is_unrepeatable

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use crate::hash;
use crate::plan::RuleSet;
use crate::text::{push, pushed};

use super::heard::Fingerprint;
use super::named::Tx;
use super::state::Control;

/// What a request came to: the settings after phases 1, 2 and 5, and the members of `TX` at its end.
#[derive(Debug, PartialEq)]
pub(super) struct Course {
    /// Of `members`.
    hash: u64,
    pub(super) head: Control,
    pub(super) body: Control,
    pub(super) logging: Control,
    members: Box<[u8]>,
}

/// Whether a request came before.
#[derive(Debug)]
pub(super) enum Sight {
    First,
    /// Lately, and what it came to is not known.
    Again,
    Known(Arc<Course>),
}

/// Bytes of courses that a thread keeps for a rule set. One takes some kilobytes, and many requests have the same: the
/// CRS notes the names of their headers and their extension.
const BYTES: usize = 512 * 1024;

/// A longer course is that of no ordinary request.
const LONGEST: usize = 16 * 1024;

/// Rule sets whose requests a thread keeps. Those of others are evaluated each time.
const RULE_SETS: usize = 64;

/// Requests of a set that are kept.
const WAYS: usize = 3;

/// 100 MB.
const MOST_SETS: usize = 1 << 20;

thread_local! {
    static MEMORIES: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// What a thread knows of the requests before one rule set.
#[derive(Debug)]
struct Memory {
    /// The rule set's index, and whether it is still there.
    index: u64,
    life: Weak<()>,
    sets: Box<[Set]>,
    courses: Vec<Arc<Course>>,
    /// What they take.
    held: usize,
}

/// Requests whose fingerprints begin alike.
#[derive(Debug, Clone, Default)]
struct Set {
    /// The last one that came and was not known.
    seen: Option<Fingerprint>,
    /// The one that came last is the first.
    known: [Option<(Fingerprint, Arc<Course>)>; WAYS],
}

impl Course {
    pub(super) fn new(head: Control, body: Control, logging: Control, tx: &Tx) -> Self {
        let mut members = Vec::new();
        for (name, value) in tx.iter() {
            push(&mut members, name);
            push(&mut members, value);
        }
        Self {
            hash: hash::of(&members),
            head,
            body,
            logging,
            members: members.into_boxed_slice(),
        }
    }

    /// The value of a member of `TX`.
    pub(super) fn member(&self, name: &[u8]) -> Option<&[u8]> {
        let mut texts = pushed(&self.members);
        loop {
            let (known, value) = (texts.next()?, texts.next()?);
            if known.eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
    }

    fn held(&self) -> usize {
        size_of::<Self>() + self.members.len()
    }
}

/// Looks a request up, and notes that it came.
pub(super) fn look_up(rules: &RuleSet, request: Fingerprint) -> Sight {
    with_memory(rules, |memory| memory.look_up(request)).unwrap_or(Sight::First)
}

/// Keeps what a request came to.
pub(super) fn keep(rules: &RuleSet, request: Fingerprint, course: Course) {
    if course.held() <= LONGEST {
        with_memory(rules, |memory| memory.keep(request, course));
    }
}

/// `None` where there is no memory for the rule set, and while a thread ends.
fn with_memory<R>(rules: &RuleSet, act: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    let found = MEMORIES.try_with(|memories| {
        let mut memories = memories.borrow_mut();
        let index = rules.index().id();
        if let Some(memory) = memories.iter_mut().find(|memory| memory.index == index) {
            return Some(act(memory));
        }
        memories.retain(|memory| memory.life.strong_count() > 0);
        if memories.len() == RULE_SETS {
            return None;
        }
        memories.push(Memory::new(rules));
        memories.last_mut().map(act)
    });
    found.ok().flatten()
}

impl Memory {
    fn new(rules: &RuleSet) -> Self {
        let sets = rules.limits().recalled_requests.div_ceil(WAYS).min(MOST_SETS);
        Self {
            index: rules.index().id(),
            life: Arc::downgrade(rules.life()),
            sets: vec![Set::default(); sets].into_boxed_slice(),
            courses: Vec::new(),
            held: 0,
        }
    }

    fn set(&mut self, request: Fingerprint) -> Option<&mut Set> {
        let place = (u128::from(request.0) * self.sets.len() as u128) >> 64;
        self.sets.get_mut(place as usize)
    }

    fn look_up(&mut self, request: Fingerprint) -> Sight {
        self.set(request).map_or(Sight::First, |set| set.look_up(request))
    }

    fn keep(&mut self, request: Fingerprint, course: Course) {
        let course = self.shared(course);
        if let Some(set) = self.set(request) {
            set.keep(request, course);
        }
    }

    /// The course, or one that is the same.
    fn shared(&mut self, course: Course) -> Arc<Course> {
        let mut known = self.courses.iter();
        if let Some(same) = known.find(|known| known.hash == course.hash && ***known == course) {
            return Arc::clone(same);
        }
        if self.held + course.held() > BYTES {
            self.sets.fill(Set::default());
            self.courses.clear();
            self.held = 0;
        }
        self.held += course.held();
        let course = Arc::new(course);
        self.courses.push(Arc::clone(&course));
        course
    }
}

impl Set {
    fn look_up(&mut self, request: Fingerprint) -> Sight {
        if let Some(place) = self.place(request) {
            self.known[..=place].rotate_right(1);
            if let Some((_, course)) = &self.known[0] {
                return Sight::Known(Arc::clone(course));
            }
        }
        match self.seen.replace(request) {
            Some(seen) if seen == request => Sight::Again,
            _ => Sight::First,
        }
    }

    /// In the place of itself, or of the one that came longest ago.
    fn keep(&mut self, request: Fingerprint, course: Arc<Course>) {
        let place = self.place(request).unwrap_or(WAYS - 1);
        self.known[..=place].rotate_right(1);
        self.known[0] = Some((request, course));
    }

    fn place(&self, request: Fingerprint) -> Option<usize> {
        let mut known = self.known.iter();
        known.position(|entry| entry.as_ref().is_some_and(|(known, _)| *known == request))
    }
}
