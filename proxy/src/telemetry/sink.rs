//! Log lines, written by a thread of their own: a slow disk or a stuck pipe never holds a request.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::config::LogTarget;

/// Lines that wait for the writer: about a second of a busy edge. More are dropped and counted.
const QUEUE: usize = 16_384;

/// A log file could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{path}: cannot open the log file for appending: {source}")]
pub struct SinkError {
    path: PathBuf,
    source: std::io::Error,
}

/// The sending end of a log; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sink {
    lines: Option<SyncSender<Message>>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    Reopen,
    Flush(SyncSender<()>),
}

impl Sink {
    /// Opens the target and starts its writer.
    pub fn open(target: &LogTarget) -> Result<Self, SinkError> {
        let dropped = Arc::new(AtomicU64::new(0));
        if *target == LogTarget::Off {
            return Ok(Self { lines: None, dropped });
        }
        let output = Output::open(target.clone())?;
        let (lines, queue) = sync_channel(QUEUE);
        let started = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(output, &queue));
        started.map_err(|source| SinkError {
            path: PathBuf::from("(log thread)"),
            source,
        })?;
        Ok(Self {
            lines: Some(lines),
            dropped,
        })
    }

    /// Whether anyone reads: spares making a line that would be thrown away.
    pub fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    /// Queues a line (its newline included); drops it if the writer is too far behind.
    pub fn write(&self, line: Vec<u8>) {
        if let Some(lines) = &self.lines
            && lines.try_send(Message::Line(line)).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Opens a file target anew, after it was rotated away.
    pub fn reopen(&self) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(Message::Reopen);
        }
    }

    /// Waits until all lines queued so far are written.
    pub fn flush(&self) {
        if let Some(lines) = &self.lines {
            let (done, wait) = sync_channel(1);
            if lines.send(Message::Flush(done)).is_ok() {
                let _ = wait.recv_timeout(std::time::Duration::from_secs(2));
            }
        }
    }
}

struct Output {
    target: LogTarget,
    writer: Box<dyn Write + Send>,
}

impl Output {
    fn open(target: LogTarget) -> Result<Self, SinkError> {
        let writer: Box<dyn Write + Send> = match &target {
            LogTarget::Stdout => Box::new(std::io::stdout()),
            LogTarget::Stderr => Box::new(std::io::stderr()),
            LogTarget::File(path) => Box::new(open_file(path)?),
            LogTarget::Off => Box::new(std::io::sink()),
        };
        Ok(Self { target, writer })
    }

    fn reopen(&mut self) {
        if let LogTarget::File(path) = &self.target
            && let Ok(file) = open_file(path)
        {
            self.writer = Box::new(file);
        }
    }
}

fn open_file(path: &PathBuf) -> Result<std::fs::File, SinkError> {
    if let Some(folder) = path.parent() {
        // Its failure shows in the open below, with the path that matters.
        let _ = std::fs::create_dir_all(folder);
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|source| SinkError {
        path: path.clone(),
        source,
    })
}

/// Writes until every sender is gone, batching what has queued up meanwhile into one write.
fn write_all(mut output: Output, queue: &Receiver<Message>) {
    let mut batch = Vec::with_capacity(64 * 1024);
    let mut waiting = Vec::new();
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => batch.extend_from_slice(&line),
                Message::Reopen => output.reopen(),
                Message::Flush(done) => waiting.push(done),
            }
            next = if batch.len() < 64 * 1024 {
                queue.try_recv().ok()
            } else {
                None
            };
        }
        // A full disk or a closed pipe loses lines, never requests.
        let _ = output
            .writer
            .write_all(&batch)
            .and_then(|()| output.writer.flush());
        batch.clear();
        waiting.drain(..).for_each(|done: SyncSender<()>| {
            let _ = done.send(());
        });
    }
}
