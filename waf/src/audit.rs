//! The audit record, as data: what a transaction was and why it ended as it did.
