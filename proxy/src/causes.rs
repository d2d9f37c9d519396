//! An error with all that is behind it: an HTTP client's own text says only that a request failed.

use std::error::Error;
use std::fmt;

/// Shows an error, and its causes after colons; what the error has said of its cause already is not said again.
pub struct Causes<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let told = error.to_string();
            if !said.ends_with(&told) {
                write!(f, ": {told}")?;
                said = told;
            }
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{says}")]
    struct Told {
        says: &'static str,
        source: Option<Box<Told>>,
    }

    #[test]
    fn every_cause_is_said_once() {
        let error = |says, source: Option<Told>| Told {
            says,
            source: source.map(Box::new),
        };
        let inner = error("refused", None);
        let middle = error("cannot connect: refused", Some(inner));
        let outer = error("request failed", Some(middle));
        assert_eq!(
            Causes(&outer).to_string(),
            "request failed: cannot connect: refused"
        );
    }
}
