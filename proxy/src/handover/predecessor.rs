//! The successor's side.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::HandoverError;
use super::wire::{self, DRAINING, HELLO, Purpose, SERVING, Socket};

/// For its sockets: it has nothing to do first.
const ANSWER: Duration = Duration::from_secs(10);

/// For its background services to end: they may be in the midst of a request to an API.
const END_OF_SERVICES: Duration = Duration::from_secs(15);

/// The edge that runs, while this one starts.
#[derive(Debug)]
pub struct Predecessor {
    stream: UnixStream,
    sockets: Vec<Socket>,
}

impl Predecessor {
    /// Asks the edge at `path` for its sockets. It goes on serving until [`Predecessor::replace`].
    pub fn ask(path: &Path) -> Result<Self, HandoverError> {
        let nobody = |source| HandoverError::Nobody {
            path: path.to_owned(),
            source,
        };
        let mut stream = UnixStream::connect(path).map_err(nobody)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(HELLO.as_bytes())?;
        let sockets = wire::receive(stream.as_fd())?;
        Ok(Self { stream, sockets })
    }

    /// The socket for this, if it has one. `address` is that of the configuration.
    pub fn socket(&mut self, purpose: Purpose, address: SocketAddr) -> Option<TcpListener> {
        let fits = |socket: &Socket| socket.purpose == purpose && socket.address == address;
        let place = self.sockets.iter().position(fits)?;
        Some(self.sockets.swap_remove(place).listener)
    }

    /// Tells it that this edge serves; returns once its background services have ended. Blocks.
    pub fn replace(mut self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(END_OF_SERVICES))?;
        self.stream.write_all(SERVING.as_bytes())?;
        let mut answer = [0; DRAINING.len()];
        self.stream.read_exact(&mut answer)?;
        match answer == *DRAINING.as_bytes() {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
