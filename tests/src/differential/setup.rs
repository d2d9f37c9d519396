//! The rules, the same text for all three engines, twice: detecting at the highest paranoia level with probes, and
//! blocking at the lowest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use palisade_waf::seclang::LoadErrors;
use palisade_waf::{Limits, OperatorCache, RuleSet};

use crate::corpus::Installation;
use crate::corpus::engine::{ENGINE, ROUTE, TEST_SETUP};
use crate::corpus::source::Directory;

use super::views;

/// The two rule sets as our engine holds them.
#[derive(Debug)]
pub(super) struct RuleSets {
    pub detecting: RuleSet,
    pub blocking: RuleSet,
}

/// The rule sets as files for the other engines; they vanish with this.
#[derive(Debug)]
pub(super) struct RuleFiles {
    folder: tempfile::TempDir,
}

impl RuleSets {
    pub(super) fn load(installation: &Installation) -> Result<Self, LoadErrors> {
        let cache = OperatorCache::default();
        let build = |detecting: bool| {
            let mut builder = RuleSet::builder()
                .operators(&cache)
                .limits(Limits::default())
                .text("engine.conf", ENGINE)
                .text("route.conf", ROUTE)
                .include(&installation.setup);
            if detecting {
                builder = builder.text("corpus-setup.conf", TEST_SETUP);
            }
            builder = builder.include(&installation.rules);
            if detecting {
                builder = builder.text("probes.conf", views::probes());
            }
            builder.build(&Directory::new(&installation.root))
        };
        Ok(Self {
            detecting: build(true)?,
            blocking: build(false)?,
        })
    }
}

impl RuleFiles {
    pub(super) fn write(installation: &Installation) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = fs::canonicalize(&installation.root)?;
        let include = |path: &str| format!("Include {}\n", root.join(path).display());
        let (setup, rules) = (include(&installation.setup), include(&installation.rules));
        let start = format!("{ENGINE}\n{ROUTE}\n{setup}");
        let detecting = format!("{start}{TEST_SETUP}\n{rules}{}", views::probes());
        fs::write(folder.path().join("detecting.conf"), detecting)?;
        fs::write(folder.path().join("blocking.conf"), format!("{start}{rules}"))?;
        Ok(Self { folder })
    }

    pub(super) fn detecting(&self) -> PathBuf {
        self.file("detecting.conf")
    }

    pub(super) fn blocking(&self) -> PathBuf {
        self.file("blocking.conf")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
