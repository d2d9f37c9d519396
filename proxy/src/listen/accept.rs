//! The accept loop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use pingora_core::apps::{HttpServerApp, ServerApp};
use pingora_core::protocols::{ALPN, Stream};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, warn};

use super::connection::{ConnectionError, Http, establish};
use super::door::Admitted;
use super::limits::HttpLimits;
use super::queue::{Queue, Waiting};
use super::spread::{Carried, Load};
use super::{Door, Transport, http1, http2};
use crate::config::{BanCause, Listen};
use crate::telemetry::RefusedRequest;

/// After an accept error such as "too many open files": the next try comes a little later, so that the
/// loop does not spin while the process recovers.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Told of connections that come and go.
pub trait Gauge: std::fmt::Debug + Send + Sync + 'static {
    /// A connection was accepted.
    fn opened(&self);
    /// It ended.
    fn closed(&self);
    /// It ended before HTTP: the handshake failed or took too long.
    fn handshake_failed(&self);
    /// It, or a request on it, was refused before anybody else heard of it; `why` is one of a few words.
    fn refused(&self, why: &'static str);
    /// What was refused is a request, and this is all that is known of it.
    fn request_refused(&self, request: RefusedRequest);
    /// The client sent what no client sends by mistake.
    fn misbehaved(&self, client: SocketAddr, cause: BanCause);
}

/// What ends connections, each once its flag is true.
#[derive(Debug, Clone)]
pub struct ConnectionEnds {
    /// With the answer that each is at.
    pub drain: watch::Receiver<bool>,
    /// At once, those that wait for a request.
    pub idle: watch::Receiver<bool>,
}

/// What every connection of a listener shares.
#[derive(Clone)]
pub struct Acceptor {
    transport: Transport,
    /// None for listeners that only this host reaches.
    door: Option<Door>,
    http: Http,
    permits: Arc<Semaphore>,
    /// None where one loop accepts all.
    load: Option<Load>,
    gauge: Arc<dyn Gauge>,
}

impl Acceptor {
    /// Connections are handed to `app` once `transport` is established; `permits` caps them all together.
    pub fn new<A: ServerApp + Send + Sync + 'static>(
        transport: Transport,
        app: Arc<A>,
        shutdown: watch::Receiver<bool>,
        permits: Arc<Semaphore>,
        gauge: Arc<dyn Gauge>,
    ) -> Self {
        let http: Http = Arc::new(move |stream, _| {
            let (app, shutdown) = (Arc::clone(&app), shutdown.clone());
            Box::pin(async move { speak(&app, stream, &shutdown).await })
        });
        Self {
            transport,
            door: None,
            http,
            permits,
            load: None,
            gauge,
        }
    }

    /// The same for the public, of which each worker carries its `load`: who comes is asked at `door`, and held to the
    /// limits of `listen`.
    pub fn public<A: HttpServerApp + Send + Sync + 'static>(
        transport: Transport,
        app: Arc<A>,
        ends: ConnectionEnds,
        (permits, load): (Arc<Semaphore>, Load),
        gauge: Arc<dyn Gauge>,
        (door, listen): (Door, &Listen),
    ) -> Self {
        let limits = Arc::new(HttpLimits::new(listen, Arc::clone(&gauge)));
        let http: Http = Arc::new(move |stream, client| {
            let (app, ends, limits) = (Arc::clone(&app), ends.clone(), Arc::clone(&limits));
            Box::pin(async move {
                match stream.selected_alpn_proto() {
                    Some(ALPN::H2) => speak_http2(&app, stream, client, ends.drain, limits).await,
                    _ => http1::serve(&app, stream, client, limits, ends).await,
                }
            })
        });
        Self {
            transport,
            door: Some(door),
            http,
            permits,
            load: Some(load),
            gauge,
        }
    }
}

async fn speak<A: ServerApp>(app: &Arc<A>, stream: Stream, shutdown: &watch::Receiver<bool>) {
    let mut next = Some(stream);
    while let Some(stream) = next {
        next = app.process_new(stream, shutdown).await;
    }
}

