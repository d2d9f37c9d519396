//! One request's way through the five phases.
