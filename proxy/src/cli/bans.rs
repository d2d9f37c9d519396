//! `palisade bans`.

use std::net::IpAddr;
use std::path::Path;

use clap::Subcommand;
use serde_json::Value;

use super::{ConfigArgument, Failed, admin, output, say};

/// What to do about bans.
#[derive(Debug, Subcommand)]
pub(super) enum BansCommand {
    /// Whom a running edge keeps out, since when, until when, and the incident that was one too many.
    List {
        #[command(flatten)]
        config: ConfigArgument,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Let a client in again.
    Lift {
        /// Its address; of IPv6 any of its /64.
        address: IpAddr,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

/// Asks the edge, or tells it.
pub(super) fn run(command: &BansCommand) -> Result<(), Failed> {
    match command {
        BansCommand::List { config, json } => list(&config.config, *json),
        BansCommand::Lift { address, config } => {
            admin::send(&config.config, "DELETE", &format!("/bans/{address}"))?;
            output::line(&format!("{address} may come in again"));
            Ok(())
        }
    }
}

fn list(config: &Path, json: bool) -> Result<(), Failed> {
    let body = admin::ask(config, "/bans")?;
    if json {
        output::line(body.trim_end());
        return Ok(());
    }
    let bans: Value =
        serde_json::from_str(&body).map_err(|error| say(format!("not a list of bans: {error}")))?;
    let bans = bans["bans"].as_array().map_or(&[][..], Vec::as_slice);
    for ban in bans {
        let text = |key: &str| ban[key].as_str().unwrap_or("?").to_owned();
        output::line(&format!(
            "{}  since {}  until {}  incident {}",
            text("client"),
            text("since"),
            text("until"),
            text("incident")
        ));
    }
    if bans.is_empty() {
        output::line("nobody is banned");
    }
    Ok(())
}
