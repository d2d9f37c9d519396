//! The side of the edge that runs.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{UnixListener, UnixStream};
use tracing::{info, warn};

use super::HandoverError;
use super::wire::{self, DRAINING, HELLO, MOST, SERVING, Socket};

/// A successor reads its configuration and compiles its rules in this time: on a slow machine, with many routes, a
/// minute.
const START_OF_SUCCESSOR: Duration = Duration::from_secs(10 * 60);

/// Between two tries after the socket failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Sockets on offer, to processes of the same user.
#[derive(Debug)]
pub struct Offer {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode: a successor puts its own socket in this one's place.
    identity: (u64, u64),
    sockets: Vec<Socket>,
}

/// An edge that serves in our place, and waits for our background services to end.
#[derive(Debug)]
pub struct Successor(UnixStream);

impl Offer {
    /// Offers `sockets` at `path`, in the place of whoever offered there before. Needs a Tokio runtime.
    pub fn open(path: &Path, sockets: Vec<Socket>) -> Result<Self, HandoverError> {
        if sockets.len() > MOST {
            return Err(HandoverError::TooMany(sockets.len()));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let fresh = path.with_file_name(name);
        let _ = fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
        let identity = identity(&fresh)?;
        fs::rename(&fresh, path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity,
            sockets,
        })
    }

    /// Until a successor serves. One that gives up before changes nothing.
    pub async fn taken(&self) -> Successor {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "the upgrade socket does not accept");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            match tokio::time::timeout(START_OF_SUCCESSOR, self.hand_over(stream)).await {
                Ok(Ok(successor)) => return successor,
                Ok(Err(error)) => warn!(%error, "an upgrade came to nothing; this edge goes on"),
                Err(_) => warn!(after = ?START_OF_SUCCESSOR, "an upgrade took too long; this edge goes on"),
            }
        }
    }

    async fn hand_over(&self, mut stream: UnixStream) -> io::Result<Successor> {
        let (theirs, ours) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
        if theirs != ours && theirs != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("asked by user {theirs}, and this edge is user {ours}'s"),
            ));
        }
        expect(&mut stream, HELLO).await?;
        info!("a successor takes the sockets");
        stream.writable().await?;
        stream
            .async_io(Interest::WRITABLE, || wire::send(stream.as_fd(), &self.sockets))
            .await?;
        expect(&mut stream, SERVING).await?;
        Ok(Successor(stream))
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Successor {
    /// Tells it that our background services have ended. Whether it hears that is its own business.
    pub async fn tell_draining(mut self) {
        let _ = self.0.write_all(DRAINING.as_bytes()).await;
    }
}

async fn expect(stream: &mut UnixStream, words: &str) -> io::Result<()> {
    let mut bytes = vec![0; words.len()];
    stream.read_exact(&mut bytes).await?;
    match bytes == words.as_bytes() {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it says something else",
        )),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
