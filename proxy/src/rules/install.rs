//! Installing a rule set: obtain, verify, stage, swap.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::{Attempt, RulesError};
use super::manifest::{Manifest, Origin};
use super::sources::Source;
use super::tree::Tree;
use super::verify::{InstalledRules, RECORD, Record, verify};

/// What to install, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder of the installation; made if absent.
    pub dir: PathBuf,
    /// The only folder or archive to take it from, instead of the known sources. An operator who names one
    /// wants that one: if it is no good, nothing else is tried.
    pub from: Option<PathBuf>,
    /// Install even where the same rule set is already in place.
    pub force: bool,
}

/// What happens meanwhile, for whoever is watching.
#[derive(Debug)]
pub enum Event<'a> {
    /// A source is tried.
    Trying(&'a str),
    /// So many bytes of a download have come.
    Received {
        /// The count so far.
        bytes: u64,
    },
    /// A source did not work; the next one is tried.
    Failed {
        /// The source.
        source: &'a str,
        /// Why.
        error: &'a RulesError,
    },
    /// Another installation into the same place runs; this one waits for it.
    Waiting,
}

/// What is installed now.
#[derive(Debug)]
pub struct Installation {
    /// The verified rule set.
    pub rules: InstalledRules,
    /// `false` if it was there before and stays.
    pub fresh: bool,
}

impl Installation {
    /// What an operator must know about this rule set, if it is not the pinned one.
    pub fn warning(&self) -> Option<String> {
        let version = self.rules.manifest().version;
        let pinned = super::PINNED_VERSION;
        match self.rules.manifest().origin {
            _ if version == pinned => None,
            Origin::Debian => Some(format!(
                "CRS {version} is YEARS OLD: it misses much of what CRS 4 detects and blocks more of what is \
                 harmless. Use it only until {pinned} can be had: {}=FOLDER-OR-TAR.GZ names a copy.",
                super::FROM_VARIABLE
            )),
            _ => Some(format!(
                "CRS {version} was installed, because the pinned {pinned} could not be had."
            )),
        }
    }
}

/// Brings a verified rule set into `request.dir`. A good one that is already there is replaced only by a
/// better one, and only once that one has been verified on disk.
pub fn install(request: &Request, progress: &mut dyn FnMut(Event)) -> Result<Installation, RulesError> {
    let place = Place::prepare(&request.dir, progress)?;
    let present = verify(&request.dir).ok().filter(|_| !request.force);
    let sources = match &request.from {
        Some(path) => vec![Source::Local(path.clone())],
        None => Source::REMOTE.to_vec(),
    };
    let mut attempts = Vec::new();
    for source in sources {
        if let Some(rules) = present
            .as_ref()
            .filter(|rules| source.origin() == Some(rules.manifest().origin))
        {
            return Ok(Installation {
                rules: rules.clone(),
                fresh: false,
            });
        }
        let name = source.describe();
        progress(Event::Trying(&name));
        match place.install_from(&source, present.as_ref(), progress) {
            Ok(installation) => return Ok(installation),
            Err(error) => {
                progress(Event::Failed {
                    source: &name,
                    error: &error,
                });
                attempts.push(Attempt {
                    source: name,
                    error: Box::new(error),
                });
            }
        }
    }
    match attempts.pop() {
        Some(Attempt { error, .. }) if request.from.is_some() => Err(*error),
        last => Err(RulesError::NoSource {
            attempts: attempts.into_iter().chain(last).collect(),
        }),
    }
}

/// The folder of the installation and the one beside it where the next is staged.
struct Place {
    dir: PathBuf,
    parent: PathBuf,
    /// Two installations at once would swap each other away. The lock ends with the process.
    _lock: File,
}

