//! The OWASP CRS, where `PALISADE_CRS_FROM` names a folder with a release. Its text is no part of this repository.

use std::path::{Path, PathBuf};

use super::agreement::recalling;
use palisade_waf::source::{folder_of, glob_matches};
use palisade_waf::{RuleSet, RuleSource, SourceError};

struct Files;

impl RuleSource for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        std::fs::read(path).map_err(|error| unreadable(path, &error))
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        let folder = std::fs::read_dir(folder_of(pattern)).map_err(|error| unreadable(pattern, &error))?;
        let mut names: Vec<String> = folder
            .filter_map(|entry| entry.ok()?.path().into_os_string().into_string().ok())
            .filter(|name| glob_matches(pattern, name))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> SourceError {
    SourceError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// Where the release lies, if the environment says so.
pub fn release() -> Option<PathBuf> {
    std::env::var_os("PALISADE_CRS_FROM").map(PathBuf::from)
}

/// The rules of a release at a paranoia level. They only detect, so that all of them run.
pub fn load(release: &Path, paranoia: u8) -> RuleSet {
    let text = |path: &str| release.join(path).display().to_string();
    let (setup, rules) = if release.join("rules/@owasp_crs").is_dir() {
        (
            text("rules/@crs-setup.conf.example"),
            text("rules/@owasp_crs/*.conf"),
        )
    } else {
        (text("crs-setup.conf.example"), text("rules/*.conf"))
    };
    let settings = format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
         SecResponseBodyMimeType text/plain text/html text/xml application/json\n\
         SecAction \"id:1,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level={paranoia},\
         setvar:tx.detection_paranoia_level={paranoia},setvar:tx.crs_validate_utf8_encoding=1,\
         setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.max_num_args=255\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@rx ^(?:application|text)/(?:[a-z.+-]+\\+)?xml\" \
         \"id:2,phase:1,nolog,pass,t:none,t:lowercase,ctl:requestBodyProcessor=XML\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@rx ^application/(?:[a-z.+-]+\\+)?json\" \
         \"id:3,phase:1,nolog,pass,t:none,t:lowercase,ctl:requestBodyProcessor=JSON\"\n"
    );
    RuleSet::builder()
        .limits(recalling())
        .text("settings.conf", settings)
        .include(setup)
        .include(rules)
        .build(&Files)
        .unwrap_or_else(|errors| panic!("{errors}"))
}