/// Where requests are limited, a connection that has served them is shut down as all are at a drain.
async fn speak_http2<A: HttpServerApp + Send + Sync + 'static>(
    app: &Arc<A>,
    stream: Stream,
    client: SocketAddr,
    mut shutdown: watch::Receiver<bool>,
    limits: Arc<HttpLimits>,
) {
    if limits.max_requests.is_none() {
        return speak(app, http2::counted(stream, client, limits, None), &shutdown).await;
    }
    let (retire, retired) = watch::channel(*shutdown.borrow());
    let (drain, told, time) = (retire.clone(), retired.clone(), limits.keepalive_timeout);
    let retiring = Arc::new(http2::Retiring::new(app));
    let drained = async {
        stop_requested(&mut shutdown).await;
        let _ = drain.send(true);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = speak(&retiring, http2::counted(stream, client, limits, Some(retire)), &retired) => {}
        () = retiring.over(told, time) => {}
        () = drained => {}
    }
}

/// Accepts until `shutdown` turns true; connections live on in tasks of their own, on the thread that accepted them.
pub async fn serve(
    listener: TcpListener,
    acceptor: Acceptor,
    mut shutdown: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let queue = Queue::new(listener)?;
    loop {
        let next = tokio::select! {
            next = next(&queue, &acceptor) => next?,
            () = stop_requested(&mut shutdown) => return Ok(()),
        };
        let Some((waiting, permit)) = next else {
            return Ok(());
        };
        match waiting.take() {
            Some(Ok((socket, peer))) => {
                let open = Open::new(&acceptor, permit);
                tokio::spawn(connection(acceptor.clone(), socket, peer, open));
            }
            Some(Err(error)) => {
                warn!(%error, "accept failed");
                drop(permit);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            // The loop of another worker has it.
            None => {}
        }
    }
}

/// A connection that is this loop's to take, and the place that it takes. The place comes last: a loop that waits holds
/// none, and above the cap connections wait in the kernel, not in our memory. None if there are no places any more.
async fn next<'q>(
    queue: &'q Queue,
    acceptor: &Acceptor,
) -> std::io::Result<Option<(Waiting<'q>, OwnedSemaphorePermit)>> {
    let waiting = queue.waiting().await?;
    if let Some(load) = &acceptor.load {
        load.turn().await;
    }
    let permit = Arc::clone(&acceptor.permits).acquire_owned().await;
    Ok(permit.ok().map(|permit| (waiting, permit)))
}

/// Returns once the flag is true, or its owner is gone.
pub async fn stop_requested(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// A connection that is open: told when it comes, and whatever ends it, when it goes.
struct Open {
    gauge: Arc<dyn Gauge>,
    _place: (OwnedSemaphorePermit, Option<Carried>),
}

impl Open {
    fn new(acceptor: &Acceptor, permit: OwnedSemaphorePermit) -> Self {
        acceptor.gauge.opened();
        Self {
            gauge: Arc::clone(&acceptor.gauge),
            _place: (permit, acceptor.load.as_ref().map(Load::carry)),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge.closed();
    }
}

async fn connection(acceptor: Acceptor, socket: TcpStream, peer: SocketAddr, open: Open) {
    if let Err(error) = converse(&acceptor, socket, peer).await {
        match &error {
            ConnectionError::Door(error) => acceptor.gauge.refused(error.label()),
            _ => acceptor.gauge.handshake_failed(),
        }
        debug!(client = %peer, %error, "connection ended before HTTP");
    }
    drop(open);
}

async fn converse(
    acceptor: &Acceptor,
    mut socket: TcpStream,
    peer: SocketAddr,
) -> Result<(), ConnectionError> {
    let admitted = match &acceptor.door {
        Some(door) => door.admit(&mut socket, peer).await?,
        None => Admitted::unasked(peer),
    };
    // On its own: a handshake needs more memory than a connection does that waits for years.
    let stream = Box::pin(establish(socket, &admitted, &acceptor.transport)).await?;
    (acceptor.http)(stream, admitted.peer).await;
    Ok(())
}
