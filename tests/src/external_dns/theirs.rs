//! Their side: the program of `tests/lab/external-dns`, one process for each round.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Case, Want};
use crate::cloudflare::FakeCloudflare;

/// external-dns.
#[derive(Debug, Clone)]
pub struct ExternalDns {
    /// What `tests/lab/external-dns.sh` builds.
    pub program: PathBuf,
}

impl ExternalDns {
    /// Carries the wishes out in the zone of the fake; gives the changes that it planned.
    pub(super) async fn write(
        &self,
        case: &Case,
        wants: &[Want],
        fake: &FakeCloudflare,
    ) -> io::Result<Value> {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("CLOUDFLARE_BASE_URL", fake.base_url())
            .env("CF_API_TOKEN", fake.token());
        let request = request(case, wants).to_string();
        // The fake answers on this runtime's thread.
        tokio::task::spawn_blocking(move || run(command, &request)).await?
    }
}

fn request(case: &Case, wants: &[Want]) -> Value {
    let mut endpoints = Vec::new();
    for want in wants {
        for (kind, targets) in want.sets() {
            endpoints.push(json!({
                "name": want.host, "type": kind, "targets": targets,
                "ttl": want.ttl.unwrap_or(0), "proxied": want.proxied,
                "resource": format!("palisade/{}", want.route()),
            }));
        }
    }
    json!({
        "txtOwnerId": case.owner, "txtPrefix": case.prefix, "txtSuffix": case.suffix,
        "txtWildcardReplacement": case.wildcard, "policy": case.policy, "endpoints": endpoints,
    })
}

fn run(mut command: Command, request: &str) -> io::Result<Value> {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(request.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
