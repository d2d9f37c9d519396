//! What goes wrong on demand.

use std::time::Duration;

/// What happens instead of a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// This status in the usual envelope; nothing was done. A 429 says `retry-after: 1`.
    Status(u16),
    /// The connection is closed without an answer; nothing was done.
    ResetBefore,
    /// It was done, and the connection is closed without an answer.
    ResetAfter,
    /// No answer ever; nothing was done.
    Hang,
    /// It was done, and there is no answer ever.
    HangAfter,
    /// It is done and answered as usual, after a while.
    Slow(Duration),
    /// It was done; the answer is status 200 and no JSON.
    Garbage,
    /// It was done; the answer ends in its middle.
    Truncated,
    /// It was done; the answer has so many bytes of blanks before its end.
    Oversize(usize),
}

/// A fault and the requests that it befalls.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: FaultKind,
    method: String,
    path_end: String,
    times: usize,
}

impl Fault {
    /// Befalls the next request, whatever it is.
    pub fn new(kind: FaultKind) -> Self {
        Fault {
            kind,
            method: String::new(),
            path_end: String::new(),
            times: 1,
        }
    }

    /// Only requests by this method (empty: any) to a path that ends in this.
    pub fn on(mut self, method: &str, path_end: &str) -> Self {
        self.method = method.to_owned();
        self.path_end = path_end.to_owned();
        self
    }

    /// So many requests.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What befalls this request.
    pub(super) fn take(&mut self, method: &str, path: &str) -> Option<FaultKind> {
        let matches = |fault: &&mut Fault| {
            (fault.method.is_empty() || fault.method == method) && path.ends_with(&fault.path_end)
        };
        let fault = self.0.iter_mut().find(matches)?;
        fault.times = fault.times.saturating_sub(1);
        let kind = fault.kind.clone();
        self.0.retain(|fault| fault.times > 0);
        Some(kind)
    }
}
