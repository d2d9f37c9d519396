//! Monitors that are told how each look went: Healthchecks, Uptime Kuma. Their URLs are secrets, so neither a log nor
//! an error shows one; and a monitor that cannot be reached changes nothing else.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, StatusCode, Url};

use crate::causes::Causes;
use crate::config::{Ping, SecretSource};
use crate::secret::{Secret, SecretError};

/// A monitor that hangs must not hold up the next look.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tells the configured monitors.
#[derive(Debug)]
pub struct Notifier {
    pings: Vec<Ping>,
}

/// How a look went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether all is well.
    pub ok: bool,
    /// What was found, or what is wrong.
    pub message: String,
    /// How long it took.
    pub took: Duration,
}

/// Why a monitor was not told. Names where its URL stands, not the URL.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The URL could not be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is no URL.
    #[error("what stands in {0} is no http or https URL")]
    Url(SecretSource),
    /// The monitor did not answer.
    #[error("the monitor whose URL stands in {at}: {cause}")]
    Send {
        /// Where the URL stands.
        at: SecretSource,
        /// What happened, without the URL.
        cause: String,
    },
    /// It answered, but not with success.
    #[error("the monitor whose URL stands in {at} answered {status}")]
    Status {
        /// Where the URL stands.
        at: SecretSource,
        /// Its status.
        status: StatusCode,
    },
}

/// What is told.
enum Event<'a> {
    Start,
    Done(&'a Report),
}

impl Notifier {
    /// A notifier for these monitors.
    pub fn new(pings: Vec<Ping>) -> Self {
        Self { pings }
    }

    /// Says that a look begins, to those who measure.
    pub async fn start(&self) {
        self.tell(&Event::Start).await;
    }

    /// Says how it went.
    pub async fn done(&self, report: &Report) {
        self.tell(&Event::Done(report)).await;
    }

    async fn tell(&self, event: &Event<'_>) {
        let mut sent = Vec::with_capacity(self.pings.len());
        for ping in &self.pings {
            sent.push(send(ping, event));
        }
        for result in join_all(sent).await {
            if let Err(error) = result {
                tracing::warn!(%error, "a monitor was not told");
            }
        }
    }
}

async fn send(ping: &Ping, event: &Event<'_>) -> Result<(), NotifyError> {
    let (Ping::Healthchecks(source) | Ping::UptimeKuma(source)) = ping;
    let url = url(source)?;
    let (url, body) = match (ping, event) {
        (Ping::Healthchecks(_), event) => healthchecks(url, event),
        (Ping::UptimeKuma(_), Event::Done(report)) => (uptime_kuma(url, report), String::new()),
        // It knows no start.
        (Ping::UptimeKuma(_), Event::Start) => return Ok(()),
    };
    let status = post(url, body).await.map_err(|error| NotifyError::Send {
        at: source.clone(),
        cause: Causes(&error.without_url()).to_string(),
    })?;
    match status.is_success() {
        true => Ok(()),
        false => Err(NotifyError::Status {
            at: source.clone(),
            status,
        }),
    }
}

fn url(source: &SecretSource) -> Result<Url, NotifyError> {
    let secret = Secret::read(source)?;
    let url = Url::parse(secret.expose()).ok();
    url.filter(|url| ["http", "https"].contains(&url.scheme()))
        .ok_or_else(|| NotifyError::Url(source.clone()))
}

/// `URL/start`, `URL`, `URL/fail`; the body is shown with the ping.
fn healthchecks(mut url: Url, event: &Event<'_>) -> (Url, String) {
    let (path, body) = match event {
        Event::Start => (Some("start"), ""),
        Event::Done(report) if report.ok => (None, report.message.as_str()),
        Event::Done(report) => (Some("fail"), report.message.as_str()),
    };
    if let (Some(path), Ok(mut segments)) = (path, url.path_segments_mut()) {
        segments.pop_if_empty().push(path);
    }
    (url, body.to_owned())
}

