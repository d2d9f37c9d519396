//! Other proxies, with what their documentation recommends for an edge.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::TestCa;

use super::HOST;

const START: Duration = Duration::from_secs(60);

/// Why a proxy is not compared.
#[derive(Debug, thiserror::Error)]
pub enum Absent {
    /// It is not installed.
    #[error("{0} is not there; scripts/peers.sh sets it up")]
    NotInstalled(PathBuf),
    /// It cannot be started.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It does not listen.
    #[error("it does not start: {0}")]
    Silent(String),
}

/// A running proxy; killed when it is dropped.
pub struct Peer {
    /// In tables.
    pub name: String,
    /// TLS, h2 and http/1.1.
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Peer {
    /// nginx of Debian.
    pub async fn nginx(upstream: SocketAddr) -> Result<Self, Absent> {
        let program = installed("/usr/sbin/nginx")?;
        let folder = folder()?;
        let address = free_address()?;
        fs::write(
            folder.path().join("nginx.conf"),
            nginx(folder.path(), address, upstream),
        )?;
        let mut command = Command::new(&program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf"]);
        let version = said(Command::new(&program).arg("-v"));
        let version = version.rsplit('/').next().unwrap_or_default();
        Self::start(format!("nginx {version}"), address, command, folder).await
    }

    /// Envoy of `scripts/peers.sh`.
    pub async fn envoy(peers: &Path, upstream: SocketAddr) -> Result<Self, Absent> {
        let program = installed(peers.join("envoy"))?;
        let folder = folder()?;
        let address = free_address()?;
        let config = folder.path().join("envoy.yaml");
        fs::write(&config, envoy(folder.path(), address, upstream))?;
        let mut command = Command::new(program);
        command.arg("--config-path").arg(&config);
        command.args([
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "--log-level",
            "error",
        ]);
        let version = fs::read_to_string(peers.join("envoy.version")).unwrap_or_default();
        Self::start(format!("Envoy {}", version.trim()), address, command, folder).await
    }

    async fn start(
        name: String,
        address: SocketAddr,
        mut command: Command,
        folder: TempDir,
    ) -> Result<Self, Absent> {
        let output = folder.path().join("output");
        let file = File::create(&output)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let mut peer = Self {
            name,
            address,
            child: command.spawn()?,
            _folder: folder,
        };
        let begin = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            let ended = peer.child.try_wait()?.is_some();
            if ended || begin.elapsed() > START {
                return Err(Absent::Silent(fs::read_to_string(&output).unwrap_or_default()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Gently first: a master that is killed leaves its workers behind.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..50 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(program: impl Into<PathBuf>) -> Result<PathBuf, Absent> {
    let program = program.into();
    if program.exists() {
        Ok(program)
    } else {
        Err(Absent::NotInstalled(program))
    }
}

fn folder() -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    TestCa::new().issue(&[HOST]).write(folder.path(), "edge");
    Ok(folder)
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stderr).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

/// Its defaults, with timeouts that nobody has to wait for, and its limits for an edge.
fn nginx(folder: &Path, listen: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        r#"user root;
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_header_timeout 1s;
    client_body_timeout 1s;
    keepalive_timeout 2s;
    server {{
        listen {listen} ssl http2;
        server_name {HOST};
        ssl_certificate {folder}/edge.pem;
        ssl_certificate_key {folder}/edge.key;
        location /private {{ return 403; }}
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
    server {{
        listen {listen} ssl http2 default_server;
        ssl_certificate {folder}/edge.pem;
        ssl_certificate_key {folder}/edge.key;
        return 404;
    }}
}}
"#,
        folder = folder.display(),
    )
}

/// What Envoy's documentation has for an edge (docs/configuration/best_practices/edge): paths normalised, slashes merged
/// and unescaped, underscores rejected, limits and timeouts.
const ENVOY_OPTIONS: &str = "          normalize_path: true
          merge_slashes: true
          path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT
          common_http_protocol_options:
            idle_timeout: 5s
            headers_with_underscores_action: REJECT_REQUEST
          http2_protocol_options:
            max_concurrent_streams: 100
            initial_stream_window_size: 65536
            initial_connection_window_size: 1048576
          stream_idle_timeout: 3s
          request_timeout: 3s
          request_headers_timeout: 1s
";

fn envoy(folder: &Path, listen: SocketAddr, upstream: SocketAddr) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let private = "              - { match: { prefix: /private }, direct_response: { status: 403 } }\n";
    let template = include_str!("../../../benches/proxies/envoy.yaml");
    let limited = template.replace(
        "    filter_chains:",
        "    per_connection_buffer_limit_bytes: 32768\n    filter_chains:",
    );
    [
        ("@listen_host@", listen.ip().to_string()),
        ("@listen_port@", listen.port().to_string()),
        ("@certificate@", file("edge.pem")),
        ("@key@", file("edge.key")),
        ("@options@", ENVOY_OPTIONS.to_owned()),
        ("@domains@", format!("\"{HOST}\", \"{HOST}:*\"")),
        ("@routes@", private.to_owned()),
        ("@upstream_host@", upstream.ip().to_string()),
        ("@upstream_port@", upstream.port().to_string()),
    ]
    .into_iter()
    .fold(limited, |text, (name, value)| text.replace(name, &value))
}
