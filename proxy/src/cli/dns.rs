//! `palisade dns`: what would be changed in the zones, and changing it.

use std::path::Path;

use clap::Subcommand;

use super::{ConfigArgument, Failed, block_on, load, output, say};
use crate::app;
use crate::config::Config;
use crate::ddns;
use crate::dns::{Addresses, Desired, How, Note, Records, Trouble, ZoneOutcome, desired};

#[derive(Debug, Subcommand)]
pub(super) enum DnsCommand {
    /// Print what would be changed. Changes nothing. Exits with 0 if all is known that a plan needs and nothing is
    /// refused, with 1 otherwise.
    Plan(ConfigArgument),
    /// Change it now. A running edge does so by itself. Exits with 0 if all is as it should be then, with 1 otherwise.
    Apply {
        #[command(flatten)]
        config: ConfigArgument,
        /// Carry out deletions that `dns.max_deletes` or `dns.max_delete_percent` hold back.
        #[arg(long)]
        allow_deletes: bool,
    },
}

/// Plans, and applies if asked to; fails if something could not be done.
pub(super) fn run(command: &DnsCommand) -> Result<(), Failed> {
    match command {
        DnsCommand::Plan(ConfigArgument { config }) => {
            let how = How {
                dry_run: true,
                ..How::default()
            };
            carry_out(config, how)
        }
        DnsCommand::Apply {
            config: ConfigArgument { config },
            allow_deletes,
        } => {
            let how = How {
                allow_deletes: *allow_deletes,
                ..How::default()
            };
            carry_out(config, how)
        }
    }
}

fn carry_out(path: &Path, how: How) -> Result<(), Failed> {
    let config = load(path)?;
    if !config.zones.iter().any(|zone| zone.records) {
        return Err(say(
            "the configuration names no [[zones]] whose records are looked after",
        ));
    }
    let (desired, outcome) = block_on(async {
        let found = addresses(&config).await;
        let desired = desired(&config.routes, &config.zones, &config.dns, &found);
        let outcome = Records::new()
            .round(&desired, &config.zones, &config.dns, how)
            .await;
        (desired, outcome)
    })?;
    for zone in &outcome.zones {
        tell(zone, how);
    }
    match (outcome.is_ok(), desired.iter().any(lacks_address)) {
        (true, false) => Ok(()),
        (true, true) => Err(say(
            "the address is not known (`palisade ip` tells why): records that are to hold it stay as they are",
        )),
        (false, _) => Err(say("not everything could be done: see above")),
    }
}

fn lacks_address(desired: &Desired) -> bool {
    let lacks = |note: &Note| matches!(note, Note::AddressUnknown { .. });
    desired.notes.iter().any(lacks)
}

async fn addresses(config: &Config) -> Addresses {
    let look = ddns::Addresses::new(config.ddns.clone(), &config.server.data_dir)
        .look()
        .await;
    output::progress(look.to_string().trim_end());
    app::addresses(config, Some(&look))
}

fn tell(zone: &ZoneOutcome, how: How) {
    match zone.plan.trim_end() {
        "" => {}
        plan => output::line(plan),
    }
    let troubles = zone.failures.iter().chain(&zone.stopped);
    for Trouble { what, error, advice } in troubles {
        output::error(&format!("{what}: {error}"));
        if let Some(advice) = advice {
            output::progress(&format!("  -> {advice}"));
        }
    }
    let all = zone.creates + zone.updates + zone.deletes;
    match (zone.plan.is_empty(), how.dry_run) {
        (true, _) => output::line(&format!(
            "{}: could not be read, so nothing was planned or changed",
            zone.zone
        )),
        (false, true) => {}
        (false, false) => output::line(&format!("{}: {} of {all} changes made", zone.zone, zone.done)),
    }
}
