//! Memory that transactions hand on: most of them allocate next to none.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::plan::Index;

use super::Candidates;
use super::named::Tx;

/// What a transaction fills while its rules run. It belongs to one rule set: what is known of values depends on
/// what its rules ask.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// [`Index::id`].
    index: u64,
    pub(super) tx: Tx,
    pub(super) candidates: Candidates,
}

/// Rooms that a thread keeps, for all rule sets: more than it has transactions waiting for a body at a time.
const KEPT: usize = 32;

/// A room that grew beyond this was for an unusual request; it is not kept.
const KEPT_BYTES: usize = 384 * 1024;

thread_local! {
    /// Those used last at the end.
    static ROOMS: RefCell<VecDeque<Room>> = const { RefCell::new(VecDeque::new()) };
}

impl Room {
    /// An empty room: one that the same rule set used before, if there is one.
    pub(super) fn of(index: &Index) -> Self {
        let known = ROOMS.with_borrow_mut(|rooms| {
            let place = rooms.iter().rposition(|room| room.index == index.id())?;
            rooms.remove(place)
        });
        known.unwrap_or_else(|| Self {
            index: index.id(),
            ..Self::default()
        })
    }

    /// Keeps a room for another transaction of the rule set.
    pub(super) fn give_back(index: &Index, tx: Tx, candidates: Candidates) {
        let mut room = Self {
            index: index.id(),
            tx,
            candidates,
        };
        if room.tx.held() + room.candidates.held() > KEPT_BYTES {
            return;
        }
        room.tx.clear();
        room.candidates.clear();
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
}
