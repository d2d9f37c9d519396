//! From an edge that is ready to one that accepts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pingora_core::apps::ServerApp;
use pingora_core::listeners::tls::Acceptor as TlsAcceptor;
use pingora_core::protocols::http::v2::server::default_h2_options;
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::HttpProxy;
use tokio::sync::{Mutex, Notify, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tracing::warn;

use super::build::App;
use super::gauge::Tally;
use super::reload::Reloader;
use super::running::{Connections, Ends, Running};
use super::services::{Retries, Supervisor};
use super::sockets::{Addresses, Sockets};
use super::{StartError, status, upkeep};
use crate::admin::{Admin, Readiness};
use crate::certs::ClientTrust;
use crate::cloudflare::Clients;
use crate::config::Config;
use crate::flow::{Edge, EdgeParts, Redirect};
use crate::handover::{Offer, Predecessor, Socket};
use crate::limit::ClientConnections;
use crate::listen::{self, Acceptor, ClientAuth, ClientTrustSource, Door, Gauge, Transport};
use crate::service::Board;
use crate::snapshot::SnapshotHandle;
use crate::telemetry::Metrics;
use crate::upstream::Echo;
use crate::watch::FileWatch;

/// Connections that the admin and echo listeners hold at once: probes, a scraper, a first try.
const SIDE_CONNECTIONS: usize = 512;

/// HTTP/2's default of 64 KiB makes an upload wait for a window update every few milliseconds; these are
/// the bytes that one stream, and all streams of a connection together, may have in flight.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;

impl App {
    /// Starts accepting, once every certificate that is stored can be served.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self {
            reloader,
            parts,
            sockets,
            addresses,
            files,
            predecessor,
            restored,
        } = self;
        let ends = Ends::new();
        let stopped = ends.accepting.subscribe();
        let config = Arc::clone(&reloader.snapshots.load().config);
        let connections = Connections::new(config.listen.max_connections);
        let readiness = Readiness::default();
        let logs = [parts.access.clone(), parts.audit.clone(), parts.matches.clone()];
        let board = Board::default();
        let (retries, for_good) = (Retries::default(), Arc::new(AtomicBool::new(false)));
        let admin = status::admin(&reloader, &logs, &readiness, &board, &retries, &parts.bans);
        let supervisor = Supervisor {
            snapshots: reloader.snapshots.clone(),
            data_dir: config.server.data_dir.clone(),
            certificates: reloader.certificates.clone(),
            generation: reloader.generation.subscribe(),
            stopped: stopped.clone(),
            board,
            retries: retries.clone(),
            for_good: Arc::clone(&for_good),
            clients: Clients::new(),
        };
        let crew = supervisor.crew().await;
        let transport = tls(&config, &reloader)?;
        let offered = sockets.offered(&config.listen).map_err(StartError::Runtime)?;
        let mut tasks = JoinSet::new();
        let bans = Arc::clone(&parts.bans);
        let gauge = Arc::new(Tally::new(&parts));
        let redirect = Arc::new(Redirect::new(redirect_port(&config, &addresses), &parts));
        let proxy = proxy(&config, parts);
        let mut wiring = Wiring {
            tasks: &mut tasks,
            ends: &ends,
            gauge,
        };
        wiring.serve_all(
            sockets,
            &config,
            transport,
            (&proxy, &redirect),
            admin,
            &connections,
        );
        // Requests that drain may still need a name.
        let (generation, ended) = (reloader.generation.subscribe(), ends.echo.subscribe());
        upkeep::spawn_thread(reloader.snapshots.clone(), generation, ended).map_err(StartError::Runtime)?;
        readiness.set(true);
        if replace(predecessor, &reloader.metrics).await {
            restored.renew(&bans, &reloader.snapshots.load().config);
        }
        let (done, bans_kept) = oneshot::channel();
        let snapshots = reloader.snapshots.clone();
        tasks.spawn(super::bans::keep(
            bans,
            restored,
            snapshots,
            stopped.clone(),
            done,
        ));
        // From here on nobody else serves: what fails now is said, and no reason to end.
        let offer = offer(config.server.upgrade_socket.as_deref(), offered);
        let services = supervisor.spawn_thread(crew).unwrap_or_else(|error| {
            tracing::error!(%error, "background services cannot be started; requests are served");
            oneshot::channel().1
        });
        let reloader = Arc::new(reloader);
        let turn = Arc::new(Mutex::new(()));
        let reloaded = Arc::new(Notify::new());
        tasks.spawn(reload_on_change(
            Arc::clone(&reloader),
            Arc::clone(&turn),
            Arc::clone(&reloaded),
            files,
            stopped,
        ));
        Ok(Running {
            addresses,
            reloader,
            turn,
            reloaded,
            retries,
            for_good,
            logs,
            readiness,
            ends,
            tasks,
            connections,
            offer,
            services,
            bans_kept,
            grace: config.server.grace,
            drain_delay: config.server.drain_delay,
        })
    }
}

