//! Requests that came before, to the byte: what harmless ones came to is recalled instead of evaluated once more
//! (docs/decisions/0050-requests-that-come-again.md).
//!
//! Clients ask the same again and again: applications poll, monitors probe, pages come with the same pictures. What
//! rules say of such a request follows from its head alone, as long as none of them looks at anything else. So a thread
//! keeps fingerprints of requests without a body that nothing was found in, and the state that they left.
//!
//! - Only what left no trace is recalled: no entry in the log, no verdict, no persistent collection. What is blocked
//!   or detected is evaluated each time.
//! - Rules that look at what no other request has ([`Variable::is_unrepeatable`]) are seen doing so, and their
//!   request is not kept.
//! - A request is kept when it comes the second time: a flood of requests that all differ drives out none that was
//!   kept.
//! - No bytes of requests are kept but those that rules copied into `TX`, and no more than [`STATES`] different states.
//!
//! [`Variable::is_unrepeatable`]: crate::variables::Variable::is_unrepeatable

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::plan::Index;
use crate::rule::Severity;

use super::State;
use super::named::Tx;
use super::state::Control;
use super::told::Fingerprint;

/// What rules have written once a phase is over.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) tx: Tx,
    pub(super) control: Control,
    highest_severity: Option<Severity>,
}

/// What a request came to: after phase 1, after phase 2, and after phase 5 if nothing was said of an answer.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) head: Arc<Snapshot>,
    pub(super) body: Arc<Snapshot>,
    pub(super) logging: Option<Arc<Snapshot>>,
}

/// Whether a request came before.
#[derive(Debug)]
pub(super) enum Sight {
    First,
    /// Lately, and what it came to is not known.
    Again,
    Known(Arc<Course>),
}

/// Different states that a thread keeps for a rule set: ordinary requests come to a handful. Each is some kilobytes.
const STATES: usize = 64;

/// Rule sets whose requests a thread keeps.
const RULE_SETS: usize = 32;

/// Requests of a set that are kept.
const WAYS: usize = 3;

thread_local! {
    /// Those used last at the end.
    static MEMORIES: RefCell<VecDeque<Memory>> = const { RefCell::new(VecDeque::new()) };
}

/// What a thread knows of the requests before one rule set.
#[derive(Debug)]
struct Memory {
    /// [`Index::id`].
    index: u64,
    /// As many as a power of two.
    sets: Box<[Set]>,
    snapshots: Vec<Arc<Snapshot>>,
    courses: Vec<Arc<Course>>,
}

/// Requests whose fingerprints end in the same bits.
#[derive(Debug, Clone, Default)]
struct Set {
    /// The last one that came for the first time.
    seen: Option<Fingerprint>,
    /// The one that came last is the first.
    known: [Option<(Fingerprint, Arc<Course>)>; WAYS],
}

impl Snapshot {
    pub(super) fn of(state: &State) -> Self {
        Self {
            tx: state.tx.clone(),
            control: state.control.clone(),
            highest_severity: state.highest_severity,
        }
    }

    /// Makes a state that no rule has written to what it was.
    pub(super) fn restore(&self, state: &mut State) {
        state.tx.clone_from(&self.tx);
        state.control.clone_from(&self.control);
        state.highest_severity = self.highest_severity;
    }
}

/// Looks a request up, and notes that it came. `room` is for how many requests there is to be room.
pub(super) fn look_up(index: &Index, room: usize, request: Fingerprint) -> Sight {
    with_memory(index, room, |memory| memory.look_up(request)).unwrap_or(Sight::First)
}

/// The state, or one that is the same. `None` once there are too many.
pub(super) fn keep_state(index: &Index, room: usize, state: &State) -> Option<Arc<Snapshot>> {
    with_memory(index, room, |memory| memory.keep_state(Snapshot::of(state))).flatten()
}

