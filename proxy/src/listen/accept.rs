//! The accept loop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use pingora_core::apps::ServerApp;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, warn};

use super::Transport;
use super::connection::{Http, establish};

/// After an accept error such as "too many open files": the next try comes a little later, so that the
/// loop does not spin while the process recovers.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Told of connections that come and go.
pub trait Gauge: Send + Sync + 'static {
    /// A connection was accepted.
    fn opened(&self);
    /// It ended.
    fn closed(&self);
    /// It ended before HTTP: the handshake failed or took too long.
    fn handshake_failed(&self);
}

/// What every connection of a listener shares.
#[derive(Clone)]
pub struct Acceptor {
    transport: Transport,
    http: Http,
    permits: Arc<Semaphore>,
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
        let http: Http = Arc::new(move |stream| {
            let (app, shutdown) = (Arc::clone(&app), shutdown.clone());
            Box::pin(async move {
                let mut next = Some(stream);
                while let Some(stream) = next {
                    next = app.process_new(stream, &shutdown).await;
                }
            })
        });
        Self {
            transport,
            http,
            permits,
            gauge,
        }
    }
}

/// Accepts until `shutdown` turns true; connections live on in tasks of their own.
pub async fn serve(
    listener: TcpListener,
    acceptor: Acceptor,
    mut shutdown: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        // The permit comes first: above the cap new connections wait in the kernel, not in our memory.
        let permit = tokio::select! {
            permit = Arc::clone(&acceptor.permits).acquire_owned() => permit,
            () = stop_requested(&mut shutdown) => return Ok(()),
        };
        let Ok(permit) = permit else { return Ok(()) };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop_requested(&mut shutdown) => return Ok(()),
        };
        match accepted {
            Ok((socket, peer)) => {
                tokio::spawn(connection(acceptor.clone(), socket, peer, permit));
            }
            Err(error) => {
                warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Returns once the flag is true, or its owner is gone.
pub async fn stop_requested(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

async fn connection(acceptor: Acceptor, socket: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
    acceptor.gauge.opened();
    match establish(socket, peer, &acceptor.transport).await {
        Ok(stream) => (acceptor.http)(stream).await,
        Err(error) => {
            acceptor.gauge.handshake_failed();
            debug!(client = %peer, %error, "connection ended before HTTP");
        }
    }
    acceptor.gauge.closed();
    drop(permit);
}
