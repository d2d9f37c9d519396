//! Why sockets were not handed over.

use std::io;
use std::path::PathBuf;

/// Why an edge does not get the sockets of another.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// `[server].upgrade_socket = false`.
    #[error(
        "[server].upgrade_socket is false: there is no way to hand sockets over. Start without --upgrade"
    )]
    SwitchedOff,
    /// Nobody listens there.
    #[error(
        "no edge that runs answers at {}: {source}. Start without --upgrade, or set [server].upgrade_socket to that of the edge that runs",
        .path.display()
    )]
    Nobody {
        /// The socket's path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What came was not what an edge sends.
    #[error("the edge that runs was asked for its sockets, and answered otherwise: {0}")]
    Answer(#[from] io::Error),
    /// It speaks another version of this.
    #[error(
        "the edge that runs hands its sockets over in another way, as another version does. Restart it instead"
    )]
    Version,
    /// More sockets than fit.
    #[error("{0} sockets are more than can be handed over at once ({max})", max = super::wire::MOST)]
    TooMany(usize),
}
