//! A connection that has served its requests. Its client is told (GOAWAY), and mostly ends it; one that does not listen is
//! held to it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::http::v2::server::H2Options;
use pingora_core::server::ShutdownWatch;
use tokio::sync::watch;

/// The same application, for one connection.
pub(in crate::listen) struct Retiring<A> {
    app: Arc<A>,
    streams: watch::Sender<Streams>,
}

/// What there is of them.
#[derive(Debug, Clone, Copy, Default)]
struct Streams {
    active: usize,
    /// None is begun any more.
    closed: bool,
}

/// A stream, as long as it lasts.
struct Active(watch::Sender<Streams>);

impl<A> Retiring<A> {
    /// Of a connection that begins.
    pub(in crate::listen) fn new(app: &Arc<A>) -> Self {
        Self {
            app: Arc::clone(app),
            streams: watch::Sender::default(),
        }
    }

    /// Until a connection that was `retired` is to be closed: pings, and requests that it goes on to send, keep it for
    /// no longer than `time`; what was begun by then comes to its end.
    pub(in crate::listen) async fn over(&self, mut retired: watch::Receiver<bool>, time: Duration) {
        if retired.wait_for(|retired| *retired).await.is_err() {
            return std::future::pending().await;
        }
        tokio::time::sleep(time).await;
        self.streams.send_modify(|streams| streams.closed = true);
        let mut streams = self.streams.subscribe();
        // Its sender is here.
        let _ = streams.wait_for(|streams| streams.active == 0).await;
    }

    /// None once it is over.
    fn begin(&self) -> Option<Active> {
        let begun = self.streams.send_if_modified(|streams| {
            streams.active += usize::from(!streams.closed);
            !streams.closed
        });
        begun.then(|| Active(self.streams.clone()))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.send_modify(|streams| streams.active -= 1);
    }
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> HttpServerApp for Retiring<A> {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        // Its stream is reset: the client was told.
        let _active = self.begin()?;
        self.app.process_new_http(session, shutdown).await
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.app.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.app.server_options()
    }
}
