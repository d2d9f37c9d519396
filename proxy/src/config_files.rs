//! The configuration's files on the disk: the only part of reading a configuration that does I/O.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::config::FileSource;

/// Files of the machine. Relative paths are relative to the working directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl FileSource for DiskFiles {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        // The parent of a bare file name is the empty path.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            // Follows links: a ConfigMap's files are links.
            if std::fs::metadata(entry.path()).is_ok_and(|found| found.is_file()) {
                names.extend(entry.file_name().into_string());
            }
        }
        Ok(names)
    }

    fn readable(&self, path: &Path) -> io::Result<()> {
        let found = File::open(path)?.metadata()?;
        if found.is_dir() {
            Err(io::ErrorKind::IsADirectory.into())
        } else {
            Ok(())
        }
    }
}
