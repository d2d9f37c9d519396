//! `palisade rules`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use palisade_waf::Remark;

use super::{DEFAULT_CONFIG, Failed, load, output, say};
use crate::rules::{self, DiskSource, Event, FileSummary, Installation, InstalledRules, Request};

/// Where a package or an image keeps the rule set, if there is no configuration yet that says otherwise.
const DEFAULT_DIR: &str = "/var/lib/palisade/crs";

/// How often a download says how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Obtain the OWASP CRS from the first source that works, verify it, put it in place.
    Install(InstallArguments),
    /// Hold each installed file against the release's hashes.
    Verify(Place),
    /// Show files, versions and rules per paranoia level.
    List(Place),
    /// Print the manifest of a folder: for maintainers who pin a new release.
    #[command(hide = true)]
    Manifest {
        /// A release, the Go module or Debian's package, unpacked.
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct InstallArguments {
    #[command(flatten)]
    place: Place,
    /// Take it from this folder or .tar.gz, and from nowhere else; PALISADE_CRS_FROM says the same.
    #[arg(long, value_name = "FOLDER|TAR.GZ")]
    from: Option<PathBuf>,
    /// Install even where the same rule set is in place.
    #[arg(long)]
    force: bool,
}

/// Which installation.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The folder of the rule set; by default the configuration's.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// The configuration whose `waf.rules` is meant.
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    config: Option<PathBuf>,
}

impl Place {
    fn resolve(&self) -> Result<PathBuf, Failed> {
        match (&self.dir, &self.config) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(config)) => Ok(load(config)?.waf.rules),
            (None, None) if Path::new(DEFAULT_CONFIG).exists() => {
                Ok(load(Path::new(DEFAULT_CONFIG))?.waf.rules)
            }
            (None, None) => Ok(PathBuf::from(DEFAULT_DIR)),
        }
    }
}

pub(super) fn run(command: RulesCommand) -> Result<(), Failed> {
    match command {
        RulesCommand::Install(arguments) => install(arguments),
        RulesCommand::Verify(place) => {
            let rules = rules::verify(&place.resolve()?).map_err(say)?;
            output::line(&format!("{}: intact", describe(&rules)));
            Ok(())
        }
        RulesCommand::List(place) => list(&rules::verify(&place.resolve()?).map_err(say)?),
        RulesCommand::Manifest { folder } => {
            output::line(rules::manifest_of(&folder).map_err(say)?.trim_end());
            Ok(())
        }
    }
}

fn install(arguments: InstallArguments) -> Result<(), Failed> {
    let named = std::env::var_os(rules::FROM_VARIABLE)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let request = Request {
        dir: arguments.place.resolve()?,
        from: arguments.from.or(named),
        force: arguments.force,
    };
    let mut last_progress = Instant::now();
    let mut watch = |event: Event<'_>| match event {
        Event::Trying(source) => output::progress(&format!("OWASP CRS: trying {source}")),
        Event::Failed { error, .. } => output::progress(&format!("  no: {error}")),
        Event::Waiting => output::progress("another installation is running; waiting for it"),
        Event::Received { bytes } if last_progress.elapsed() >= PROGRESS_INTERVAL => {
            last_progress = Instant::now();
            output::progress(&format!("  {} KiB", bytes / 1024));
        }
        Event::Received { .. } => {}
    };
    let installation = rules::install(&request, &mut watch).map_err(say)?;
    report(&installation);
    Ok(())
}

fn report(installation: &Installation) {
    let how = if installation.fresh {
        "installed and verified"
    } else {
        "already installed, verified"
    };
    output::line(&format!("{}: {how}", describe(&installation.rules)));
    if let Some(warning) = installation.warning() {
        output::warning(&warning);
    }
}

fn describe(rules: &InstalledRules) -> String {
    let record = rules.record();
    let tests = if rules.has_tests() { "with" } else { "without" };
    format!(
        "OWASP CRS {} in {} (from {}, {tests} its tests)",
        record.version,
        rules.dir().display(),
        record.source
    )
}

fn list(installed: &InstalledRules) -> Result<(), Failed> {
    let source = DiskSource::new(installed, []);
    let set = installed
        .rule_set()
        .include(InstalledRules::SETUP)
        .include("rules/*.conf")
        .build(&source)
        .map_err(say)?;
    output::line(&describe(installed));
    output::line("");
    output::line(&table(&rules::list(set.rules().map(Arc::as_ref))));
    let left_out = set
        .remarks()
        .iter()
        .filter(|remark| matches!(remark, Remark::RuleLeftOut { .. }));
    for remark in left_out {
        output::warning(&remark.to_string());
    }
    Ok(())
}

/// One line per file; the first column of numbers counts rules without a paranoia level.
fn table(files: &[FileSummary]) -> String {
    let width = files.iter().map(|file| file.file.len()).max().unwrap_or(0);
    let mut text = format!("{:width$}  version     none  PL1  PL2  PL3  PL4", "file");
    for file in files {
        let version = file
            .version
            .as_deref()
            .unwrap_or("-")
            .trim_start_matches("OWASP_CRS/");
        text.push_str(&format!(
            "\n{:width$}  {version:10}{}",
            file.file,
            counts(file.levels)
        ));
    }
    let mut total = [0; 5];
    for file in files {
        for (sum, count) in total.iter_mut().zip(file.levels) {
            *sum += count;
        }
    }
    text.push_str(&format!("\n{:width$}  {:10}{}", "all", "", counts(total)));
    text
}

fn counts(levels: [usize; 5]) -> String {
    let [none, levels @ ..] = levels;
    let levels: String = levels.iter().map(|count| format!("{count:5}")).collect();
    format!("{none:6}{levels}")
}
