//! Requests of several kinds at a steady rate, whatever becomes of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palisade_tests::harness::{EdgeFiles, Versions, polite};
use reqwest::{Client, RequestBuilder};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::backends::DOWNLOAD;

/// What a client saw.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// A whole answer.
    Answer(u16),
    /// A whole answer, 200, of another length than it should have.
    Otherwise,
    /// The head of an answer, and not all of its body.
    BrokenOff(u16),
    /// Not even that.
    Nothing(String),
}

/// By route, how often what was seen.
pub(crate) type Tally = BTreeMap<String, BTreeMap<Seen, usize>>;

/// The client of HTTP/1.1 that keeps its connections.
const FIRST: usize = 0;

/// Traffic that flows until it is stopped.
pub(crate) struct Traffic {
    stop: watch::Sender<bool>,
    task: JoinHandle<Tally>,
}

impl Traffic {
    /// `rate` requests a second to ten routes in turn.
    pub(crate) fn start(files: &EdgeFiles, address: SocketAddr, rate: u32) -> Self {
        let clients = [Versions::Http1, Versions::Http2].map(|v| polite::client(&files.ca, address, v));
        // A new connection for each request.
        let fresh = polite::client_without_reuse(&files.ca, address);
        let [first, second] = clients;
        let stop = watch::Sender::new(false);
        let flow = flow([first, second, fresh], rate, stop.subscribe());
        Self {
            stop,
            task: tokio::spawn(flow),
        }
    }

    /// Lets what is under way come to its end.
    pub(crate) async fn stop(self) -> Tally {
        self.stop.send_replace(true);
        self.task.await.unwrap()
    }
}

async fn flow(clients: [Client; 3], rate: u32, stop: watch::Receiver<bool>) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::new()));
    let mut requests = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    for number in 0_usize.. {
        ticks.tick().await;
        if *stop.borrow() {
            break;
        }
        let (route, which) = (route(number), number / 10 % 3);
        let (request, expected) = request(&clients[which], &route, number);
        let tally = Arc::clone(&tally);
        requests.spawn(async move {
            let seen = match which {
                FIRST => send_on_kept(request, expected).await,
                _ => send(request, expected).await,
            };
            let mut tally = tally.lock().unwrap();
            *tally.entry(route).or_default().entry(seen).or_default() += 1;
        });
    }
    while let Some(ended) = requests.join_next().await {
        ended.unwrap();
    }
    let tally = tally.lock().unwrap();
    tally.clone()
}

fn route(number: usize) -> String {
    match number % 10 {
        well @ 0..5 => format!("well-{well}"),
        ill => format!("ill-{}", ill - 5),
    }
}

/// A request, and the length of its answer if it is a whole one.
fn request(client: &Client, route: &str, number: usize) -> (RequestBuilder, usize) {
    let url = |path: &str| format!("https://{route}.test{path}");
    match number / 30 % 4 {
        0 => (client.get(url("/page?number=1")), 1),
        1 => {
            let form = format!("comment={}", "some+words+".repeat(180));
            let length = form.len().to_string().len();
            let post = client.post(url("/form")).body(form);
            (
                post.header("content-type", "application/x-www-form-urlencoded"),
                length,
            )
        }
        2 => (client.get(url("/download")), DOWNLOAD),
        _ => (client.head(url("/page")), 0),
    }
}

/// A request may meet the end of the idle connection that it is sent on. Nobody has seen it then, and clients send what is
/// safe to repeat once more (RFC 9112 section 9.3.1); if anybody had, there would be a line too many in the access log.
async fn send_on_kept(request: RequestBuilder, expected: usize) -> Seen {
    let again = request.try_clone();
    let method = request.try_clone().and_then(|request| request.build().ok());
    let is_safe = method.is_some_and(|request| request.method().is_safe());
    match (send(request, expected).await, again) {
        (Seen::Nothing(why), Some(again)) if is_safe && why.contains("connection closed before") => {
            println!("sent again: {why}");
            send(again, expected).await
        }
        (seen, _) => seen,
    }
}

async fn send(request: RequestBuilder, expected: usize) -> Seen {
    let response = match request
        .header("user-agent", "chaos/1.0")
        .header("accept", "*/*")
        .send()
        .await
    {
        Ok(response) => response,
        Err(error) => return nothing(&polite::chain(&error)),
    };
    let status = response.status().as_u16();
    match response.bytes().await {
        Ok(body) if status == 200 && body.len() != expected => Seen::Otherwise,
        Ok(_) => Seen::Answer(status),
        Err(_) => Seen::BrokenOff(status),
    }
}

/// In HTTP/2 a reset takes away what of its stream waits to be sent, the head too.
fn nothing(why: &str) -> Seen {
    match why.contains("stream error received") {
        true => Seen::BrokenOff(200),
        false => Seen::Nothing(why.to_owned()),
    }
}
