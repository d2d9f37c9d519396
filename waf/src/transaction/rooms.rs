//! Memory that transactions hand on: most of them allocate next to none.
//!
//! What a phase fills is the thread's again once the phase is over. However many transactions wait for a body or for an
//! upstream, the next phase finds the same memory, which the processor's caches hold.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::Index;

use super::Candidates;
use super::named::Tx;

/// A transaction's number: no other of the process has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(u64);

/// What phases fill while their rules run. It belongs to one rule set: what is known of values depends on what its
/// rules ask.
#[derive(Debug)]
struct Room {
    /// [`Index::id`].
    index: u64,
    /// Whose values are in it; without one it is empty.
    owner: Option<Owner>,
    candidates: Candidates,
}

/// Rooms and members of `TX` that a thread keeps, for all rule sets.
const KEPT: usize = 32;

/// What grew beyond this was for an unusual request; it is not kept.
const KEPT_BYTES: usize = 384 * 1024;

/// Nor is that of an unusual head.
const KEPT_HEAD: usize = 16 * 1024;

thread_local! {
    /// Those used last at the end.
    static ROOMS: RefCell<VecDeque<Room>> = const { RefCell::new(VecDeque::new()) };
    static MEMBERS: RefCell<Vec<Tx>> = const { RefCell::new(Vec::new()) };
    static BYTES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Owner {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Candidates to fill, and whether they are those that the same transaction left.
pub(super) fn enter(index: &Index, owner: Owner) -> (Candidates, bool) {
    let known = ROOMS.with_borrow_mut(|rooms| {
        let place = rooms.iter().rposition(|room| room.index == index.id())?;
        rooms.remove(place)
    });
    let Some(mut room) = known else {
        return (Candidates::default(), false);
    };
    if room.owner == Some(owner) {
        return (room.candidates, true);
    }
    if room.owner.is_some() {
        room.candidates.clear();
    }
    (room.candidates, false)
}

/// Gives candidates back after a phase. With an owner its values stay for its next phase, if nobody else comes
/// before; else they are forgotten.
pub(super) fn leave(index: &Index, owner: Option<Owner>, mut candidates: Candidates) {
    if candidates.held() > KEPT_BYTES {
        return;
    }
    if owner.is_none() {
        candidates.clear();
    }
    let room = Room {
        index: index.id(),
        owner,
        candidates,
    };
    // A thread that ends has no rooms any more.
    let _ = ROOMS.try_with(|rooms| {
        let mut rooms = rooms.borrow_mut();
        if rooms.len() == KEPT {
            // Those of rule sets that are gone come to this end.
            rooms.pop_front();
        }
        rooms.push_back(room);
    });
}

/// Forgets what a transaction that ends may have left.
pub(super) fn forget(owner: Owner) {
    let _ = ROOMS.try_with(|rooms| {
        let mut rooms = rooms.borrow_mut();
        let left = rooms.iter_mut().find(|room| room.owner == Some(owner));
        if let Some(room) = left {
            room.owner = None;
            room.candidates.clear();
        }
    });
}

/// An empty `TX`.
pub(super) fn members() -> Tx {
    MEMBERS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keeps the memory of a `TX` for another transaction.
pub(super) fn keep_members(mut tx: Tx) {
    if tx.held() > KEPT_BYTES {
        return;
    }
    tx.clear();
    let _ = MEMBERS.try_with(|members| {
        let mut members = members.borrow_mut();
        if members.len() < KEPT {
            members.push(tx);
        }
    });
}

/// Memory for a head that is heard.
pub(super) fn bytes() -> Vec<u8> {
    BYTES.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keeps it for another transaction.
pub(super) fn keep_bytes(bytes: Vec<u8>) {
    if bytes.capacity() > KEPT_HEAD {
        return;
    }
    let _ = BYTES.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push(bytes);
        }
    });
}
