//! Where a rule set is to be had, in the order in which it is tried.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::error::RulesError;
use super::manifest::Origin;
use super::tree::Tree;
use super::{Event, PINNED_VERSION, archive, command, layout, tree};
use crate::causes::Causes;

/// One download: the release's archive has 0.6 MB, the Go module 1.2 MB, Debian's package 0.2 MB; what takes
/// longer than this will not come.
const DOWNLOAD_DEADLINE: Duration = Duration::from_secs(60);
/// A network that drops packets must not hold up the next source.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Sixteen times the release's archive.
const MAX_DOWNLOAD_BYTES: u64 = 10 << 20;

/// The last version of the module that was published.
const GO_MODULE: &str = "github.com/corazawaf/coraza-coreruleset/v4@v4.25.0";
/// The package of Debian and Ubuntu.
const DEBIAN_PACKAGE: &str = "modsecurity-crs";

/// A place that may have a rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A folder or a `tar.gz` that the operator named.
    Local(PathBuf),
    /// The project's release on GitHub: the source archive, because the `minimal` one has no tests.
    Release,
    /// The Go module, through whatever module proxy `go` is set up for.
    GoModule,
    /// The distribution's package.
    Debian,
}

impl Source {
    /// The sources to try if the operator named none.
    pub(super) const REMOTE: [Source; 3] = [Source::Release, Source::GoModule, Source::Debian];

    /// What a good answer of this source is known as; `None` for what only its content will tell.
    pub(super) fn origin(&self) -> Option<Origin> {
        match self {
            Source::Local(_) => None,
            Source::Release => Some(Origin::Release),
            Source::GoModule => Some(Origin::GoModule),
            Source::Debian => Some(Origin::Debian),
        }
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        match self {
            Source::Local(path) => path.display().to_string(),
            Source::Release => release_url(),
            Source::GoModule => format!("Go module {GO_MODULE}"),
            Source::Debian => format!("Debian package {DEBIAN_PACKAGE}"),
        }
    }

    /// Fetches the files and renames them to the installed layout. `work` is an empty folder.
    pub(super) fn obtain(&self, work: &Path, progress: &mut dyn FnMut(Event)) -> Result<Tree, RulesError> {
        let tree = match self {
            Source::Local(path) if path.is_dir() => tree::read_folder(path)?,
            Source::Local(path) => {
                let bytes = fs::read(path).map_err(RulesError::io(path, "read the archive"))?;
                archive::read(&bytes, &self.describe())?
            }
            Source::Release => archive::read(&download(&release_url(), progress)?, &self.describe())?,
            Source::GoModule => tree::read_folder(&go_module(work)?)?,
            Source::Debian => tree::read_folder(&debian_package(work)?)?,
        };
        layout::normalise(tree, &self.describe())
    }
}

fn release_url() -> String {
    format!("https://github.com/coreruleset/coreruleset/archive/refs/tags/v{PINNED_VERSION}.tar.gz")
}

/// `go` downloads into its own module cache and says where that is.
fn go_module(work: &Path) -> Result<PathBuf, RulesError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        dir: PathBuf,
    }
    let mut go = Command::new("go");
    // Outside of any module, so that no go.mod or go.work nearby takes part.
    go.args(["mod", "download", "-json", GO_MODULE])
        .current_dir(work)
        .env("GOWORK", "off")
        .env("GOFLAGS", "");
    let output = command::run(&mut go, DOWNLOAD_DEADLINE)?;
    let answer: Answer = serde_json::from_slice(&output).map_err(|error| RulesError::Program {
        program: "go mod download".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(answer.dir)
}

/// `apt-get download` needs no root, and `dpkg-deb -x` installs nothing.
fn debian_package(work: &Path) -> Result<PathBuf, RulesError> {
    let mut download = Command::new("apt-get");
    download
        .args(["download", "-q", DEBIAN_PACKAGE])
        .current_dir(work);
    command::run(&mut download, DOWNLOAD_DEADLINE)?;
    let package = fs::read_dir(work)
        .map_err(RulesError::io(work, "list the folder"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| RulesError::Program {
            program: "apt-get download".to_owned(),
            reason: "left no package behind".to_owned(),
        })?;
    let unpacked = work.join("unpacked");
    command::run(
        Command::new("dpkg-deb").arg("-x").arg(package).arg(&unpacked),
        DOWNLOAD_DEADLINE,
    )?;
    Ok(unpacked)
}

/// The body behind `url`.
fn download(url: &str, progress: &mut dyn FnMut(Event)) -> Result<Vec<u8>, RulesError> {
    let fail = |reason: String| RulesError::Download {
        url: url.to_owned(),
        reason,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| fail(error.to_string()))?;
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(DOWNLOAD_DEADLINE)
            .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| fail(Causes(&error).to_string()))?;
        let sent = client.get(url).send().await;
        let mut response = sent
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| fail(Causes(&error.without_url()).to_string()))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| fail(Causes(&error.without_url()).to_string()))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > MAX_DOWNLOAD_BYTES {
                return Err(fail(format!("more than {MAX_DOWNLOAD_BYTES} bytes")));
            }
            progress(Event::Received {
                bytes: bytes.len() as u64,
            });
        }
        Ok(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    /// Answers one request with these bytes.
    fn answer_once(response: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 2048]);
            let _ = stream.write_all(response);
        });
        format!("http://{address}/x.tar.gz")
    }

    #[test]
    fn a_download_shows_its_progress() {
        let url = answer_once(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        let mut last = 0;
        let mut progress = |event: Event| {
            if let Event::Received { bytes } = event {
                last = bytes;
            }
        };
        assert_eq!(download(&url, &mut progress).unwrap(), b"hello");
        assert_eq!(last, 5);
    }

    #[test]
    fn an_answer_that_is_no_archive_says_its_status() {
        let url = answer_once(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        let error = download(&url, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("404 Not Found"), "{error}");
    }

    #[test]
    fn an_address_that_nobody_serves_says_why() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let error = download(&url, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("refused"), "{error}");
    }
}
