//! Every bound of the engine, with its reason. None of them is reached by ordinary traffic.

/// Bounds on one transaction. A value past a bound never panics and never goes unnoticed: it sets
/// `REQBODY_ERROR`, or the matching `*_LIMIT` flag, which rules act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Arguments (query and body together) that become `ARGS`. ModSecurity's `SecArgumentsLimit`: 1000.
    pub arguments: usize,
    /// Nesting depth of JSON and XML. ModSecurity's `SecRequestBodyJsonDepthLimit`; 512 is its default.
    pub body_depth: usize,
    /// Parts of a multipart body: each costs a header scan.
    pub multipart_parts: usize,
    /// Bytes of one multipart part's header block.
    pub multipart_header_bytes: usize,
    /// Bytes of a request body without its uploaded files (`SecRequestBodyNoFilesLimit`).
    pub request_body_no_files: usize,
    /// Texts and attribute values of an XML body. Markup splits text into many pieces.
    pub xml_nodes: usize,
    /// Entries that one transaction's TX collection may hold: rules build names dynamically.
    pub tx_entries: usize,
    /// Matches that one transaction records: a body of a thousand arguments can match a hundred rules each.
    /// What stops a request is recorded in any case.
    pub matched_rules: usize,
    /// Bytes of one matched value that are kept for logs and the audit record.
    pub logged_value_bytes: usize,
    /// Bytes of memory for values, as they are and transformed, that one transaction keeps to look at them once
    /// for all rules. Past it each rule transforms for itself: slower, and in memory for one value alone.
    pub buffered_bytes: usize,
    /// Harmless requests that each thread recalls, so that they are not evaluated anew when they come again to the
    /// byte; 0 for none. Each takes 32 bytes, and what they came to half a megabyte at most.
    pub recalled_requests: usize,
    /// Keys kept per persistent collection (`initcol`), per process.
    pub persistent_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            arguments: 1000,
            body_depth: 512,
            multipart_parts: 1000,
            multipart_header_bytes: 16 * 1024,
            request_body_no_files: 1024 * 1024,
            xml_nodes: 10_000,
            tx_entries: 10_000,
            matched_rules: 1000,
            logged_value_bytes: 512,
            buffered_bytes: 16 * 1024 * 1024,
            recalled_requests: 0,
            persistent_entries: 10_000,
        }
    }
}
