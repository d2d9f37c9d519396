//! Writes that a client does not let through: by taking nothing, for as long as it likes.
//!
//! Pingora has a deadline for each part of a body, but none for what it flushes behind it, for heads, or for the end of a
//! connection; and HTTP/2 has one socket for all of its streams. So the deadline is here, below all of that.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// A write that waits, if there is one.
#[derive(Debug, Default)]
pub(super) struct Stall {
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    /// What came of a write, or an error once none has come to anything for so long.
    pub(super) fn watch<T>(
        &mut self,
        write: Poll<io::Result<T>>,
        context: &mut Context<'_>,
        longest: Duration,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            if self.deadline.is_some() {
                self.deadline = None;
            }
            return write;
        }
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_write_waits_so_long_and_each_that_is_taken_begins_anew() {
        let mut stall = Stall::default();
        for _ in 0..3 {
            let waited = poll_fn(|context| stall.watch::<()>(Poll::Pending, context, LONGEST));
            assert!(tokio::time::timeout(LONGEST / 2, waited).await.is_err());
            let taken = poll_fn(|context| stall.watch(Poll::Ready(Ok(5)), context, LONGEST)).await;
            assert_eq!(taken.unwrap(), 5);
        }
        let since = tokio::time::Instant::now();
        let waited = poll_fn(|context| stall.watch::<()>(Poll::Pending, context, LONGEST)).await;
        assert_eq!(waited.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(since.elapsed() >= LONGEST);
    }
}
