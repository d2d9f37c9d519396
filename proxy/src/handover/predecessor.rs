//! The successor's side.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::HandoverError;
use super::counts::{ASK, Header};
use super::wire::{self, DRAINING, HELLO, LONGEST_LINE, Purpose, SERVING, Socket};

/// For its sockets: it has nothing to do first.
const ANSWER: Duration = Duration::from_secs(10);

/// For its counts: metrics are not told meanwhile.
const COUNTS: Duration = Duration::from_secs(2);

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

    /// Tells it that this edge serves; returns once its background services have ended. `inherit` is told first what it
    /// has counted, or that it does not say. Blocks.
    pub fn replace(mut self, inherit: impl FnOnce(Option<String>)) -> io::Result<()> {
        let told = self.stream.write_all([SERVING, ASK].concat().as_bytes());
        let mut talk = Talk {
            stream: BufReader::new(self.stream),
            line: String::new(),
        };
        let counts = told.and_then(|()| talk.counts());
        let (counts, failed) = match counts {
            Ok(counts) => (counts, None),
            Err(error) => (None, Some(error)),
        };
        inherit(counts);
        match failed {
            Some(error) if !is_late(&error) => Err(error),
            _ => talk.until_draining(),
        }
    }
}

/// What it says, line by line.
struct Talk {
    stream: BufReader<UnixStream>,
    /// The one that is being read.
    line: String,
}

impl Talk {
    /// None if it says something else: an older version knows nothing of counts.
    fn counts(&mut self) -> io::Result<Option<String>> {
        self.stream.get_mut().set_read_timeout(Some(COUNTS))?;
        self.read_line()?;
        let Some(Header::Length(length)) = Header::read(&self.line) else {
            return Ok(None);
        };
        self.line.clear();
        let mut text = vec![0; length];
        self.stream.read_exact(&mut text)?;
        let text = String::from_utf8(text);
        text.map(Some)
            .map_err(|_| wire::invalid("counts that are no text"))
    }

    fn until_draining(&mut self) -> io::Result<()> {
        self.stream.get_mut().set_read_timeout(Some(END_OF_SERVICES))?;
        self.read_line()?;
        if let Some(Header::Length(length)) = Header::read(&self.line) {
            // They come too late to be told.
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            io::copy(&mut (&mut self.stream).take(length), &mut io::sink())?;
            self.line.clear();
            self.read_line()?;
        }
        match self.line == DRAINING {
            true => Ok(()),
            false => Err(wire::invalid("it says something else")),
        }
    }

    /// Goes on with the line where it was left when it took too long.
    fn read_line(&mut self) -> io::Result<()> {
        while !self.line.ends_with('\n') {
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            let room = u64::try_from(room).unwrap_or(0);
            match (&mut self.stream).take(room).read_line(&mut self.line)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => continue,
            }
        }
        Ok(())
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
