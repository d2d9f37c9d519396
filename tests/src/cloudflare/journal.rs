//! What the fake was asked.

/// One request, and how it was answered.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path, `/client/v4/zones`.
    pub path: String,
    /// The query without the question mark, or nothing.
    pub query: String,
    /// The body, or nothing.
    pub body: String,
    /// The status; 0 if there was no answer (a hang, a reset).
    pub status: u16,
    /// Whether a fault befell it.
    pub faulted: bool,
}

impl Call {
    /// Whether it is by this method (empty: any), to a path that ends in this.
    pub fn is(&self, method: &str, path_end: &str) -> bool {
        (method.is_empty() || self.method == method) && self.path.ends_with(path_end)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the body of a call is JSON")
    }
}
