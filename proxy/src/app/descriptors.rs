//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// What the process needs besides clients' connections: logs, listeners, idle connections to backends.
const OTHERS: u64 = 1024;

/// Raises the limit as far as the process may: shells begin with 1,024, and a connection takes one or two. Where that is
/// too little for `connections` at once it is said: those above it wait, and the log would say only "too many open files".
pub(super) fn raise(connections: usize) {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        maximum: before.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => before.maximum,
        Err(_) => before.current,
    };
    if let Some(limit) = limit.filter(|limit| is_too_low(*limit, connections)) {
        warn!(
            limit,
            max_connections = connections,
            "more connections than files may be open: raise the limit (ulimit -n, LimitNOFILE) or lower max_connections"
        );
    }
}

fn is_too_low(limit: u64, connections: usize) -> bool {
    u64::try_from(connections).is_ok_and(|connections| limit < connections.saturating_add(OTHERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_too_low() {
        for (limit, connections, expected) in [
            (1024, 10_000, true),
            (11_024, 10_000, false),
            (65_536, 10_000, false),
            (u64::MAX, usize::MAX, false),
        ] {
            assert_eq!(is_too_low(limit, connections), expected, "{limit} {connections}");
        }
    }
}
