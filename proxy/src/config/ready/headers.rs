//! Headers of answers that tell browsers what not to do.

use http::{HeaderName, HeaderValue};

/// The security headers of a route's answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityHeaders {
    /// What is sent.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Who may show the pages in a frame; none says nothing.
    pub frames: Option<FrameHeaders>,
    /// Whether what the application sends of these gives way.
    pub overwrite: bool,
    /// What is taken from the application's answers.
    pub remove: Vec<HeaderName>,
}

/// Two headers that say the same: the older one is for older browsers, which the newer one overrules elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameHeaders {
    /// X-Frame-Options.
    pub options: HeaderValue,
    /// Content-Security-Policy, with nothing but `frame-ancestors`.
    pub policy: HeaderValue,
}

impl SecurityHeaders {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.frames.is_none() && self.remove.is_empty()
    }
}
