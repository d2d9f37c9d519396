//! Engines against each other in one process: the same rule set, the same requests, process CPU time.
//! `engines CRS_FOLDER`; what is not built in is named by a line `missing`.

#[cfg(feature = "coraza")]
mod coraza;
mod engine;
#[cfg(feature = "libmodsecurity")]
mod libmodsecurity;
mod measure;
mod ours;
mod zentinel;

use std::path::PathBuf;
use std::process::ExitCode;

use engine::{Crs, Engine};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let folder = std::env::var_os(palisade::rules::FROM_VARIABLE);
    let folder = folder.ok_or("PALISADE_CRS_FROM names no rule set; `make bench` does")?;
    let crs = Crs(PathBuf::from(folder));
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(ours::Ours::load()?)];
    let mut missing = Vec::new();
    for (name, load) in others() {
        match load(&crs) {
            Ok(engine) => engines.push(engine),
            Err(why) => missing.push(format!("missing {name}: {why}")),
        }
    }
    let report = measure::measure(&engines)?;
    println!("{}", report.table());
    missing.iter().for_each(|line| println!("{line}"));
    print!("{}", report.ratios());
    Ok(())
}

type Load = fn(&Crs) -> Result<Box<dyn Engine>, String>;

fn others() -> [(&'static str, Load); 3] {
    [
        ("coraza", load_coraza),
        ("libmodsecurity", load_libmodsecurity),
        ("zentinel", |crs| Ok(Box::new(zentinel::Zentinel::load(crs)?))),
    ]
}

#[cfg(feature = "coraza")]
fn load_coraza(crs: &Crs) -> Result<Box<dyn Engine>, String> {
    Ok(Box::new(coraza::Coraza::load(crs)?))
}

#[cfg(not(feature = "coraza"))]
fn load_coraza(_crs: &Crs) -> Result<Box<dyn Engine>, String> {
    Err("built without it (go and libclang-dev are needed)".to_owned())
}

#[cfg(feature = "libmodsecurity")]
fn load_libmodsecurity(crs: &Crs) -> Result<Box<dyn Engine>, String> {
    Ok(Box::new(libmodsecurity::LibModSecurity::load(crs)?))
}

#[cfg(not(feature = "libmodsecurity"))]
fn load_libmodsecurity(_crs: &Crs) -> Result<Box<dyn Engine>, String> {
    Err("built without it (libmodsecurity-dev is needed)".to_owned())
}
