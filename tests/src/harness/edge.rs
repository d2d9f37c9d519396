//! An edge of the test's own: its configuration in a temporary folder, its sockets on port 0.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use palisade::app::{Addresses, App, Running};
use reqwest::Client;
use tempfile::TempDir;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::answer::Answer;
use super::ask::Ask;
use super::logs::LogFile;
use super::polite::{self, Versions};
use super::raw::{self, Connection, Tls};
use super::{Route, TestCa, eventually, within};

/// A running edge and what belongs to it.
pub struct TestEdge {
    running: Running,
    files: EdgeFiles,
}

/// The folder of an edge: its configuration, its certificates, its logs.
pub struct EdgeFiles {
    folder: TempDir,
    /// Signs what the edge serves.
    pub ca: TestCa,
}

/// An edge that has not started.
pub struct EdgeBuilder {
    files: EdgeFiles,
    server: String,
    listen: String,
    tls: String,
    waf: String,
    routes: String,
    certificates: Vec<(String, Vec<String>)>,
    rules: Option<PathBuf>,
    include: bool,
}

impl TestEdge {
    /// An edge with a certificate for `*.test` and `test`, without the WAF's rules.
    pub fn builder() -> EdgeBuilder {
        EdgeBuilder {
            files: EdgeFiles {
                folder: tempfile::tempdir().unwrap(),
                ca: TestCa::new(),
            },
            server: "grace = \"10s\"\nworkers = 2".to_owned(),
            listen: String::new(),
            tls: String::new(),
            waf: String::new(),
            routes: String::new(),
            certificates: vec![(
                "wildcard".to_owned(),
                ["*.test", "test", "nobody.test"].map(str::to_owned).to_vec(),
            )],
            rules: None,
            include: false,
        }
    }

    /// An edge over these routes, with the WAF's rules if `rules` names them.
    pub async fn with(rules: Option<PathBuf>, routes: &[Route]) -> Self {
        let builder = routes
            .iter()
            .fold(Self::builder(), |builder, route| builder.route(route));
        match rules {
            Some(rules) => builder.rules(rules).start().await,
            None => builder.start().await,
        }
    }

    /// Starts over the folder of an edge that has stopped, or never ran.
    pub async fn restart(files: EdgeFiles) -> Self {
        match Self::try_restart(files).await {
            Ok(edge) => edge,
            Err(error) => panic!("the edge does not start: {error}"),
        }
    }

    async fn try_restart(files: EdgeFiles) -> Result<Self, String> {
        let config = files.config();
        // Loading the rules is work: it is not done on the test's own reactor.
        let built =
            tokio::task::spawn_blocking(move || App::build(&config).map_err(|error| error.to_string()));
        let running = built
            .await
            .unwrap()?
            .start()
            .await
            .map_err(|error| error.to_string())?;
        Ok(TestEdge { running, files })
    }