/// Keeps what a request came to.
pub(super) fn keep(index: &Index, room: usize, request: Fingerprint, course: Course) {
    let _ = with_memory(index, room, |memory| memory.keep(request, course));
}

/// `None` while a thread ends.
fn with_memory<R>(index: &Index, room: usize, act: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    let found = MEMORIES.try_with(|memories| {
        let mut memories = memories.borrow_mut();
        let place = memories.iter().rposition(|memory| memory.index == index.id());
        match place {
            Some(place) if place + 1 == memories.len() => {}
            Some(place) => {
                let memory = memories.remove(place);
                memories.extend(memory);
            }
            None => {
                if memories.len() == RULE_SETS {
                    // Those of rule sets that are gone come to this end.
                    memories.pop_front();
                }
                memories.push_back(Memory::new(index.id(), room));
            }
        }
        memories.back_mut().map(act)
    });
    found.ok().flatten()
}

impl Memory {
    fn new(index: u64, room: usize) -> Self {
        let sets = room.div_ceil(WAYS).next_power_of_two();
        Self {
            index,
            sets: vec![Set::default(); sets].into_boxed_slice(),
            snapshots: Vec::new(),
            courses: Vec::new(),
        }
    }

    fn set(&mut self, request: Fingerprint) -> Option<&mut Set> {
        let place = request.0 as usize & (self.sets.len() - 1);
        self.sets.get_mut(place)
    }

    fn look_up(&mut self, request: Fingerprint) -> Sight {
        self.set(request).map_or(Sight::First, |set| set.look_up(request))
    }

    fn keep(&mut self, request: Fingerprint, course: Course) {
        let Some(course) = self.shared(course) else { return };
        if let Some(set) = self.set(request) {
            set.keep(request, course);
        }
    }

    fn keep_state(&mut self, snapshot: Snapshot) -> Option<Arc<Snapshot>> {
        if let Some(same) = self.snapshots.iter().find(|known| ***known == snapshot) {
            return Some(Arc::clone(same));
        }
        if self.snapshots.len() == STATES {
            self.courses.retain(|course| Arc::strong_count(course) > 1);
            self.snapshots.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        }
        if self.snapshots.len() == STATES {
            return None;
        }
        self.snapshots.push(Arc::new(snapshot));
        self.snapshots.last().cloned()
    }

    /// The course, or one that is the same.
    fn shared(&mut self, course: Course) -> Option<Arc<Course>> {
        let same = |known: &&Arc<Course>| known.is(&course);
        if let Some(same) = self.courses.iter().find(same) {
            return Some(Arc::clone(same));
        }
        if self.courses.len() >= STATES * 3 {
            self.courses.retain(|course| Arc::strong_count(course) > 1);
        }
        if self.courses.len() >= STATES * 3 {
            return None;
        }
        self.courses.push(Arc::new(course));
        self.courses.last().cloned()
    }
}

impl Course {
    pub(super) fn new(head: &Arc<Snapshot>, body: &Arc<Snapshot>, logging: Option<Arc<Snapshot>>) -> Self {
        Self {
            head: Arc::clone(head),
            body: Arc::clone(body),
            logging,
        }
    }

    fn is(&self, other: &Course) -> bool {
        let logging = match (&self.logging, &other.logging) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        logging && Arc::ptr_eq(&self.head, &other.head) && Arc::ptr_eq(&self.body, &other.body)
    }
}

impl Set {
    fn look_up(&mut self, request: Fingerprint) -> Sight {
        let mut known = self.known.iter();
        let place = known.position(|entry| entry.as_ref().is_some_and(|(known, _)| *known == request));
        if let Some(place) = place {
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
        let is =
            |entry: &Option<(Fingerprint, _)>| entry.as_ref().is_some_and(|(known, _)| *known == request);
        let place = self.known.iter().position(is).unwrap_or(WAYS - 1);
        self.known[..=place].rotate_right(1);
        self.known[0] = Some((request, course));
        self.seen = None;
    }
}
