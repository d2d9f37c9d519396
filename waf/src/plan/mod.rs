//! The compiled, immutable, shared rule set.
