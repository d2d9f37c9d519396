//! Where the pieces meet the sockets.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use pingora_core::apps::{HttpServerApp, HttpServerOptions, ServerApp};
use pingora_core::listeners::tls::Acceptor as TlsAcceptor;
use pingora_core::protocols::http::v2::server::default_h2_options;
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::HttpProxy;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::StartError;
use super::reload::Reloader;
use super::running::{Connections, Ends};
use super::sockets::{Addresses, Sockets};
use super::workers::{Workers, part};
use crate::admin::Admin;
use crate::certs::ClientTrust;
use crate::config::Config;
use crate::flow::{Edge, EdgeParts, Redirect};
use crate::limit::ClientConnections;
use crate::listen::{
    self, Acceptor, ClientAuth, ClientTrustSource, ConnectionEnds, Door, Gauge, Load, Spread, Transport,
};
use crate::snapshot::SnapshotHandle;
use crate::upstream::Echo;

/// Connections that the admin and echo listeners hold at once: probes, a scraper, a first try.
const SIDE_CONNECTIONS: usize = 512;

/// HTTP/2's default of 64 KiB makes an upload wait for a window update every few milliseconds; these are
/// the bytes that one stream, and all streams of a connection together, may have in flight.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Where the pieces meet the sockets.
pub(super) struct Wiring<'a> {
    pub(super) tasks: &'a mut JoinSet<()>,
    pub(super) ends: &'a Ends,
    pub(super) gauge: Arc<dyn Gauge>,
}

/// What all listeners of the public have in common.
pub(super) struct Public<'a> {
    pub(super) config: &'a Config,
    pub(super) parts: EdgeParts,
    pub(super) tls: Transport,
    pub(super) redirect: Arc<Redirect>,
    pub(super) connections: &'a Connections,
    pub(super) spread: &'a Spread,
}

/// What one worker has of its own.
struct Own<'w> {
    runtime: &'w Handle,
    ends: ConnectionEnds,
    load: Load,
}

impl Wiring<'_> {
    /// Each worker accepts at all of the public's sockets.
    pub(super) fn serve_public(
        &mut self,
        sockets: &Sockets,
        workers: &Workers,
        public: &Public<'_>,
    ) -> Result<(), StartError> {
        let listen = &public.config.listen;
        let clients = ClientConnections::new(listen.max_connections_per_client);
        let door = Door::new(listen, clients);
        let own = workers.handles().zip(self.ends.of_connections());
        let own = own.zip(public.spread.loads());
        for (number, ((runtime, ends), load)) in own.enumerate() {
            let own = Own { runtime, ends, load };
            let idle = part(public.config.idle_connections, number, workers.count());
            let proxy = proxy(public.config, public.parts.clone(), idle);
            for socket in &sockets.https {
                let acceptor = self.public(public, &own, public.tls.clone(), &proxy, &door);
                self.accept(again(socket)?, acceptor, (own.runtime, &self.ends.accepting));
            }
            for socket in &sockets.http {
                let acceptor = self.public(public, &own, Transport::Plain, &public.redirect, &door);
                self.accept(again(socket)?, acceptor, (own.runtime, &self.ends.accepting));
            }
        }
        Ok(())
    }

    /// The admin listener and the echo, beside the workers.
    pub(super) fn serve_sides(&mut self, sockets: Sockets, admin: Admin, beside: &Handle) {
        if let Some(socket) = sockets.admin {
            self.serve_side(socket, Arc::new(admin), (beside, &self.ends.admin));
        }
        self.serve_side(sockets.echo, Arc::new(Echo), (beside, &self.ends.echo));
    }

    fn public<A: HttpServerApp + Send + Sync + 'static>(
        &self,
        public: &Public<'_>,
        own: &Own<'_>,
        transport: Transport,
        app: &Arc<A>,
        door: &Door,
    ) -> Acceptor {
        let permits = Arc::clone(&public.connections.permits);
        Acceptor::public(
            transport,
            Arc::clone(app),
            own.ends.clone(),
            (permits, own.load.clone()),
            Arc::clone(&self.gauge),
            (door.clone(), &public.config.listen),
        )
    }

    fn serve_side<A: ServerApp + Send + Sync + 'static>(
        &mut self,
        socket: TcpListener,
        app: Arc<A>,
        (runtime, end): (&Handle, &watch::Sender<bool>),
    ) {
        let few = Arc::new(Semaphore::new(SIDE_CONNECTIONS));
        let gauge = Arc::clone(&self.gauge);
        let acceptor = Acceptor::new(Transport::Plain, app, end.subscribe(), few, gauge);
        self.accept(socket, acceptor, (runtime, end));
    }

    fn accept(
        &mut self,
        socket: TcpListener,
        acceptor: Acceptor,
        (runtime, end): (&Handle, &watch::Sender<bool>),
    ) {
        let stopped = end.subscribe();
        let accepting = async move {
            if let Err(error) = listen::serve(socket, acceptor, stopped).await {
                tracing::error!(%error, "a listener has failed");
            }
        };
        self.tasks.spawn_on(accepting, runtime);
    }
}

/// The same socket, with the same queue, for one more loop.
fn again(socket: &TcpListener) -> Result<TcpListener, StartError> {
    socket.try_clone().map_err(StartError::Runtime)
}

/// Tells clients where HTTPS is: at the configured port, or the real one of a listener on port 0.
pub(super) fn redirect(config: &Config, addresses: &Addresses, parts: &EdgeParts) -> Arc<Redirect> {
    let port = match config.listen.redirect_port {
        0 => addresses.https.first().map_or(443, SocketAddr::port),
        port => port,
    };
    Arc::new(Redirect::new(port, parts))
}

/// What TLS listeners speak.
pub(super) fn tls(config: &Config, reloader: &Reloader) -> Result<Transport, StartError> {
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

/// The proxy of one worker, which keeps so many connections to backends.
fn proxy(config: &Config, parts: EdgeParts, idle: usize) -> Arc<HttpProxy<Edge>> {
    let conf = ServerConf {
        threads: 1,
        // Of none Pingora would keep any number: then the edge asks for none to be kept.
        upstream_keepalive_pool_size: idle.max(1),
        ..ServerConf::default()
    };
    let mut proxy = HttpProxy::new(Edge::new(parts, idle > 0), Arc::new(conf));
    // Anything but these defaults loses Pingora's own bounds on header lists and streams.
    let mut h2 = default_h2_options();
    h2.initial_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(config.listen.max_request_head).unwrap_or(u32::MAX))
        .max_concurrent_streams(config.listen.http2.max_streams)
        .max_local_error_reset_streams(Some(config.listen.http2.max_errors));
    proxy.h2_options = Some(h2);
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(config.listen.keepalive_timeout);
    // Pingora counts those after the first.
    options.keepalive_request_limit = config.listen.max_requests_per_connection.map(|most| most - 1);
    // Admission refuses it, with a line in the access log.
    options.allow_connect_method_proxying = true;
    proxy.server_options = Some(options);
    proxy.handle_init_modules();
    Arc::new(proxy)
}
