//! Directives that are not rules.

use std::collections::BTreeSet;

use super::{AuditEngine, EngineMode};

/// A set of HTTP status codes: what a pattern over three digits comes down to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusSet {
    codes: BTreeSet<u16>,
}

impl StatusSet {
    /// Whether the status is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.codes.contains(&status)
    }
}

impl FromIterator<u16> for StatusSet {
    fn from_iter<I: IntoIterator<Item = u16>>(codes: I) -> Self {
        Self {
            codes: codes.into_iter().collect(),
        }
    }
}

/// Directives that are not rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `SecRuleEngine`.
    pub engine: EngineMode,
    /// `SecAuditEngine`.
    pub audit_engine: AuditEngine,
    /// `SecAuditLogRelevantStatus`; `None` leaves it to the rules.
    pub audit_relevant_status: Option<StatusSet>,
    /// `SecAuditLogParts`, as text.
    pub audit_log_parts: Option<String>,
    /// `SecRequestBodyAccess`.
    pub request_body_access: bool,
    /// `SecRequestBodyLimit`, bytes.
    pub request_body_limit: usize,
    /// `SecRequestBodyLimitAction`: `true` is ProcessPartial, `false` Reject.
    pub request_body_partial: bool,
    /// `SecRequestBodyNoFilesLimit`, bytes; `None` leaves the engine's limit.
    pub request_body_no_files_limit: Option<usize>,
    /// `SecRequestBodyJsonDepthLimit`.
    pub json_depth_limit: Option<usize>,
    /// `SecResponseBodyJsonDepthLimit`.
    pub response_json_depth_limit: Option<usize>,
    /// `SecArgumentsLimit`.
    pub arguments_limit: Option<usize>,
    /// `SecResponseBodyAccess`.
    pub response_body_access: bool,
    /// `SecResponseBodyLimit`, bytes.
    pub response_body_limit: usize,
    /// `SecResponseBodyLimitAction`: `true` is ProcessPartial.
    pub response_body_partial: bool,
    /// `SecResponseBodyMimeType`, lower case.
    pub response_mime_types: Vec<String>,
    /// `SecArgumentSeparator`, normally `&`.
    pub argument_separator: u8,
    /// `SecCollectionTimeout`, seconds.
    pub collection_timeout: u64,
    /// `SecWebAppId`.
    pub web_app_id: Option<String>,
    /// `SecComponentSignature`, in order.
    pub component_signatures: Vec<String>,
    /// `SecUploadKeepFiles` and the like never apply here: an embedded engine stores no uploads.
    pub upload_file_limit: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: EngineMode::Off,
            audit_engine: AuditEngine::Off,
            audit_relevant_status: None,
            audit_log_parts: None,
            request_body_access: false,
            request_body_limit: 134_217_728,
            request_body_partial: false,
            request_body_no_files_limit: None,
            json_depth_limit: None,
            response_json_depth_limit: None,
            arguments_limit: None,
            response_body_access: false,
            response_body_limit: 524_288,
            response_body_partial: false,
            response_mime_types: vec!["text/plain".into(), "text/html".into()],
            argument_separator: b'&',
            collection_timeout: 3600,
            web_app_id: None,
            component_signatures: Vec::new(),
            upload_file_limit: None,
        }
    }
}
