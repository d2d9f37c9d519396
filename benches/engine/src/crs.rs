//! The installed OWASP CRS, compiled as the edge compiles a route that says no more than its paranoia level.
//! Without the edge's verification and canaries: `benches/engine.rs` and the engines against each other have those.

use std::path::{Path, PathBuf};
use std::{fs, io};

use palisade_waf::{LoadErrors, MemorySource, RuleSet, RuleSource};

/// The environment variable that names the folder.
pub const FROM_VARIABLE: &str = "PALISADE_CRS_FROM";

/// Why there is no rule set.
#[derive(Debug, thiserror::Error)]
pub enum CrsError {
    /// Nobody said where it is.
    #[error("{FROM_VARIABLE} names no folder with an installed OWASP CRS; `make rules` makes data/crs")]
    Nowhere,
    /// A file.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The rules.
    #[error("{0}")]
    Load(#[from] LoadErrors),
}

/// The files of the folder that `PALISADE_CRS_FROM` names.
pub fn installed() -> Result<MemorySource, CrsError> {
    let folder = std::env::var_os(FROM_VARIABLE).filter(|folder| !folder.is_empty());
    let folder = PathBuf::from(folder.ok_or(CrsError::Nowhere)?);
    let mut source = MemorySource::new();
    let setup = "crs-setup.conf.example";
    source.insert(setup, read(&folder.join(setup))?);
    let rules = folder.join("rules");
    let failed = |source| CrsError::Io {
        path: rules.clone(),
        source,
    };
    for entry in fs::read_dir(&rules).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if let Some(name) = path.file_name() {
            source.insert(format!("rules/{}", name.display()), read(&path)?);
        }
    }
    Ok(source)
}

/// The release that the rules name: `4.28.0`.
#[must_use]
pub fn version(source: &MemorySource) -> String {
    let rules = source.read("rules/REQUEST-901-INITIALIZATION.conf");
    let rules = rules.unwrap_or_default();
    let rules = String::from_utf8_lossy(&rules);
    let named = rules.split("ver:'OWASP_CRS/").nth(1).unwrap_or("unknown");
    let end = |character: char| !character.is_ascii_alphanumeric() && !".-".contains(character);
    named.split(end).next().unwrap_or_default().to_owned()
}

/// Compiles.
pub fn compile(source: &MemorySource, level: u8) -> Result<RuleSet, CrsError> {
    let levels = format!(
        "SecAction \"id:100100,phase:1,pass,nolog,t:none,setvar:tx.blocking_paranoia_level={level},\
         setvar:tx.detection_paranoia_level={level},\
         setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n"
    );
    let builder = RuleSet::builder()
        .text(
            "palisade/engine.conf",
            include_str!("../../../waf-rules/engine.conf"),
        )
        .text(
            "palisade/mode.conf",
            "SecRuleEngine On\nSecResponseBodyMimeTypesClear\n",
        )
        .include("crs-setup.conf.example")
        .text("palisade/levels.conf", levels)
        .include("rules/*.conf");
    Ok(builder.build(source)?)
}

fn read(path: &Path) -> Result<Vec<u8>, CrsError> {
    fs::read(path).map_err(|source| CrsError::Io {
        path: path.to_owned(),
        source,
    })
}
