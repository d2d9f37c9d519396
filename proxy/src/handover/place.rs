//! The file of a socket, which the next edge puts its own in the place of.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tokio::net::UnixListener;

/// A socket's file, removed with it if it is there still.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// Held, so that no other file can have its number.
    file: File,
    stays: bool,
}

impl Place {
    /// Listens at `path`, in the place of whoever listened there before. For this user alone.
    pub(super) fn listen(path: &Path) -> io::Result<(UnixListener, Self)> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let fresh = path.with_file_name(name);
        let _ = fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
        let file = reference(&fresh)?;
        fs::rename(&fresh, path)?;
        let place = Self {
            path: path.to_owned(),
            file,
            stays: false,
        };
        Ok((listener, place))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nobody else's is in its place.
    pub(super) fn is_there(&self) -> bool {
        let (there, own) = (fs::symlink_metadata(&self.path), self.file.metadata());
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        there.is_ok_and(|there| own.is_ok_and(|own| identity(there) == identity(own)))
    }

    /// Leaves the file to whoever comes next: to remove it might remove theirs.
    pub(super) fn leave(mut self) -> Self {
        self.stays = true;
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.stays && self.is_there() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A socket cannot be opened, but referred to (open(2), `O_PATH`).
fn reference(path: &Path) -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}