/// `?status=up|down&msg=…&ping=MILLISECONDS`. The URL is copied from its page with such a query already.
fn uptime_kuma(mut url: Url, report: &Report) -> Url {
    let status = if report.ok { "up" } else { "down" };
    url.query_pairs_mut()
        .clear()
        .append_pair("status", status)
        .append_pair("msg", &report.message)
        .append_pair("ping", &report.took.as_millis().to_string());
    url
}

async fn post(url: Url, body: String) -> reqwest::Result<StatusCode> {
    let client = Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client.post(url).body(body).send().await?.status())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    fn report(ok: bool) -> Report {
        Report {
            ok,
            message: "IPv4: publish 8.8.8.8".to_owned(),
            took: Duration::from_millis(42),
        }
    }

    /// A monitor that answers with this status: its URL's base, and what it is asked.
    async fn monitor(status: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let mut length = 0;
                while !whole(&request[..length]) {
                    length += stream.read(&mut request[length..]).await.unwrap();
                }
                let request = String::from_utf8(request[..length].to_vec()).unwrap();
                let (line, rest) = request.split_once("\r\n").unwrap();
                let (_, body) = rest.split_once("\r\n\r\n").unwrap();
                sender.send(format!("{line} {body}")).unwrap();
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (base, receiver)
    }

    fn whole(request: &[u8]) -> bool {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return false;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        body.len() == length.map_or(0, |length| length.parse().unwrap())
    }

    /// A file with a URL in it.
    fn secret(folder: &tempfile::TempDir, url: &str) -> SecretSource {
        let path = folder.path().join("url");
        std::fs::write(&path, url).unwrap();
        SecretSource::File(path)
    }

    #[tokio::test]
    async fn ddns_healthchecks_hear_start_success_and_failure() {
        let folder = tempfile::tempdir().unwrap();
        let (base, mut asked) = monitor("200 OK").await;
        let notifier = Notifier::new(vec![Ping::Healthchecks(secret(
            &folder,
            &format!("{base}/uuid/"),
        ))]);
        notifier.start().await;
        notifier.done(&report(true)).await;
        notifier.done(&report(false)).await;
        assert_eq!(asked.recv().await.unwrap(), "POST /uuid/start HTTP/1.1 ");
        assert_eq!(
            asked.recv().await.unwrap(),
            "POST /uuid/ HTTP/1.1 IPv4: publish 8.8.8.8"
        );
        assert_eq!(
            asked.recv().await.unwrap(),
            "POST /uuid/fail HTTP/1.1 IPv4: publish 8.8.8.8"
        );
    }

    #[tokio::test]
    async fn ddns_uptime_kuma_hears_up_and_down() {
        let folder = tempfile::tempdir().unwrap();
        let (base, mut asked) = monitor("200 OK").await;
        let url = format!("{base}/api/push/token?status=up&msg=OK&ping=");
        let notifier = Notifier::new(vec![Ping::UptimeKuma(secret(&folder, &url))]);
        notifier.start().await;
        notifier.done(&report(true)).await;
        notifier.done(&report(false)).await;
        for status in ["up", "down"] {
            let expected =
                format!("POST /api/push/token?status={status}&msg=IPv4%3A+publish+8.8.8.8&ping=42 HTTP/1.1 ");
            assert_eq!(asked.recv().await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn ddns_no_error_of_a_monitor_shows_its_url() {
        let folder = tempfile::tempdir().unwrap();
        let (base, _asked) = monitor("404 Not Found").await;
        let closed = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let table = [
            (format!("{base}/s3cr3t"), "answered 404"),
            (format!("http://{closed}/s3cr3t"), "onnection refused"),
            ("ftp://host/s3cr3t".to_owned(), "no http or https URL"),
            ("s3cr3t".to_owned(), "no http or https URL"),
            (String::new(), "is empty"),
        ];
        for (url, expected) in table {
            let ping = Ping::Healthchecks(secret(&folder, &url));
            let error = send(&ping, &Event::Start).await.unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains(expected) && !told.contains("s3cr3t"), "{told}");
        }
    }
}
