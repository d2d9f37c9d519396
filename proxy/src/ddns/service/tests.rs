//! Looks with real sockets: a page and a name server that can be told what to say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::config::Whoami;
use crate::ddns::agreement::Doubt;

/// What a source says at the moment.
type Word = Arc<Mutex<String>>;

struct World {
    page: Word,
    server: Word,
    ddns: Ddns,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let (page, server) = (Word::default(), Word::default());
        let trace = serve_page(page.clone()).await;
        let whoami = serve_dns(server.clone()).await;
        let ddns = Ddns {
            ipv4: vec![
                Detection::Https,
                Detection::Dns,
                Detection::Interface(Some("lo".to_owned())),
            ],
            ipv6: Vec::new(),
            agreement: 2,
            interval: Duration::from_secs(300),
            timeout: Duration::from_secs(2),
            trace: vec![trace],
            whoami: vec![Whoami::Cloudflare(whoami)],
            router: None,
            pings: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        Self {
            page,
            server,
            ddns,
            folder,
        }
    }

    fn say(&self, page: &str, server: &str) {
        *self.page.lock().unwrap() = page.to_owned();
        *self.server.lock().unwrap() = server.to_owned();
    }

    fn addresses(&self) -> Addresses {
        Addresses::new(self.ddns.clone(), self.folder.path())
    }
}

async fn serve_page(word: Word) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/cdn-cgi/trace", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 2048]).await;
            let body = format!("h=127.0.0.1\nip={}\nwarp=off\n", word.lock().unwrap());
            let length = body.len();
            let page =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    url
}

async fn serve_dns(word: Word) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        loop {
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            let request = Message::from_vec(&packet[..length]).unwrap();
            let query = request.queries[0].clone();
            let mut answer = Message::response(request.metadata.id, OpCode::Query);
            let text = RData::TXT(TXT::new(vec![word.lock().unwrap().clone()]));
            answer.add_answer(Record::from_rdata(query.name().clone(), 0, text));
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        }
    });
    address
}

fn ip(last: u8) -> IpAddr {
    [8, 8, 8, last].into()
}

#[tokio::test]
async fn ddns_an_address_that_two_methods_tell_is_published_and_remembered() {
    let world = World::new().await;
    world.say("8.8.8.1", "8.8.8.1");
    let outcome = world.addresses().round().await;
    assert_eq!(outcome.address(Family::Ipv4), Some(ip(1)));
    assert!(outcome.is_certain(), "{outcome}");
    assert_eq!(outcome.ipv6, None);
    let told = outcome.to_string();
    assert!(told.contains("127.0.0.1, rejected: loopback"), "{told}");

    // The line is down, and the edge starts anew.
    world.say("", "");
    let mut addresses = world.addresses();
    let outage = addresses.round().await;
    let found = outage.ipv4.as_ref().unwrap();
    assert_eq!(found.verdict, Verdict::Keep(ip(1), Doubt::Rejected));
    assert_eq!(found.since, Some(outcome.at));
    assert!(!outage.is_certain());

    world.say("8.8.8.2", "8.8.8.1");
    let doubt = addresses.round().await;
    assert_eq!(doubt.ipv4.as_ref().unwrap().verdict.address(), Some(ip(1)));
    assert_eq!(doubt.address(Family::Ipv4), None);
    world.say("8.8.8.2", "8.8.8.2");
    let after = addresses.round().await;
    assert_eq!(after.address(Family::Ipv4), Some(ip(2)));
    assert_eq!(after.ipv4.unwrap().since, Some(after.at));
}

#[tokio::test]
async fn ddns_records_follow_no_address_that_was_only_read_from_the_file() {
    let world = World::new().await;
    world.say("8.8.8.1", "8.8.8.1");
    world.addresses().round().await;

    // The edge starts anew, and cannot tell whether the address is still its own.
    world.say("", "");
    let mut addresses = world.addresses();
    let outcome = addresses.round().await;
    assert_eq!(outcome.ipv4.as_ref().unwrap().verdict.address(), Some(ip(1)));
    assert_eq!(outcome.address(Family::Ipv4), None);
    assert!(
        outcome.to_string().contains("not agreed on since the start"),
        "{outcome}"
    );

    // Once it was agreed on, doubt is no reason to give it up.
    world.say("8.8.8.1", "8.8.8.1");
    assert_eq!(addresses.round().await.address(Family::Ipv4), Some(ip(1)));
    world.say("", "8.8.8.2");
    assert_eq!(addresses.round().await.address(Family::Ipv4), Some(ip(1)));
}

#[tokio::test]
async fn ddns_a_look_remembers_nothing() {
    let world = World::new().await;
    world.say("8.8.8.1", "8.8.8.1");
    let outcome = world.addresses().look().await;
    assert_eq!(outcome.address(Family::Ipv4), Some(ip(1)));
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn ddns_a_folder_that_cannot_be_written_stops_nothing() {
    let mut world = World::new().await;
    world.ddns.ipv4 = vec![Detection::Fixed([203, 0, 113, 7].into())];
    let file = world.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut addresses = Addresses::new(world.ddns.clone(), &file);
    for _ in 0..2 {
        let outcome = addresses.round().await;
        assert_eq!(outcome.address(Family::Ipv4), Some([203, 0, 113, 7].into()));
    }
}

#[tokio::test]
async fn ddns_families_are_looked_at_apart() {
    let mut world = World::new().await;
    world.say("8.8.8.1", "8.8.8.1");
    world.ddns.ipv6 = vec![Detection::Https, Detection::Dns];
    let outcome = world.addresses().round().await;
    assert_eq!(outcome.address(Family::Ipv4), Some(ip(1)));
    let ipv6 = outcome.ipv6.as_ref().unwrap();
    assert_eq!(ipv6.verdict, Verdict::Unknown(Doubt::Silence));
    assert_eq!((ipv6.since, outcome.address(Family::Ipv6)), (None, None));
}
