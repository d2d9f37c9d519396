//! The generated part of a policy's rule text. Only numbers and validated names enter it.

use crate::config::{WafMode, WafProfile};

/// The part that is the same for every policy.
pub(super) const ENGINE: &str = include_str!("../../../waf-rules/engine.conf");

/// Whether the engine stops anything, and which answers it reads.
pub(super) fn mode(policy: &WafProfile, mode: WafMode) -> String {
    let engine = match mode {
        WafMode::On => "On",
        WafMode::DetectionOnly => "DetectionOnly",
        WafMode::Off => "Off",
    };
    let types = policy.response_mime_types.join(" ");
    let types = if types.is_empty() {
        String::new()
    } else {
        format!("SecResponseBodyMimeType {types}\n")
    };
    format!("SecRuleEngine {engine}\nSecResponseBodyMimeTypesClear\n{types}")
}

/// Paranoia levels, thresholds and what is allowed, as the CRS's set-up file documents them.
pub(super) fn levels(policy: &WafProfile) -> String {
    let settings = [
        ("blocking_paranoia_level", u32::from(policy.paranoia_level)),
        (
            "detection_paranoia_level",
            u32::from(policy.detection_paranoia_level),
        ),
        ("inbound_anomaly_score_threshold", policy.inbound_threshold),
        ("outbound_anomaly_score_threshold", policy.outbound_threshold),
        // What CRS 3 calls the two levels.
        ("paranoia_level", u32::from(policy.paranoia_level)),
        (
            "executing_paranoia_level",
            u32::from(policy.detection_paranoia_level),
        ),
    ];
    let mut text = String::from("SecAction \"id:100100,phase:1,pass,nolog,t:none");
    for (name, value) in settings {
        text.push_str(&format!(",setvar:tx.{name}={value}"));
    }
    text.push_str(&format!(
        ",setvar:'tx.allowed_methods={}'",
        policy.allowed_methods.join(" ")
    ));
    let types: Vec<String> = policy
        .allowed_content_types
        .iter()
        .map(|kind| format!("|{kind}|"))
        .collect();
    text.push_str(&format!(
        ",setvar:'tx.allowed_request_content_type={}'",
        types.join(" ")
    ));
    text.push_str(&format!("\"\nSecArgumentsLimit {}\n", policy.argument_limit));
    text
}
