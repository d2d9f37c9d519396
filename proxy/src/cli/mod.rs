//! The command line. Rooms return; printing happens here only.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one place that prints"
)]

mod admin;
mod backwards;
mod bans;
mod certs;
mod check;
mod dns;
mod doctor;
mod hash_password;
mod health;
mod incident;
mod ip;
mod output;
mod rules;
mod status;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app;
use crate::config;
use crate::config_files::DiskFiles;

/// Where a package or an image keeps the configuration.
const DEFAULT_CONFIG: &str = "/etc/palisade/palisade.toml";

/// An edge reverse proxy with an embedded WAF.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM; SIGHUP reloads the configuration, SIGUSR2 starts a successor that takes over.
    Run {
        #[command(flatten)]
        config: ConfigArgument,
        /// Take the sockets of the edge that runs, and let it end once its requests are answered.
        #[arg(long)]
        upgrade: bool,
    },
    /// Clients that a running edge keeps out after WAF incidents.
    #[command(subcommand)]
    Bans(bans::BansCommand),
    /// Check a configuration: every error, with its place.
    Check {
        /// The configuration file.
        #[arg(value_name = "FILE", default_value = DEFAULT_CONFIG)]
        file: PathBuf,
    },
    /// Explain an incident, and print the narrowest exclusion that would let its request pass.
    Incident(incident::IncidentArguments),
    /// Read a password from standard input and print its hash, for a route's `basic_auth`.
    HashPassword(hash_password::HashPasswordArguments),
    /// Ask a running edge whether it is healthy: for container health checks.
    Health(ConfigArgument),
    /// Look whether what certificates and DNS records need is there, and say what to mend. Changes nothing.
    Doctor(ConfigArgument),
    /// Ask a running edge for its certificates: names, issuer, expiry, next renewal, last error.
    Certs(certs::CertsArguments),
    /// DNS records of routes' hosts.
    #[command(subcommand)]
    Dns(dns::DnsCommand),
    /// What each method says the public address is, and what would be published.
    Ip(ConfigArgument),
    /// Ask a running edge how its background services stand: certificates, DNS records, the public address.
    Status {
        #[command(flatten)]
        config: ConfigArgument,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Obtain, verify and list the OWASP CRS.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
}

/// Which configuration.
#[derive(Debug, Args)]
struct ConfigArgument {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

/// A command that failed has said why; this only ends the process.
struct Failed;

/// Runs the command line `arguments`, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let result = match cli.command {
        Command::Run { config, upgrade } => app::run(&config.config, upgrade).map_err(say),
        Command::Bans(command) => bans::run(&command),
        Command::Check { file } => check::run(&file),
        Command::Incident(arguments) => incident::run(&arguments),
        Command::HashPassword(arguments) => hash_password::run(&arguments),
        Command::Health(ConfigArgument { config }) => health::run(&config),
        Command::Doctor(ConfigArgument { config }) => doctor::run(&config),
        Command::Certs(arguments) => certs::run(&arguments),
        Command::Dns(command) => dns::run(&command),
        Command::Ip(ConfigArgument { config }) => ip::run(&config),
        Command::Status { config, json } => status::run(&config.config, json),
        Command::Rules(command) => rules::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed) => ExitCode::FAILURE,
    }
}

/// Says what went wrong; for `map_err`.
fn say(error: impl std::fmt::Display) -> Failed {
    output::error(&error.to_string());
    Failed
}

/// Runs what waits for the network, on a runtime of its own.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failed> {
    // An error means that the provider is there already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(say)?.block_on(work))
}

fn load(path: &Path) -> Result<config::Config, Failed> {
    config::load(path, &DiskFiles).map_err(say)
}
