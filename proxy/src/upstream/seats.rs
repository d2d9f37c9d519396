//! Requests in flight at an address, by whichever route they came: what a backend can bear is a fact about the backend,
//! and two routes that lead to it share it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use futures_util::future::{pending, select_all};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The seats of one address.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: AtomicUsize,
    /// Those who want to hear when one is freed: the first of each line, and no more.
    watched: AtomicUsize,
    freed: Arc<Notify>,
}

/// The seats of all addresses, for all routes of an edge. It outlives reloads.
#[derive(Debug, Default)]
pub struct Hall {
    seats: Mutex<HashMap<SocketAddr, Weak<Seats>>>,
}

impl Hall {
    /// Those of this address.
    pub(super) fn seats(&self, address: SocketAddr) -> Arc<Seats> {
        let mut all = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = all.get(&address).and_then(Weak::upgrade) {
            return seats;
        }
        // A new address is rare, so this is the time to forget those that nobody has any more.
        all.retain(|_, seats| seats.strong_count() > 0);
        let seats = Arc::<Seats>::default();
        all.insert(address, Arc::downgrade(&seats));
        seats
    }
}

impl Seats {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Takes one, if fewer than `most` are taken. Nobody sees one taken that is given back at once.
    pub(super) fn take(&self, most: Option<NonZeroUsize>) -> bool {
        let Some(most) = most else {
            self.taken.fetch_add(1, Ordering::SeqCst);
            return true;
        };
        let taken = self
            .taken
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |taken| {
                (taken < most.get()).then_some(taken + 1)
            });
        taken.is_ok()
    }

    /// Gives one back.
    pub(super) fn free(&self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
        if self.watched.load(Ordering::SeqCst) > 0 {
            self.freed.notify_waiters();
        }
    }
}

/// Ends when one of these is freed after this call, not after the first poll.
pub(super) fn freed(seats: impl Iterator<Item = Arc<Seats>>) -> impl Future<Output = ()> + Send {
    let watches: Vec<Watch> = seats.map(Watch::new).collect();
    async move {
        match watches.is_empty() {
            true => pending().await,
            false => drop(select_all(watches).await),
        }
    }
}

struct Watch {
    seats: Arc<Seats>,
    freed: Pin<Box<OwnedNotified>>,
}

impl Watch {
    fn new(seats: Arc<Seats>) -> Self {
        seats.watched.fetch_add(1, Ordering::SeqCst);
        let mut freed = Box::pin(Arc::clone(&seats.freed).notified_owned());
        freed.as_mut().enable();
        Self { seats, freed }
    }
}

impl Future for Watch {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.freed.as_mut().poll(context)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.seats.watched.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 80))
    }

    #[test]
    fn an_address_has_the_same_seats_for_everybody_and_is_forgotten_with_its_last_user() {
        let hall = Hall::default();
        let (one, again, other) = (
            hall.seats(address(1)),
            hall.seats(address(1)),
            hall.seats(address(2)),
        );
        assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &other));
        drop((one, again));
        drop(hall.seats(address(3)));
        drop(hall.seats(address(4)));
        assert_eq!(hall.seats.lock().unwrap().len(), 2);
    }

    #[test]
    fn no_more_than_there_are() {
        let (seats, two) = (Seats::default(), NonZeroUsize::new(2));
        assert!(seats.take(two) && seats.take(two) && !seats.take(two));
        assert_eq!(seats.taken(), 2);
        assert!(seats.take(None));
        seats.free();
        seats.free();
        assert!(seats.take(two) && !seats.take(two));
    }

    #[test]
    fn whoever_watches_hears_of_the_first_that_is_freed() {
        let (one, other) = (Arc::<Seats>::default(), Arc::<Seats>::default());
        other.take(None);
        let mut heard = Box::pin(freed([Arc::clone(&one), Arc::clone(&other)].into_iter()));
        assert_eq!(heard.as_mut().now_or_never(), None);
        other.free();
        assert_eq!(heard.now_or_never(), Some(()));
        assert_eq!(one.watched.load(Ordering::SeqCst), 0);
        assert_eq!(other.watched.load(Ordering::SeqCst), 0);
        assert_eq!(freed(std::iter::empty()).now_or_never(), None);
    }
}