    /// The library's own handle.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        self.running.addresses()
    }

    /// The first TLS listener.
    pub fn https(&self) -> SocketAddr {
        self.addresses().https[0]
    }

    /// The first plain listener.
    pub fn http(&self) -> SocketAddr {
        self.addresses().http[0]
    }

    /// The admin listener.
    pub fn admin(&self) -> SocketAddr {
        self.addresses().admin.unwrap()
    }

    /// Its folder.
    pub fn files(&self) -> &EdgeFiles {
        &self.files
    }

    /// What SIGTERM does; the folder lives on in what is returned.
    pub async fn stop(self) -> EdgeFiles {
        within("the edge to stop", self.running.stop()).await;
        self.files
    }

    /// What SIGHUP does.
    pub async fn reload(&self) -> Result<(), String> {
        within("a reload", self.running.reload())
            .await
            .map_err(|error| error.to_string())
    }

    /// A polite client: h2 or http/1.1, verified certificates, keep-alive.
    pub fn client(&self) -> Client {
        self.client_of(Versions::Both)
    }

    /// A polite client of certain protocols.
    pub fn client_of(&self, versions: Versions) -> Client {
        polite::client(&self.files.ca, self.https(), versions)
    }

    /// GET by a polite client.
    pub async fn get(&self, url: &str) -> Answer {
        polite::send(self.client().get(url)).await
    }

    /// Sends `ask` byte for byte on a connection of its own.
    pub async fn ask(&self, host: &str, ask: &Ask) -> Answer {
        match self.try_ask(host, ask).await {
            Ok(answer) => answer,
            Err(error) => panic!("no answer to {} {host}: {error}", ask.probe),
        }
    }

    /// Sends `ask` byte for byte on a connection of its own.
    pub async fn try_ask(&self, host: &str, ask: &Ask) -> std::io::Result<Answer> {
        let mut connection = self.connect(host).await?;
        // The edge may answer and close before it has read all.
        let sent = connection.send(ask.bytes(host)).await;
        let answer = if ask.method == "HEAD" {
            connection.head().await
        } else {
            connection.answer().await
        };
        answer.map_err(|error| sent.err().unwrap_or(error))
    }

    /// Sends `ask` as HTTP/2.
    pub async fn ask_h2(&self, host: &str, ask: &Ask) -> Answer {
        polite::send(polite::request(&self.client_of(Versions::Http2), host, ask)).await
    }

    /// A TLS connection for bytes by hand.
    pub async fn connect(&self, host: &str) -> std::io::Result<Connection> {
        Connection::tls(self.https(), host, &Tls::default()).await
    }

    /// A WebSocket through the edge.
    pub async fn websocket(
        &self,
        host: &str,
        path: &str,
    ) -> Result<WebSocketStream<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + use<>>, String>
    {
        websocket(self.https(), host, path).await
    }

    /// GET on the admin listener.
    pub async fn admin_get(&self, path: &str) -> Answer {
        let mut connection = Connection::plain(self.admin()).await.unwrap();
        connection.send(Ask::get(path).bytes("admin")).await.unwrap();
        connection.answer().await.unwrap()
    }

    /// The value of a metric, `name{labels}` as it is written; 0 if it is not there yet.
    pub async fn metric(&self, series: &str) -> f64 {
        let text = self.admin_get("/metrics").await.expect(200).text();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map(|value| value.parse().unwrap()).unwrap_or(0.0)
    }

    /// Waits until a metric is `value`: an answer arrives before its request is counted.
    pub async fn metric_is(&self, series: &str, value: f64) {
        self.metric_fits(series, &format!("is {value}"), |found| found == value)
            .await;
    }

    /// Waits until a metric is `least` or more.
    pub async fn metric_reaches(&self, series: &str, least: f64) {
        self.metric_fits(series, &format!("is {least} or more"), |found| found >= least)
            .await;
    }

    async fn metric_fits(&self, series: &str, what: &str, fits: impl Fn(f64) -> bool) {
        let what = format!("that {series} {what}");
        eventually(&what, || async { fits(self.metric(series).await).then_some(()) }).await;
    }

    /// The access log.
    pub fn access_log(&self) -> LogFile {
        self.files.access_log()
    }

    /// The audit log.
    pub fn audit_log(&self) -> LogFile {
        self.files.audit_log()
    }

    /// The access log's line of a request to `path`, as soon as it is there.
    pub async fn accessed(&self, path: &str) -> serde_json::Value {
        self.access_log()
            .line(&format!("the access log of {path}"), |line| line["path"] == path)
            .await
    }
}

/// A WebSocket through the edge at `address`.
pub async fn websocket(
    address: SocketAddr,
    host: &str,
    path: &str,
) -> Result<WebSocketStream<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + use<>>, String> {
    let stream = raw::tls_stream(address, host, &Tls::default())
        .await
        .map_err(|e| e.to_string())?;
    let request = format!("wss://{host}{path}")
        .into_client_request()
        .map_err(|e| e.to_string())?;
    let shaken = within("an upgrade", tokio_tungstenite::client_async(request, stream)).await;
    shaken
        .map(|(socket, _)| socket)
        .map_err(|error| error.to_string())
}

impl EdgeFiles {
    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The main configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder().join("palisade.toml")
    }

    /// Writes a file below the folder, at once.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        replace(&path, text);
        path
    }

    /// Edits the main configuration file.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        self.write("palisade.toml", &text.replace(from, to));
    }

    /// The access log.
    pub fn access_log(&self) -> LogFile {
        LogFile::new(self.folder().join("logs/access.log"))
    }

    /// The audit log.
    pub fn audit_log(&self) -> LogFile {
        LogFile::new(self.folder().join("logs/audit.log"))
    }
}

/// Tests that say nothing of it do not wait for connections that nobody has.
fn no_delay(server: &str) -> &'static str {
    match server.contains("drain_delay") {
        true => "",
        false => "drain_delay = \"0s\"\n",
    }
}

impl EdgeBuilder {
    /// One more route.
    pub fn route(mut self, route: &Route) -> Self {
        // Clients reject `*.test`: a wildcard needs two labels behind it.
        if let Some((_, names)) = self.certificates.first_mut() {
            names.extend(route.exact_hosts().map(str::to_owned));
        }
        self.routes += &route.toml();
        self.routes.push('\n');
        self
    }

