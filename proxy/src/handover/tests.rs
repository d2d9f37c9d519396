//! Two edges at the two ends of a socket, one of them sometimes of another version.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use super::wire::{DRAINING, HELLO, SERVING};
use super::{Delivery, Offer, Predecessor, wire};

const COUNTS: &str = "# TYPE a counter\na_total 1\n";

struct Ground {
    _folder: tempfile::TempDir,
    path: PathBuf,
    taken: Mutex<Vec<String>>,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upgrade.sock");
        Self {
            _folder: folder,
            path,
            taken: Mutex::default(),
        }
    }

    fn offer(&self) -> Offer {
        Offer::open(&self.path, Vec::new()).unwrap()
    }

    fn take(&self, text: &str) {
        self.taken.lock().unwrap().push(text.to_owned());
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

/// What a successor that asks at `path` is told: its counts first.
fn succeed(path: PathBuf) -> std::thread::JoinHandle<(Option<String>, std::io::Result<()>)> {
    std::thread::spawn(move || {
        let predecessor = Predecessor::ask(&path).unwrap();
        let mut counts = None;
        let replaced = predecessor.replace(|told| counts = told);
        (counts, replaced)
    })
}

#[tokio::test]
async fn counts_come_before_the_end_of_services() {
    let ground = Ground::new();
    let offer = ground.offer();
    let successor = succeed(ground.path.clone());
    let mut heir = offer.taken(&|text| ground.take(text)).await;
    assert!(heir.wants_counts());
    heir.tell_counts(COUNTS).await.unwrap();
    heir.tell_draining().await;
    let (counts, replaced) = successor.join().unwrap();
    assert_eq!(counts.as_deref(), Some(COUNTS));
    replaced.unwrap();
}

#[tokio::test]
async fn a_predecessor_that_knows_nothing_of_counts_is_replaced_all_the_same() {
    let ground = Ground::new();
    let listener = UnixListener::bind(&ground.path).unwrap();
    let old = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut words = [0; HELLO.len()];
        stream.read_exact(&mut words).unwrap();
        wire::send(stream.as_fd(), &[]).unwrap();
        let mut words = [0; SERVING.len()];
        stream.read_exact(&mut words).unwrap();
        assert_eq!(words, SERVING.as_bytes());
        stream.write_all(DRAINING.as_bytes()).unwrap();
    });
    let (counts, replaced) = succeed(ground.path.clone()).join().unwrap();
    assert_eq!(counts, None);
    replaced.unwrap();
    old.join().unwrap();
}

#[tokio::test]
async fn a_successor_that_knows_nothing_of_counts_is_told_nothing_of_them() {
    for ask in ["", "counts 2\n", "something\n"] {
        let ground = Ground::new();
        let offer = ground.offer();
        let path = ground.path.clone();
        let successor = std::thread::spawn(move || {
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(HELLO.as_bytes()).unwrap();
            wire::receive(stream.as_fd()).unwrap();
            stream.write_all([SERVING, ask].concat().as_bytes()).unwrap();
            let mut rest = String::new();
            stream.read_to_string(&mut rest).unwrap();
            rest
        });
        let heir = offer.taken(&|text| ground.take(text)).await;
        assert!(!heir.wants_counts(), "{ask:?}");
        heir.tell_draining().await;
        assert_eq!(successor.join().unwrap(), DRAINING);
    }
}

#[tokio::test]
async fn counts_that_come_too_late_are_none() {
    let ground = Ground::new();
    let offer = ground.offer();
    let (told, asked) = std::sync::mpsc::channel();
    let path = ground.path.clone();
    let successor = std::thread::spawn(move || {
        let predecessor = Predecessor::ask(&path).unwrap();
        predecessor.replace(|counts| told.send(counts).unwrap())
    });
    let mut heir = offer.taken(&|text| ground.take(text)).await;
    let counts = tokio::task::spawn_blocking(move || asked.recv().unwrap());
    assert_eq!(counts.await.unwrap(), None);
    heir.tell_counts(COUNTS).await.unwrap();
    heir.tell_draining().await;
    successor.join().unwrap().unwrap();
}

#[tokio::test]
async fn the_remainder_goes_to_whoever_listens_there() {
    let ground = Ground::new();
    let (_lingering, heir) = ground.offer().linger();
    // As long as there is nobody else, to nobody: this edge would count it twice.
    assert!(matches!(heir.deliver(COUNTS).await, Delivery::Refused(_)));
    // While a successor of its own is starting, the heir takes counts.
    let next = ground.offer();
    let starting = UnixStream::connect(&ground.path).unwrap();
    (&starting).write_all(HELLO.as_bytes()).unwrap();
    let take = |text: &str| ground.take(text);
    let delivered = tokio::select! {
        delivered = heir.deliver(COUNTS) => delivered,
        _ = next.taken(&take) => panic!("nobody serves"),
    };
    assert!(matches!(delivered, Delivery::Taken), "{delivered:?}");
    // While it gives way too.
    let (lingering, _) = next.linger();
    let delivered = tokio::select! {
        delivered = heir.deliver(COUNTS) => delivered,
        () = lingering.pass_on(&take) => panic!("it goes on"),
    };
    assert!(matches!(delivered, Delivery::Taken), "{delivered:?}");
    assert_eq!(ground.taken(), [COUNTS, COUNTS]);
}

#[tokio::test]
async fn an_heir_that_leaves_before_it_answers_is_not_the_last() {
    let ground = Ground::new();
    let (lingering, heir) = ground.offer().linger();
    drop(lingering);
    let gone = ground.offer();
    let take = |text: &str| ground.take(text);
    let (delivered, ()) = tokio::join!(heir.deliver(COUNTS), async {
        tokio::task::yield_now().await;
        drop(gone.linger());
        let next = ground.offer();
        let _ = tokio::time::timeout(Duration::from_secs(3), next.taken(&take)).await;
    });
    assert!(matches!(delivered, Delivery::Taken), "{delivered:?}");
    assert_eq!(ground.taken(), [COUNTS]);
}

#[tokio::test]
async fn counts_of_another_version_are_refused_and_change_nothing() {
    let ground = Ground::new();
    let offer = ground.offer();
    let path = ground.path.clone();
    let take = |text: &str| ground.take(text);
    for (said, answer) in [
        ("counts 2 5\nhello", "unknown\n"),
        ("counts 1 999999999999\n", "unknown\n"),
        ("counts 1 many\n", "unknown\n"),
        ("good day\n", ""),
        ("counts 1 100\ntoo few", ""),
        ("counts 1 2\n\u{ff}", ""),
    ] {
        let path = path.clone();
        let visitor = tokio::task::spawn_blocking(move || {
            let mut stream = UnixStream::connect(path).unwrap();
            let bytes = said.replace('\u{ff}', "");
            stream.write_all(bytes.as_bytes()).unwrap();
            if said.contains('\u{ff}') {
                stream.write_all(&[0xff, 0xff]).unwrap();
            }
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut rest = String::new();
            // What the edge did not read makes its end a reset.
            let _ = stream.read_to_string(&mut rest);
            rest
        });
        let answered = tokio::select! {
            answered = visitor => answered.unwrap(),
            _ = offer.taken(&take) => panic!("nobody serves"),
        };
        assert_eq!(answered, answer, "{said:?}");
    }
    assert!(ground.taken().is_empty());
}
