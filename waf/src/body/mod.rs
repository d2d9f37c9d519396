//! Body processors: bytes in, named values out. Bounded by [`crate::Limits`]; no input can panic them.
