//! Programs of others.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The slowest has to wait for the edge's deadlines.
const PATIENCE: Duration = Duration::from_secs(180);

/// How one ended.
pub(crate) struct Ended {
    /// What it said, standard output first.
    pub(crate) said: String,
    /// Standard output alone.
    pub(crate) out: Vec<u8>,
    /// Whether it was content.
    pub(crate) success: bool,
}

impl Ended {
    /// What it said; fails if it was not content.
    #[track_caller]
    pub(crate) fn content(self) -> String {
        assert!(self.success, "{}", self.said);
        self.said
    }
}

/// Runs a program to its end.
pub(crate) async fn run(name: &str, arguments: &[&str]) -> Ended {
    run_with(name, arguments, b"").await
}

/// The same, with something on its standard input.
pub(crate) async fn run_with(name: &str, arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = start(name, arguments);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = tokio::spawn(async move {
        // It may end before it has read all.
        let _ = stdin.write_all(&input).await;
    });
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let ended = ended
        .unwrap_or_else(|_| panic!("{name} {arguments:?} does not end"))
        .unwrap();
    feed.abort();
    let said = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    Ended {
        said: said.concat(),
        out: ended.stdout,
        success: ended.status.success(),
    }
}

/// Starts one, with pipes to it; it is killed when it is dropped.
pub(crate) fn start(name: &str, arguments: &[&str]) -> Child {
    let child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    child.unwrap_or_else(|error| panic!("{name}: {error}; scripts/tools.sh says where it comes from"))
}

/// One that is talked with while it runs.
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    said: Vec<u8>,
}

impl Session {
    /// Starts it, its errors among what it says.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let both = ["-c", "exec \"$0\" \"$@\" 2>&1", name];
        let mut child = start("sh", &[&both, arguments].concat());
        Self {
            input: child.stdin.take(),
            output: child.stdout.take().unwrap(),
            child,
            said: Vec::new(),
        }
    }

    /// Writes to its standard input.
    pub(crate) async fn say(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).await.unwrap();
        input.flush().await.unwrap();
    }

    /// Until it has said this.
    pub(crate) async fn hear(&mut self, what: &str) {
        let heard = async {
            while !String::from_utf8_lossy(&self.said).contains(what) {
                let read = self.output.read_buf(&mut self.said).await.unwrap();
                assert!(read > 0, "not {what:?}: {}", String::from_utf8_lossy(&self.said));
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, heard).await.is_ok();
        assert!(in_time, "not {what:?}: {}", String::from_utf8_lossy(&self.said));
    }

    /// Closes its input, and waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        self.input = None;
        let rest = self.output.read_to_end(&mut self.said);
        let in_time = tokio::time::timeout(PATIENCE, rest).await.is_ok();
        assert!(in_time, "no end: {}", String::from_utf8_lossy(&self.said));
        Ended {
            success: self.child.wait().await.unwrap().success(),
            said: String::from_utf8_lossy(&self.said).into_owned(),
            out: self.said,
        }
    }
}
