//! The side of the edge that runs.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{info, warn};

use super::HandoverError;
use super::counts::{self, ASK, Header, Heir, TakeCounts};
use super::place::Place;
use super::wire::{self, DRAINING, HELLO, MOST, SERVING, Socket};

/// A successor reads its configuration and compiles its rules in this time: on a slow machine, with many routes, a
/// minute.
const START_OF_SUCCESSOR: Duration = Duration::from_secs(10 * 60);

/// Whoever connects says at once what for, and an edge that ends hands over its counts at once.
const FIRST_WORDS: Duration = Duration::from_secs(10);

/// A successor that wants counts says so with the same words as that it serves.
const SAME_WORDS: Duration = Duration::from_millis(100);

/// For counts to be on their way to a successor.
const COUNTS: Duration = Duration::from_secs(2);

/// Between two tries after the socket failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Those who are heard at once: a successor, and edges that still drain.
const VISITORS: usize = 8;

/// Sockets on offer, to processes of the same user.
#[derive(Debug)]
pub struct Offer {
    listener: UnixListener,
    place: Place,
    sockets: Vec<Socket>,
    /// One successor after another.
    turn: Mutex<()>,
}

/// An offer that was taken: what is left is to pass on what edges before this one have counted, until the successor has
/// a socket of its own in its place.
#[derive(Debug)]
pub struct Lingering(UnixListener);

/// An edge that serves in our place, and waits for our background services to end.
#[derive(Debug)]
pub struct Successor {
    stream: UnixStream,
    wants_counts: bool,
}

impl Offer {
    /// Offers `sockets` at `path`, in the place of whoever offered there before. Needs a Tokio runtime.
    pub fn open(path: &Path, sockets: Vec<Socket>) -> Result<Self, HandoverError> {
        if sockets.len() > MOST {
            return Err(HandoverError::TooMany(sockets.len()));
        }
        let (listener, place) = Place::listen(path)?;
        Ok(Self {
            listener,
            place,
            sockets,
            turn: Mutex::new(()),
        })
    }

    /// Until a successor serves. One that gives up before changes nothing. `take` is given what edges before this one
    /// have counted.
    pub async fn taken(&self, take: TakeCounts<'_>) -> Successor {
        let mut visits = FuturesUnordered::new();
        loop {
            tokio::select! {
                stream = accept(&self.listener), if visits.len() < VISITORS => visits.push(self.visit(stream, take)),
                Some(visit) = visits.next() => if let Some(successor) = visit {
                    return successor;
                },
            }
        }
    }

    /// The same socket, for counts alone, and where they go. The file is left to the successor.
    pub fn linger(self) -> (Lingering, Heir) {
        (Lingering(self.listener), Heir(self.place.leave()))
    }

    async fn visit(&self, stream: UnixStream, take: TakeCounts<'_>) -> Option<Successor> {
        match first_words(stream).await? {
            Visitor::Successor(stream) => {
                let _turn = self.turn.lock().await;
                match timeout(START_OF_SUCCESSOR, self.hand_over(stream)).await {
                    Ok(Ok(successor)) => return Some(successor),
                    Ok(Err(error)) => warn!(%error, "an upgrade came to nothing; this edge goes on"),
                    Err(_) => {
                        warn!(after = ?START_OF_SUCCESSOR, "an upgrade took too long; this edge goes on");
                    }
                }
            }
            Visitor::Counts(stream, header) => take_counts(stream, header, take).await,
        }
        None
    }

    async fn hand_over(&self, mut stream: UnixStream) -> io::Result<Successor> {
        info!("a successor takes the sockets");
        stream.writable().await?;
        stream
            .async_io(Interest::WRITABLE, || wire::send(stream.as_fd(), &self.sockets))
            .await?;
        let mut words = vec![0; SERVING.len()];
        stream.read_exact(&mut words).await?;
        if words != SERVING.as_bytes() {
            return Err(wire::invalid("it says something else"));
        }
        let mut words = String::new();
        let asked = timeout(SAME_WORDS, wire::line(&mut stream, &mut words)).await;
        let wants_counts = matches!(asked, Ok(Ok(()))) && words == ASK;
        Ok(Successor { stream, wants_counts })
    }
}

impl Lingering {
    /// Takes counts for as long as it is asked to.
    pub async fn pass_on(&self, take: TakeCounts<'_>) {
        let mut visits = FuturesUnordered::new();
        loop {
            tokio::select! {
                stream = accept(&self.0), if visits.len() < VISITORS => visits.push(async move {
                    if let Some(Visitor::Counts(stream, header)) = first_words(stream).await {
                        take_counts(stream, header, take).await;
                    }
                }),
                Some(()) = visits.next() => {}
            }
        }
    }
}

impl Successor {
    /// Whether it asks for what was counted.
    pub fn wants_counts(&self) -> bool {
        self.wants_counts
    }

    /// Tells it what was counted.
    pub async fn tell_counts(&mut self, text: &str) -> io::Result<()> {
        let message = counts::message(text)?;
        timeout(COUNTS, self.stream.write_all(&message)).await?
    }

    /// Tells it that our background services have ended. Whether it hears that is its own business.
    pub async fn tell_draining(mut self) {
        let _ = timeout(COUNTS, self.stream.write_all(DRAINING.as_bytes())).await;
    }
}

/// Who connects, and what for.
enum Visitor {
    Successor(UnixStream),
    Counts(UnixStream, Header),
}

async fn accept(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                warn!(%error, "the upgrade socket does not accept");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn first_words(mut stream: UnixStream) -> Option<Visitor> {
    let asked = async {
        same_user(&stream)?;
        let mut line = String::new();
        wire::line(&mut stream, &mut line).await?;
        io::Result::Ok(line)
    };
    let error = match timeout(FIRST_WORDS, asked).await {
        Ok(Ok(line)) if line == HELLO => return Some(Visitor::Successor(stream)),
        Ok(Ok(line)) => match Header::read(&line) {
            Some(header) => return Some(Visitor::Counts(stream, header)),
            None => wire::invalid("it says something else"),
        },
        Ok(Err(error)) => error,
        Err(late) => late.into(),
    };
    warn!(%error, "somebody at the upgrade socket was turned away");
    None
}

async fn take_counts(stream: UnixStream, header: Header, take: TakeCounts<'_>) {
    let taken = timeout(FIRST_WORDS, counts::receive(stream, header, take)).await;
    if let Err(error) = taken.unwrap_or_else(|late| Err(late.into())) {
        warn!(%error, "what an edge before this one has counted while it drains is not taken");
    }
}

fn same_user(stream: &UnixStream) -> io::Result<()> {
    let (theirs, ours) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    match theirs == ours || theirs == 0 {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("asked by user {theirs}, and this edge is user {ours}'s"),
        )),
    }
}
