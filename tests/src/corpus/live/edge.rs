//! The edge as a process, set up by the profile that is shipped: `config/crs-test.toml`.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use toml::{Table, Value};

const PROFILE: &str = include_str!("../../../../config/crs-test.toml");
const SECLANG: &str = include_str!("../../../../config/crs-test.conf");
const SECLANG_NAME: &str = "crs-test.conf";

/// Compiling the rules in a debug build on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Longer than the profile's grace.
const STOP: Duration = Duration::from_secs(40);

/// A running edge and its folder; killed when it is dropped.
pub struct Edge {
    process: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Edge {
    /// Starts `binary` with the profile, over installed rules, in front of `upstream`; returns once it accepts.
    pub async fn start(binary: &Path, rules: &Path, upstream: SocketAddr) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let profile = adapted(folder.path(), rules, address, upstream)?;
        let config = folder.path().join("crs-test.toml");
        std::fs::write(&config, profile)?;
        std::fs::write(folder.path().join(SECLANG_NAME), SECLANG)?;
        let output = File::create(folder.path().join("output"))?;
        let process = Command::new(binary)
            .args(["run", "--config"])
            .arg(&config)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let mut edge = Self {
            process,
            folder,
            address,
        };
        edge.accepts().await?;
        Ok(edge)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log of matches so far.
    pub fn log(&self) -> io::Result<Vec<u8>> {
        std::fs::read(log(self.folder.path()))
    }

    /// Stops it as its operator would; returns its whole log of matches.
    pub async fn stop(mut self) -> io::Result<Vec<u8>> {
        let terminated = Command::new("kill").arg(self.process.id().to_string()).status()?;
        if !terminated.success() {
            return Err(self.failure("it ended by itself"));
        }
        let begin = Instant::now();
        while self.process.try_wait()?.is_none() {
            if begin.elapsed() > STOP {
                return Err(self.failure("it does not stop"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.log()
    }

    /// Waits until it says where it serves.
    async fn accepts(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        loop {
            let output = std::fs::read_to_string(self.folder.path().join("output"))?;
            if let Some(address) = served(&output) {
                self.address = address;
                return Ok(());
            }
            if self.process.try_wait()?.is_some() || begin.elapsed() > START {
                return Err(self.failure("it does not start"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn failure(&self, what: &str) -> io::Error {
        let output = std::fs::read_to_string(self.folder.path().join("output")).unwrap_or_default();
        io::Error::other(format!("the edge: {what}\n{output}"))
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("matches.log")
}

/// The address in the line that tells the start.
fn served(output: &str) -> Option<SocketAddr> {
    let line = output.lines().find(|line| line.contains("serving"))?;
    let address = &line[line.find("127.0.0.1:")?..];
    let end = address.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ':'))?;
    address[..end].parse().ok()
}

/// The profile with the places of this run; what it says of the WAF stays.
fn adapted(folder: &Path, rules: &Path, https: SocketAddr, upstream: SocketAddr) -> io::Result<String> {
    let mut profile: Table = toml::from_str(PROFILE).map_err(io::Error::other)?;
    let rules = std::path::absolute(rules)?;
    let text = |path: &Path| Value::from(path.to_string_lossy().into_owned());
    let changes = [
        ("server", "data_dir", text(&folder.join("data"))),
        ("listen", "https", Value::from(vec![https.to_string()])),
        ("log", "matches", text(&log(folder))),
        ("waf", "rules", text(&rules)),
    ];
    for (table, key, value) in changes {
        let table = profile.get_mut(table).and_then(Value::as_table_mut);
        let table = table.ok_or_else(|| io::Error::other("the profile lacks a table"))?;
        table.insert(key.to_owned(), value);
    }
    let backend = Value::from(vec![format!("http://{upstream}")]);
    let routes = profile.get_mut("routes").and_then(Value::as_array_mut);
    for route in routes.into_iter().flatten().filter_map(Value::as_table_mut) {
        route.insert("backends".to_owned(), backend.clone());
    }
    toml::to_string(&profile).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_changed_and_the_policy_stays() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4));
        let text = adapted(Path::new("/f"), Path::new("/r"), address, address).unwrap();
        let (changed, shipped): (Table, Table) =
            (toml::from_str(&text).unwrap(), toml::from_str(PROFILE).unwrap());
        assert_eq!(changed["log"]["matches"].as_str(), Some("/f/matches.log"));
        assert_eq!(
            changed["routes"][0]["backends"][0].as_str(),
            Some("http://127.0.0.1:4")
        );
        assert_eq!(changed["routes"][0]["hosts"], shipped["routes"][0]["hosts"]);
        assert_eq!(changed["waf"]["paranoia_level"], shipped["waf"]["paranoia_level"]);
    }
}