    /// A route without a backend: its host, its name, its other lines.
    pub fn route_toml(mut self, host: &str, name: &str, lines: &str) -> Self {
        if let Some((_, names)) = self.certificates.first_mut() {
            names.push(host.to_owned());
        }
        self.routes += &format!("[[routes]]\nname = {name:?}\nhosts = [{host:?}]\n{lines}\n\n");
        self
    }

    /// Replaces the lines of `[server]`.
    pub fn server(mut self, lines: &str) -> Self {
        self.server = lines.to_owned();
        self
    }

    /// More lines of `[listen]`.
    pub fn listen(mut self, lines: &str) -> Self {
        self.listen += lines;
        self.listen.push('\n');
        self
    }

    /// More lines of `[tls]`.
    pub fn tls(mut self, lines: &str) -> Self {
        self.tls += lines;
        self.tls.push('\n');
        self
    }

    /// More lines of `[waf]`.
    pub fn waf(mut self, lines: &str) -> Self {
        self.waf += lines;
        self.waf.push('\n');
        self
    }

    /// One more certificate, after the one for `*.test`.
    pub fn certificate(mut self, file: &str, names: &[&str]) -> Self {
        self.certificates.push((
            file.to_owned(),
            names.iter().map(|name| name.to_string()).collect(),
        ));
        self
    }

    /// Not even the one for `*.test`.
    pub fn without_certificates(mut self) -> Self {
        self.certificates.clear();
        self
    }

    /// The installed rule set.
    pub fn rules(mut self, folder: impl Into<PathBuf>) -> Self {
        self.rules = Some(folder.into());
        self
    }

    /// `include = "conf.d/*.toml"`, with this file in it.
    pub fn include(mut self, name: &str, route: &Route) -> Self {
        self.include = true;
        self.file(&format!("conf.d/{name}.toml"), &route.toml())
    }

    /// Another file of the folder.
    pub fn file(self, name: &str, text: &str) -> Self {
        self.files.write(name, text);
        self
    }

    /// Tables at the end of the main file.
    pub fn and(mut self, toml: &str) -> Self {
        self.routes += toml;
        self.routes.push('\n');
        self
    }

    /// Starts; the configuration must be right.
    pub async fn start(self) -> TestEdge {
        match self.try_start().await {
            Ok(edge) => edge,
            Err(error) => panic!("the edge does not start: {error}"),
        }
    }

    /// Starts, or says why not.
    pub async fn try_start(self) -> Result<TestEdge, String> {
        TestEdge::try_restart(self.write()).await
    }

    /// Writes the configuration without starting.
    pub fn write(self) -> EdgeFiles {
        for (name, names) in &self.certificates {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.files.ca.issue(&names).write(self.files.folder(), name);
        }
        let toml = self.toml();
        self.files.write("palisade.toml", &toml);
        self.files
    }

    fn toml(&self) -> String {
        let folder = self.files.folder();
        let data_dir = folder.join("data");
        let rules = self.rules.clone().unwrap_or_else(|| folder.join("no-rules"));
        let certificates: String = self
            .certificates
            .iter()
            .map(|(name, _)| {
                let pem = folder.join(format!("{name}.pem"));
                let key = folder.join(format!("{name}.key"));
                format!("[[tls.certificates]]\ncertificate = {pem:?}\nkey = {key:?}\n")
            })
            .collect();
        let listen = |key: &str, value: &str| {
            let given = self
                .listen
                .lines()
                .any(|line| line.starts_with(&format!("{key} =")));
            if given {
                String::new()
            } else {
                format!("{key} = {value}\n")
            }
        };
        [
            if self.include {
                "include = \"conf.d/*.toml\"\n"
            } else {
                ""
            }
            .to_owned(),
            format!(
                "[server]\ndata_dir = {data_dir:?}\n{}{}\n",
                no_delay(&self.server),
                self.server
            ),
            "[listen]\n".to_owned(),
            listen("https", "[\"127.0.0.1:0\"]"),
            listen("http", "[\"127.0.0.1:0\"]"),
            listen("admin", "\"127.0.0.1:0\""),
            self.listen.clone(),
            format!(
                "[log]\nlevel = \"info\"\nformat = \"json\"\naccess = {:?}\n",
                self.files.access_log().path()
            ),
            format!("audit = {:?}\n", self.files.audit_log().path()),
            format!("[waf]\nrules = {rules:?}\n{}", self.waf),
            format!("[tls]\n{}{certificates}", self.tls),
            self.routes.clone(),
        ]
        .concat()
    }
}

/// Writes a file beside `path` and moves it there: a watcher never sees half of it.
pub fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, path).unwrap();
}
