//! A source's files in memory, by `/`-separated name. A release is 5 MB, so nothing is spooled, and no
//! name from outside is ever used to write a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::error::RulesError;

/// Files by name.
pub(super) type Tree = BTreeMap<String, Vec<u8>>;

/// One file: the largest of CRS 4.28 has 330 kB.
pub(super) const MAX_FILE_BYTES: u64 = 4 << 20;
/// All files that are kept: CRS 4.28 with its tests has 5 MB.
pub(super) const MAX_TREE_BYTES: u64 = 64 << 20;
/// Files that are looked at: the source archive of CRS 4.28 has 717 entries.
pub(super) const MAX_FILES: usize = 20_000;

/// Where the files of all known layouts are; nothing else of a folder is read, so that `--from /` is cheap.
const KEPT: [&str; 7] = [
    "rules/",
    "tests/",
    "crs-setup.conf.example",
    "LICENSE",
    "usr/share/modsecurity-crs/rules/",
    "usr/share/doc/modsecurity-crs/copyright",
    "etc/modsecurity/crs/crs-setup.conf",
];

/// Whether a file of that name may be part of a rule set.
pub(super) fn is_kept(name: &str) -> bool {
    KEPT.iter()
        .any(|kept| name == *kept || (kept.ends_with('/') && name.starts_with(kept)))
}

/// Reads the parts of a folder that may be part of a rule set.
pub(super) fn read_folder(root: &Path) -> Result<Tree, RulesError> {
    let mut reader = Reader {
        root,
        tree: Tree::new(),
        bytes: 0,
    };
    for kept in KEPT {
        let path = root.join(kept);
        if path.is_dir() {
            reader.folder(&path, kept.trim_end_matches('/'), MAX_DEPTH)?;
        } else if path.is_file() {
            reader.file(&path, kept.to_owned())?;
        }
    }
    Ok(reader.tree)
}

/// Reads every file of a folder: for verification, which must see what does not belong there.
pub(super) fn read_all(root: &Path) -> Result<Tree, RulesError> {
    let mut reader = Reader {
        root,
        tree: Tree::new(),
        bytes: 0,
    };
    reader.folder(root, "", MAX_DEPTH)?;
    Ok(reader.tree)
}

/// Folders in folders; the deepest known file is five down. Also ends a loop of symbolic links.
const MAX_DEPTH: usize = 8;

struct Reader<'a> {
    root: &'a Path,
    tree: Tree,
    bytes: u64,
}

impl Reader<'_> {
    fn folder(&mut self, path: &Path, name: &str, depth: usize) -> Result<(), RulesError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.past("folders nested too deeply"));
        };
        for entry in fs::read_dir(path).map_err(RulesError::io(path, "list the folder"))? {
            let entry = entry.map_err(RulesError::io(path, "list the folder"))?;
            let component = entry.file_name().to_string_lossy().into_owned();
            let child = if name.is_empty() {
                component
            } else {
                format!("{name}/{component}")
            };
            if entry.path().is_dir() {
                self.folder(&entry.path(), &child, depth)?;
            } else {
                self.file(&entry.path(), child)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), RulesError> {
        let length = fs::metadata(path)
            .map_err(RulesError::io(path, "read the file"))?
            .len();
        self.bytes = self.bytes.saturating_add(length);
        if length > MAX_FILE_BYTES || self.bytes > MAX_TREE_BYTES || self.tree.len() >= MAX_FILES {
            return Err(self.past("more data than any rule set has"));
        }
        let content = fs::read(path).map_err(RulesError::io(path, "read the file"))?;
        self.tree.insert(name, content);
        Ok(())
    }

    fn past(&self, reason: &str) -> RulesError {
        RulesError::Archive {
            origin: self.root.display().to_string(),
            reason: reason.to_owned(),
        }
    }
}
