//! What an engine is here: one request in, stopped or not.

use std::path::PathBuf;

use palisade_bench_engine::requests::Request;

/// An engine with the rule set loaded.
pub trait Engine {
    /// In tables and ratios.
    fn name(&self) -> &'static str;

    /// A new transaction: connection and head, phase 1, the body and phase 2, an answer's head and phase 3, phase 5.
    /// All phases run, stopped or not.
    fn stops(&self, request: &Request) -> Result<bool, String>;
}

/// Where the rule set is.
#[derive(Debug)]
pub struct Crs(pub PathBuf);

impl Crs {
    /// The text that loads it: our settings, this engine's own, the rule set's own set-up, the rules by their names.
    pub fn directives(&self, own: &str) -> Result<String, String> {
        let mut files = vec![self.0.join("crs-setup.conf.example")];
        files.extend(self.rules()?);
        let includes = files.iter().map(|file| format!("Include {}\n", file.display()));
        Ok(format!(
            "{}\n{own}\n{}",
            include_str!("../settings.conf"),
            includes.collect::<String>()
        ))
    }

    fn rules(&self) -> Result<Vec<PathBuf>, String> {
        let folder = self.0.join("rules");
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let entries = std::fs::read_dir(&folder).map_err(failed)?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension() == Some("conf".as_ref()));
        files.sort();
        Ok(files)
    }
}
