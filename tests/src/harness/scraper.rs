//! Metrics as a Prometheus sees them: over and over, whichever process answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::within;

/// Between two scrapes.
const PAUSE: Duration = Duration::from_millis(20);

/// Counters and histograms, by name and labels as they are written.
pub type Scrape = BTreeMap<String, f64>;

/// Scrapes until it is stopped, on a connection that it keeps and on new ones in turn, and fails if anything ever
/// counts down.
pub struct Scraper {
    stop: watch::Sender<bool>,
    task: JoinHandle<usize>,
}

impl Scraper {
    /// Begins.
    pub fn start(admin: SocketAddr) -> Self {
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(scrape_on(admin, stop.subscribe()));
        Self { stop, task }
    }

    /// How often it was answered.
    pub async fn stop(self) -> usize {
        self.stop.send_replace(true);
        within("the scraper", self.task).await.unwrap()
    }
}

/// One scrape.
pub async fn scrape(admin: SocketAddr) -> Scrape {
    within("metrics", ask(&Client::new(), admin)).await.unwrap()
}

async fn scrape_on(admin: SocketAddr, stop: watch::Receiver<bool>) -> usize {
    let clients = [
        Client::new(),
        Client::builder().pool_max_idle_per_host(0).build().unwrap(),
    ];
    let (mut last, mut answered) = (Scrape::new(), 0);
    for client in clients.iter().cycle() {
        if *stop.borrow() {
            break;
        }
        // Between two processes a scrape may fail; none may tell less than the one before.
        if let Ok(now) = within("metrics", ask(client, admin)).await {
            for (series, before) in &last {
                let after = now.get(series);
                assert!(after >= Some(before), "{series}: {before}, then {after:?}");
            }
            (last, answered) = (now, answered + 1);
        }
        tokio::time::sleep(PAUSE).await;
    }
    answered
}

async fn ask(client: &Client, admin: SocketAddr) -> reqwest::Result<Scrape> {
    let answer = client.get(format!("http://{admin}/metrics")).send().await?;
    Ok(read(&answer.error_for_status()?.text().await?))
}

fn read(text: &str) -> Scrape {
    let (mut counts, mut scrape) = (false, Scrape::new());
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            counts = kind.ends_with(" counter") || kind.ends_with(" histogram");
        } else if counts && !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let twice = scrape.insert(series.to_owned(), value.parse().unwrap());
            assert_eq!(twice, None, "{series} is there twice:\n{text}");
        }
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    scrape
}
