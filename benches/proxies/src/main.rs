//! Whole proxies against each other: `proxies measure`. And the parts of it by hand: `serve` starts one proxy with
//! the upstream, `load` loads it.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark is a program of the terminal"
)]

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use palisade_proxies::cases::{CASES, Case};
use palisade_proxies::hold;
use palisade_proxies::load::Load;
use palisade_proxies::measure::{self, Effort};
use palisade_proxies::peer::{PEERS, Peer};
use palisade_proxies::place::Place;
use palisade_proxies::running::{Running, leave_the_proxy_core};
use palisade_proxies::table::{ratios, table};
use palisade_proxies::upstream;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    paths: Paths,
}

#[derive(Args)]
struct Paths {
    /// Configurations, certificate and logs of the run
    #[arg(long, global = true, default_value = "target/proxies")]
    folder: PathBuf,
    /// The edge's binary
    #[arg(long, global = true, default_value = "target/dist/palisade")]
    palisade: PathBuf,
    /// The installed OWASP CRS
    #[arg(long, global = true, default_value = "data/crs")]
    rules: PathBuf,
    /// What scripts/peers.sh made
    #[arg(long, global = true, default_value = ".cache/peers")]
    peers: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Measure all, or some
    Measure {
        /// Rounds of each case
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Seconds of each round for each proxy
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// Names of proxies, comma-separated; all if absent
        #[arg(long, value_delimiter = ',', value_parser = peer)]
        only: Vec<Peer>,
        /// Names of cases, comma-separated; all if absent
        #[arg(long, value_delimiter = ',', value_parser = case)]
        cases: Vec<Case>,
    },
    /// Start the upstream and one proxy, until Ctrl-C
    Serve {
        /// palisade-on, envoy, ...
        #[arg(value_parser = peer)]
        peer: Peer,
    },
    /// Load a proxy that was started with `serve`
    Load {
        /// The same name
        #[arg(value_parser = peer)]
        peer: Peer,
        /// get-h1, ...
        #[arg(value_parser = case)]
        case: Case,
        /// How long
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
        /// Requests a second, instead of the case's own
        #[arg(long)]
        rate: Option<u32>,
    },
    /// Hold connections: memory of each idle one, and what an ordinary client notices of slow ones
    Hold {
        /// Names of proxies, comma-separated
        #[arg(long, value_delimiter = ',', value_parser = peer, default_value = "palisade-off,envoy,nginx")]
        only: Vec<Peer>,
        /// How many
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
    },
    /// Only answer: 1 KiB to every request, 1 MiB to downloads
    Upstream {
        /// Where
        address: SocketAddr,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if let Command::Upstream { address } = arguments.command {
        return Ok(upstream::serve(address).await?);
    }
    leave_the_proxy_core();
    let place = place(arguments.paths)?;
    match arguments.command {
        Command::Measure {
            rounds,
            seconds,
            only,
            cases,
        } => {
            let each = Duration::from_secs_f64(seconds);
            compare(&place, &only, &cases, Effort { rounds, each }).await
        }
        Command::Serve { peer } => serve(&place, peer).await,
        Command::Hold { only, connections } => {
            for peer in only {
                println!("{}", hold::line(&hold::hold(&place, peer, connections).await?));
            }
            Ok(())
        }
        Command::Load {
            peer,
            mut case,
            seconds,
            rate,
        } => {
            case.rate = rate.or(case.rate);
            load(&place, peer, &case, Duration::from_secs_f64(seconds)).await
        }
        Command::Upstream { .. } => Ok(()),
    }
}

fn place(paths: Paths) -> Result<Place, Box<dyn Error>> {
    let here = std::env::current_dir()?;
    let place = Place {
        folder: here.join(paths.folder),
        palisade: here.join(paths.palisade),
        rules: here.join(paths.rules),
        peers: here.join(paths.peers),
    };
    place.prepare()?;
    Ok(place)
}

async fn compare(place: &Place, only: &[Peer], cases: &[Case], effort: Effort) -> Result<(), Box<dyn Error>> {
    let peers = if only.is_empty() { &PEERS } else { only };
    let cases = if cases.is_empty() { &CASES } else { cases };
    let report = measure::measure(place, peers, cases, effort, |text| eprintln!("==> {text}")).await?;
    println!("{}\n{}", table(&report), ratios(&report).trim_end());
    Ok(())
}

async fn serve(place: &Place, peer: Peer) -> Result<(), Box<dyn Error>> {
    let upstream = Running::upstream(place)?;
    let target = measure::target(place, peer)?;
    let process = Running::peer(peer, place, &target).await?;
    println!("upstream {} on {}", upstream.id(), place.upstream());
    println!(
        "{} {} on {}; Ctrl-C ends both",
        peer.name(),
        process.id(),
        target.address
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}

async fn load(place: &Place, peer: Peer, case: &Case, duration: Duration) -> Result<(), Box<dyn Error>> {
    let target = measure::target(place, peer)?;
    let mut load = Load::open(&target, case.shape, &(case.request)()).await?;
    let mut outcome = load.run(case.rate, duration).await?;
    let requests = outcome.latencies.len();
    println!(
        "{requests} requests, {:.0} a second, p50 {:?}, p99 {:?}, {} reconnections",
        requests as f64 / outcome.elapsed.as_secs_f64(),
        outcome.latencies.percentile(50),
        outcome.latencies.percentile(99),
        outcome.reconnections,
    );
    Ok(())
}

fn peer(name: &str) -> Result<Peer, String> {
    let names = PEERS.map(Peer::name).join(", ");
    Peer::named(name).ok_or(format!("expected one of {names}"))
}

fn case(name: &str) -> Result<Case, String> {
    let names = CASES.map(|case| case.name).join(", ");
    Case::named(name).ok_or(format!("expected one of {names}"))
}