/// Where the pieces meet the sockets.
struct Wiring<'a> {
    tasks: &'a mut JoinSet<()>,
    ends: &'a Ends,
    gauge: Arc<dyn Gauge>,
}

impl Wiring<'_> {
    #[allow(clippy::too_many_arguments, reason = "the table of what listens where")]
    fn serve_all(
        &mut self,
        sockets: Sockets,
        config: &Config,
        tls: Transport,
        (proxy, redirect): (&Arc<HttpProxy<Edge>>, &Arc<Redirect>),
        admin: Admin,
        connections: &Connections,
    ) {
        let ends = self.ends;
        let few = || Arc::new(Semaphore::new(SIDE_CONNECTIONS));
        let listen = &config.listen;
        let clients = ClientConnections::new(listen.max_connections_per_client);
        let door = Door::new(listen, clients);
        for socket in sockets.https {
            let acceptor = Acceptor::public(
                tls.clone(),
                Arc::clone(proxy),
                ends.of_connections(),
                Arc::clone(&connections.permits),
                self.gauge(),
                (door.clone(), listen),
            );
            self.accept(socket, acceptor, &ends.accepting);
        }
        for socket in sockets.http {
            let acceptor = Acceptor::public(
                Transport::Plain,
                Arc::clone(redirect),
                ends.of_connections(),
                Arc::clone(&connections.permits),
                self.gauge(),
                (door.clone(), listen),
            );
            self.accept(socket, acceptor, &ends.accepting);
        }
        if let Some(socket) = sockets.admin {
            self.serve_side(socket, Arc::new(admin), few(), &ends.admin);
        }
        self.serve_side(sockets.echo, Arc::new(Echo), few(), &ends.echo);
    }

    fn gauge(&self) -> Arc<dyn Gauge> {
        Arc::clone(&self.gauge)
    }

    fn serve_side<A: ServerApp + Send + Sync + 'static>(
        &mut self,
        socket: std::net::TcpListener,
        app: Arc<A>,
        permits: Arc<Semaphore>,
        end: &watch::Sender<bool>,
    ) {
        let acceptor = Acceptor::new(Transport::Plain, app, end.subscribe(), permits, self.gauge());
        self.accept(socket, acceptor, end);
    }

    fn accept(&mut self, socket: std::net::TcpListener, acceptor: Acceptor, accepting: &watch::Sender<bool>) {
        let stopped = accepting.subscribe();
        self.tasks.spawn(async move {
            if let Err(error) = listen::serve(socket, acceptor, stopped).await {
                tracing::error!(%error, "a listener has failed");
            }
        });
    }
}

/// The sockets for a successor. Without it the edge serves as well.
fn offer(path: Option<&Path>, sockets: Vec<Socket>) -> Option<Offer> {
    let path = path?;
    let offer = Offer::open(path, sockets);
    let told = offer.inspect_err(|error| {
        warn!(path = %path.display(), %error, "no upgrade without a pause will be possible");
    });
    told.ok()
}

