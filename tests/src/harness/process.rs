//! The binary itself, as a process.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::edge::EdgeFiles;
use super::eventually;
use super::rules::workspace;

/// The binary `palisade`, built if it must be.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("PALISADE_TEST_BINARY")
            .map(PathBuf::from)
            .unwrap_or_else(build)
    })
}

/// Runs the binary to its end.
pub async fn run_binary(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::null()).env("NO_COLOR", "1");
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    super::within("the command to end", run).await.unwrap()
}

/// What a finished command said, both streams.
pub fn said(output: &Output) -> String {
    [output.stdout.as_slice(), b"\n", output.stderr.as_slice()]
        .iter()
        .map(|part| String::from_utf8_lossy(part))
        .collect()
}

/// `palisade run` in the background; killed when it is dropped.
pub struct EdgeProcess {
    child: Child,
    output: PathBuf,
}

impl EdgeProcess {
    /// Starts over the configuration of `files`.
    pub fn start(files: &EdgeFiles) -> Self {
        let mut command = Command::new(binary());
        command.stdin(Stdio::null());
        Self::spawn(command, files, &[])
    }

    /// Starts one that takes the sockets of the edge that runs over `files`.
    pub fn upgrade(files: &EdgeFiles) -> Self {
        let mut command = Command::new(binary());
        command.stdin(Stdio::null());
        Self::spawn(command, files, &["--upgrade"])
    }

    /// Starts in a shell that has run `first`.
    pub fn start_after(first: &str, files: &EdgeFiles) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{first}; exec \"$0\" \"$@\"")])
            .arg(binary());
        command.stdin(Stdio::null());
        Self::spawn(command, files, &[])
    }

    /// Starts with a socket as systemd passes it, and the path of a socket that is told how it stands.
    pub fn activated(files: &EdgeFiles, socket: TcpListener, notify: &Path) -> Self {
        const PASS: &str = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0 0</dev/null";
        let mut command = Command::new("sh");
        command.args(["-c", PASS]).arg(binary());
        command.env("NOTIFY_SOCKET", notify).stdin(OwnedFd::from(socket));
        Self::spawn(command, files, &[])
    }

    fn spawn(mut command: Command, files: &EdgeFiles, arguments: &[&str]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let output = files.folder().join(format!("process-{number}.log"));
        let log = std::fs::File::create(&output).unwrap();
        let child = command
            .args(["run", "--config"])
            .arg(files.config())
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        EdgeProcess { child, output }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// The first TLS address that it says it serves.
    pub async fn https(&self) -> SocketAddr {
        eventually("the process to serve", || async {
            let output = self.output();
            let line = output.lines().find(|line| line.contains("serving"))?;
            let after = &line[line.find("https")?..];
            let start = after.find("127.0.0.1:")?;
            let address: String = after[start..]
                .chars()
                .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
                .collect();
            address.parse().ok()
        })
        .await
    }

    /// The memory that it holds, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends a signal by name, `HUP`.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = std::cell::RefCell::new(&mut self.child);
        eventually("the process to end", || async {
            child.borrow_mut().try_wait().unwrap()
        })
        .await
    }
}

/// Sends a signal by name, `HUP`, to a process.
pub fn signal(pid: u32, name: &str) {
    let kill = format!("kill -{name} {pid}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

impl Drop for EdgeProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Builds it beside this test; of the whole workspace, as another selection has other features.
fn build() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let profile = exe.ancestors().nth(2).unwrap();
    let release = profile.file_name().is_some_and(|name| name == "release");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace())
        .args(["build", "-q", "--workspace", "--bins"]);
    if release {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "the binary does not build");
    profile.join("palisade")
}
