//! What the tools meet: the edge as a process, and upstreams behind it.

use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use palisade_tests::harness::upstream::{Body, Journal, full};
use palisade_tests::harness::{
    Ask, Connection, EdgeFiles, EdgeProcess, Route, TestCa, TestEdge, Upstream, crs_rules, eventually,
};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::program;

/// What `/big` is.
pub(crate) const BIG: usize = 4 << 20;

/// Answers every call of gRPC's test service; a part of grpcurl.
const GRPC_SERVER: &str = "grpc-testserver";

/// An edge for `localhost`: `/on` is behind the WAF, `/off` is not; `/socket/on` and `/socket/off` are WebSockets,
/// `grpc-on.test` and `grpc-off.test` speak gRPC, and `mtls.test` asks for a certificate.
pub(crate) struct Ground {
    /// Its configuration and its logs.
    pub(crate) files: EdgeFiles,
    /// The process.
    pub(crate) edge: EdgeProcess,
    /// Where it takes TLS, at `localhost` too.
    pub(crate) https: SocketAddr,
    /// Where it redirects.
    pub(crate) http: SocketAddr,
    /// Where it tells how it is.
    pub(crate) admin: SocketAddr,
    /// Signs what clients of `mtls.test` show.
    pub(crate) clients: TestCa,
    /// Beside the one that is configured.
    pub(crate) other: Upstream,
    _upstreams: [Upstream; 2],
    _grpc: Child,
}

impl Ground {
    /// With the edge's defaults.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With other lines in `[listen]`.
    pub(crate) async fn with(listen: &str) -> Self {
        let [http, https, admin, grpc] = free_ports();
        let (web, other, socket) = (
            Upstream::serve(answer).await,
            Upstream::serve(answer).await,
            Upstream::websocket().await,
        );
        let grpc_server = program::start(GRPC_SERVER, &["-q", "-p", &grpc.port().to_string()]);
        eventually("the gRPC server", || async {
            TcpStream::connect(grpc).await.ok()
        })
        .await;
        let clients = TestCa::new();
        let grpc = format!("h2c://{grpc}");
        let at = |name: &str, path: &str| {
            let paths = format!("[{path:?}]");
            Route::new(name).hosts(&["localhost"]).paths(&paths)
        };
        let routes = [
            at("on", "/on").to(&web),
            at("off", "/off").to(&web).line("compression = true").unguarded(),
            at("socket-on", "/socket/on").to(&socket),
            at("socket-off", "/socket/off").to(&socket).unguarded(),
            Route::new("grpc-on")
                .to(&grpc.as_str())
                .waf("allowed_content_types = [\"application/grpc\"]"),
            Route::new("grpc-off").to(&grpc.as_str()).unguarded(),
            Route::new("mtls")
                .to(&web)
                .unguarded()
                .and("[routes.client_certificate]\nca = \"clients.pem\""),
        ];
        let builder = TestEdge::builder()
            .server("grace = \"40s\"\nworkers = 2")
            .listen(&format!(
                "http = [\"{http}\"]\nhttps = [\"{https}\"]\nadmin = \"{admin}\"\n{listen}"
            ))
            .rules(crs_rules().expect("the rule set: `make rules` installs it"))
            .file("clients.pem", &clients.pem());
        let files = routes
            .iter()
            .fold(builder, |builder, route| builder.route(route))
            .write();
        files.write("ca.pem", &files.ca.pem());
        let edge = EdgeProcess::start(&files);
        edge.https().await;
        Self {
            files,
            edge,
            https,
            http,
            admin,
            clients,
            other,
            _upstreams: [web, socket],
            _grpc: grpc_server,
        }
    }

    /// Connections that the edge holds.
    pub(crate) async fn connections(&self) -> usize {
        let mut connection = Connection::plain(self.admin).await.unwrap();
        connection
            .send(Ask::get("/metrics").bytes("admin"))
            .await
            .unwrap();
        let text = connection.answer().await.unwrap().expect(200).text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("palisade_connections "));
        line.unwrap().parse().unwrap()
    }

    /// As a tool is given it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https.port())
    }

    /// The file of the CA that signs what the edge shows.
    pub(crate) fn ca(&self) -> String {
        self.path("ca.pem")
    }

    /// A file of the edge's folder, or a new one.
    pub(crate) fn path(&self, name: &str) -> String {
        self.files.folder().join(name).to_str().unwrap().to_owned()
    }
}

/// `/big` for whoever asks for it; to others how long the body was.
async fn answer(request: Request<Incoming>, journal: Journal) -> Response<Body> {
    let (parts, body) = request.into_parts();
    journal.request(&parts);
    let length = body.collect().await.map_or(0, |body| body.to_bytes().len());
    let response = Response::builder().header("content-type", "text/plain");
    let body = match parts.uri.path().ends_with("/big") {
        true => Bytes::from(vec![b'b'; BIG]),
        false => length.to_string().into(),
    };
    response.body(full(body)).unwrap()
}

/// Ports that nobody listens on.
pub(crate) fn free_ports<const COUNT: usize>() -> [SocketAddr; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}
