//! What was counted, on its way from an edge to its successor. Nothing here is worth a request: all is bounded in time
//! and size, and what fails is left out.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::place::Place;
use super::wire;

/// What a successor says that understands this version: OpenMetrics text of counters and histograms.
pub(super) const ASK: &str = "counts 1\n";

/// A hundred thousand series.
const LARGEST: usize = 16 * 1024 * 1024;

/// For all tries to deliver counts: the one to whom they go may just be giving way to another.
const DELIVERY: Duration = Duration::from_secs(3);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

const TAKEN: &str = "taken\n";
const UNKNOWN: &str = "unknown\n";

/// Takes counts that arrive.
pub type TakeCounts<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Where the edge that follows listens, in the place of this one's socket.
#[derive(Debug)]
pub struct Heir(pub(super) Place);

/// What became of counts.
#[derive(Debug)]
pub enum Delivery {
    /// Somebody has them.
    Taken,
    /// Nobody has them.
    Refused(io::Error),
    /// Somebody may have them: to deliver them again might count them twice.
    Unknown,
}

/// The first line of a message with counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// So many bytes follow.
    Length(usize),
    /// Another version's.
    Foreign,
}

impl Header {
    /// None if it is something else.
    pub(super) fn read(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("counts ")?.trim_end();
        let length = rest.strip_prefix("1 ").and_then(|length| length.parse().ok());
        Some(match length.filter(|length| *length <= LARGEST) {
            Some(length) => Self::Length(length),
            None => Self::Foreign,
        })
    }
}

/// A message with counts.
pub(super) fn message(text: &str) -> io::Result<Vec<u8>> {
    match text.len() <= LARGEST {
        true => Ok([format!("counts 1 {}\n", text.len()).as_bytes(), text.as_bytes()].concat()),
        false => Err(wire::invalid("more counts than can be handed over")),
    }
}

/// Reads what follows `header`, takes it, and says so.
pub(super) async fn receive(mut stream: UnixStream, header: Header, take: TakeCounts<'_>) -> io::Result<()> {
    let Header::Length(length) = header else {
        stream.write_all(UNKNOWN.as_bytes()).await?;
        return Err(wire::invalid("counts as another version tells them"));
    };
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    let text = std::str::from_utf8(&text).map_err(|_| wire::invalid("counts that are no text"))?;
    take(text);
    // Without a wait: between the two nothing can come that would have them delivered a second time.
    stream.try_write(TAKEN.as_bytes()).map(drop)
}

impl Heir {
    /// Delivers counts to whoever listens there: the successor, or the one that follows it.
    pub async fn deliver(&self, text: &str) -> Delivery {
        let message = match message(text) {
            Ok(message) => message,
            Err(error) => return Delivery::Refused(error),
        };
        let deadline = Instant::now() + DELIVERY;
        loop {
            let mut sent = false;
            let tried = timeout_at(deadline, self.attempt(&message, &mut sent)).await;
            let error = match tried {
                Ok(Ok(())) => return Delivery::Taken,
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    return Delivery::Refused(error);
                }
                // Whoever was asked has gone without an answer, and so without the counts.
                Ok(Err(error)) => error,
                Err(_) if sent => return Delivery::Unknown,
                Err(_) => return Delivery::Refused(io::ErrorKind::TimedOut.into()),
            };
            if timeout_at(deadline, sleep(PAUSE)).await.is_err() {
                return Delivery::Refused(error);
            }
        }
    }

    async fn attempt(&self, message: &[u8], sent: &mut bool) -> io::Result<()> {
        if self.0.is_there() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no successor listens there",
            ));
        }
        let mut stream = UnixStream::connect(self.0.path()).await?;
        stream.write_all(message).await?;
        *sent = true;
        let mut answer = String::new();
        wire::line(&mut stream, &mut answer).await?;
        match answer.as_str() {
            TAKEN => Ok(()),
            _ => Err(wire::invalid(
                "the edge that runs does not know what to do with these counts",
            )),
        }
    }
}
