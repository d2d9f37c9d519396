//! `palisade certs`: the certificates of a running edge.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::status::times;
use super::{ConfigArgument, Failed, admin, output, say};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct CertsArguments {
    #[command(subcommand)]
    command: Option<CertsCommand>,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum CertsCommand {
    /// Have a running edge try again now, whatever failed before, and ask the CA whether a renewal is due. What the CA
    /// allows in a time is kept to all the same.
    Retry {
        /// One certificate; all without it.
        name: Option<String>,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

/// Tells of certificates, or has them tried again.
pub(super) fn run(arguments: &CertsArguments) -> Result<(), Failed> {
    match &arguments.command {
        None => list(&arguments.config.config, arguments.json),
        Some(CertsCommand::Retry { name, config }) => {
            let told = admin::retry(&config.config, name.as_deref())?;
            output::line(told.trim_end());
            Ok(())
        }
    }
}

/// A table of what is looked after, then of what comes from files; fails if one is in trouble.
fn list(config: &Path, json: bool) -> Result<(), Failed> {
    let body = admin::ask(config, "/status")?;
    let status: Value = serde_json::from_str(&body)
        .map_err(|error| say(format!("the edge told something else than its status: {error}")))?;
    let issued = &status["services"]["certificates"]["detail"];
    if json {
        let all = serde_json::json!({ "issued": issued, "served": status["certificates"] });
        output::line(&format!("{all:#}"));
    } else {
        issued
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|one| output::line(&told(one)));
        let served = status["certificates"].as_array();
        served
            .into_iter()
            .flatten()
            .for_each(|one| output::line(&served_line(one)));
    }
    let troubled = issued
        .as_array()
        .into_iter()
        .flatten()
        .any(|one| !one["failure"].is_null() || one["critical"] == true);
    match troubled {
        true => Err(say("a certificate is in trouble: see above")),
        false => Ok(()),
    }
}

fn told(certificate: &Value) -> String {
    let text = |key: &str| certificate[key].as_str().unwrap_or("-").to_owned();
    let mut told = format!(
        "{}: {} from {}\n  issuer   {}\n  expires  {}\n  renewal  {}",
        names(certificate),
        text("phase"),
        text("directory"),
        text("issuer"),
        text("not_after"),
        text("next"),
    );
    if let Some(why) = certificate["why"].as_str() {
        told.push_str(&format!(" ({why})"));
    }
    let failure = &certificate["failure"];
    if let Some(message) = failure["message"].as_str() {
        told.push_str(&format!(
            "\n  FAILED   {}, last {}: {message}",
            times(&failure["count"], "time"),
            failure["at"].as_str().unwrap_or("-")
        ));
    }
    if let Some(advice) = failure["advice"].as_str() {
        told.push_str(&format!("\n           -> {advice}"));
    }
    told
}

fn served_line(certificate: &Value) -> String {
    let text = |key: &str| certificate[key].as_str().unwrap_or("-").to_owned();
    format!(
        "served: {} until {}, from {}",
        names(certificate),
        text("expires"),
        text("origin")
    )
}

fn names(certificate: &Value) -> String {
    let names = certificate["names"].as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(Value::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_with_their_last_failure() {
        let certificate = serde_json::json!({
            "names": ["example.com", "*.example.com"], "phase": "failing", "directory": "https://ca.example/dir",
            "issuer": "R11", "not_after": "2026-12-01T00:00:00Z", "next": "2026-11-27T09:00:00Z", "why": null,
            "failure": {"count": 2, "at": "2026-11-27T08:00:00Z", "message": "the CA is busy", "advice": "wait"},
        });
        let expected = "example.com, *.example.com: failing from https://ca.example/dir\n  issuer   R11\n  \
                        expires  2026-12-01T00:00:00Z\n  renewal  2026-11-27T09:00:00Z\n  \
                        FAILED   2 times, last 2026-11-27T08:00:00Z: the CA is busy\n           -> wait";
        assert_eq!(told(&certificate), expected);
    }
}