impl Place {
    fn prepare(dir: &Path, progress: &mut dyn FnMut(Event)) -> Result<Self, RulesError> {
        let dir = std::path::absolute(dir).map_err(RulesError::io(dir, "resolve the path"))?;
        let parent = dir.parent().unwrap_or(&dir).to_path_buf();
        fs::create_dir_all(&parent).map_err(RulesError::io(&parent, "make the folder"))?;
        let lock = File::open(&parent).map_err(RulesError::io(&parent, "open the folder"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress(Event::Waiting);
                lock.lock().map_err(RulesError::io(&parent, "lock the folder"))?;
            }
            Err(TryLockError::Error(error)) => return Err(RulesError::io(&parent, "lock the folder")(error)),
        }
        refuse_foreign_folder(&dir)?;
        Ok(Self {
            dir,
            parent,
            _lock: lock,
        })
    }

    fn install_from(
        &self,
        source: &Source,
        present: Option<&InstalledRules>,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Installation, RulesError> {
        let work = tempfile::Builder::new()
            .prefix(".palisade-rules-")
            .tempdir_in(&self.parent)
            .map_err(RulesError::io(&self.parent, "make a folder"))?;
        let tree = source.obtain(work.path(), progress)?;
        let manifest = Manifest::matching(&tree, &source.describe())?;
        let has_tests = tree.keys().any(|name| name.starts_with("tests/"));
        if let Some(rules) =
            present.filter(|rules| rules.manifest() == manifest && rules.has_tests() == has_tests)
        {
            return Ok(Installation {
                rules: rules.clone(),
                fresh: false,
            });
        }
        let staged = work.path().join("staged");
        write(&staged, &tree, &record(source, manifest)?)?;
        verify(&staged)?;
        self.swap(&staged, &work.path().join("replaced"))?;
        Ok(Installation {
            rules: verify(&self.dir)?,
            fresh: true,
        })
    }

    /// Two renames: the folder is missing for an instant, never half there. What was there is put back if
    /// the second one fails.
    fn swap(&self, staged: &Path, replaced: &Path) -> Result<(), RulesError> {
        let had_one = self.dir.exists();
        if had_one {
            fs::rename(&self.dir, replaced)
                .map_err(RulesError::io(&self.dir, "move the old rule set away"))?;
        }
        fs::rename(staged, &self.dir).map_err(|error| {
            if had_one {
                // The error that is reported is the first one; this one could add nothing to it.
                let _ = fs::rename(replaced, &self.dir);
            }
            RulesError::io(&self.dir, "move the new rule set into place")(error)
        })
    }
}

/// A mistyped folder must not cost anyone their files.
fn refuse_foreign_folder(dir: &Path) -> Result<(), RulesError> {
    let is_empty = |dir: &Path| fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    if !dir.exists() || dir.join(RECORD).is_file() || is_empty(dir) {
        return Ok(());
    }
    Err(RulesError::Record {
        path: dir.to_path_buf(),
        reason: "the folder holds other files, and no rule set that was installed; name another one"
            .to_owned(),
    })
}

fn record(source: &Source, manifest: Manifest) -> Result<Record, RulesError> {
    let now = OffsetDateTime::from(SystemTime::now());
    Ok(Record {
        version: manifest.version.to_owned(),
        source: source.describe(),
        manifest: manifest.name.to_owned(),
        installed_at: now
            .format(&Rfc3339)
            .unwrap_or_else(|_| now.unix_timestamp().to_string()),
    })
}

fn write(dir: &Path, tree: &Tree, record: &Record) -> Result<(), RulesError> {
    for (name, content) in tree {
        write_file(&dir.join(name), content)?;
    }
    let record = serde_json::to_vec_pretty(record).map_err(|error| RulesError::Record {
        path: dir.join(RECORD),
        reason: error.to_string(),
    })?;
    write_file(&dir.join(RECORD), &record)
}

fn write_file(path: &Path, content: &[u8]) -> Result<(), RulesError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(RulesError::io(folder, "make the folder"))?;
    fs::write(path, content).map_err(RulesError::io(path, "write the file"))
}