/// From here on this edge serves alone, and its background services may begin. Whether there was another.
async fn replace(predecessor: Option<Predecessor>, metrics: &Arc<Metrics>) -> bool {
    let Some(predecessor) = predecessor else {
        return false;
    };
    let heir = Arc::clone(metrics);
    let inherit = move |text: Option<String>| super::counts::inherit(&heir, text.as_deref());
    let replaced = tokio::task::spawn_blocking(move || predecessor.replace(inherit)).await;
    if let Err(error) = replaced.unwrap_or_else(|broken| Err(std::io::Error::other(broken))) {
        warn!(%error, "the edge before did not say that it drains");
    }
    true
}

/// The port in redirects: the configured one, or the real one of a listener on port 0.
fn redirect_port(config: &Config, addresses: &Addresses) -> u16 {
    match config.listen.redirect_port {
        0 => addresses.https.first().map_or(443, std::net::SocketAddr::port),
        port => port,
    }
}

fn tls(config: &Config, reloader: &Reloader) -> Result<Transport, StartError> {
    let server = listen::server_config(config.tls.min_version, reloader.certificates.resolver())?;
    let acceptor = TlsAcceptor::from_server_config(Arc::new(server));
    let auth = ClientAuth {
        minimum: config.tls.min_version,
        resolver: reloader.certificates.resolver(),
        source: Arc::new(Trusts(reloader.snapshots.clone())),
    };
    Ok(Transport::Tls(
        Arc::new(acceptor),
        config.listen.handshake_timeout,
        auth,
    ))
}

/// Which hosts want certificates, by the configuration that serves.
struct Trusts(SnapshotHandle);

impl ClientTrustSource for Trusts {
    fn any(&self) -> bool {
        self.0.load().client_trusts.any()
    }

    fn of(&self, server_name: &str) -> Option<Arc<ClientTrust>> {
        self.0.load().client_trusts.of(server_name)
    }
}

fn proxy(config: &Config, parts: EdgeParts) -> Arc<HttpProxy<Edge>> {
    let threads = super::run::workers(config.server.workers);
    let conf = ServerConf {
        threads,
        // Pingora's own is for each thread.
        upstream_keepalive_pool_size: config.idle_connections.div_ceil(threads),
        ..ServerConf::default()
    };
    let mut proxy = HttpProxy::new(Edge::new(parts), Arc::new(conf));
    // Anything but these defaults loses Pingora's own bounds on header lists and streams.
    let mut h2 = default_h2_options();
    h2.initial_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(config.listen.max_request_head).unwrap_or(u32::MAX))
        .max_concurrent_streams(config.listen.http2.max_streams)
        .max_local_error_reset_streams(Some(config.listen.http2.max_errors));
    proxy.h2_options = Some(h2);
    let mut options = pingora_core::apps::HttpServerOptions::default();
    options.h2_idle_timeout = Some(config.listen.keepalive_timeout);
    // Pingora counts those after the first.
    options.keepalive_request_limit = config.listen.max_requests_per_connection.map(|most| most - 1);
    // Admission refuses it, with a line in the access log.
    options.allow_connect_method_proxying = true;
    proxy.server_options = Some(options);
    proxy.handle_init_modules();
    Arc::new(proxy)
}

async fn reload_on_change(
    reloader: Arc<Reloader>,
    turn: Arc<Mutex<()>>,
    reloaded: Arc<Notify>,
    mut files: FileWatch,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let watched = reloader.files();
        files.watch(watched.iter().map(std::path::PathBuf::as_path));
        tokio::select! {
            () = files.changed() => {
                // The reload logs and counts its own failure.
                let _ = super::reload::in_turn(&reloader, &turn).await;
            }
            () = reloaded.notified() => {}
            () = listen::stop_requested(&mut stopped) => return,
        }
    }
}
