//! A name server that knows what the test tells it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

/// A name server, over UDP.
pub struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Zone {
    names: HashMap<String, (u32, Vec<IpAddr>)>,
    silent: bool,
    questions: usize,
}

impl NameServer {
    /// One that knows nothing.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let zone = Arc::<Mutex<Zone>>::default();
        let task = tokio::spawn(serve(socket, Arc::clone(&zone))).abort_handle();
        Self { address, zone, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Addresses of a name, and for how many seconds they hold.
    pub fn set(&self, name: &str, ttl: u32, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        let mut zone = self.zone.lock().unwrap();
        zone.names.insert(name.to_owned(), (ttl, addresses.collect()));
    }

    /// Whether it says nothing.
    pub fn set_silent(&self, silent: bool) {
        self.zone.lock().unwrap().silent = silent;
    }

    /// Questions so far.
    pub fn questions(&self) -> usize {
        self.zone.lock().unwrap().questions
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut packet = [0; 1500];
    while let Ok((length, client)) = socket.recv_from(&mut packet).await {
        let Ok(asked) = Message::from_vec(&packet[..length]) else {
            continue;
        };
        let answer = {
            let mut zone = zone.lock().unwrap();
            zone.questions += 1;
            (!zone.silent).then(|| zone.answer(&asked))
        };
        if let Some(answer) = answer {
            socket.send_to(&answer.to_vec().unwrap(), client).await.ok();
        }
    }
}

impl Zone {
    fn answer(&self, asked: &Message) -> Message {
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        let question = asked.queries[0].clone();
        let name: Name = question.name().clone();
        let kind = question.query_type();
        answer.add_queries([question]);
        let known = self
            .names
            .get(name.to_lowercase().to_ascii().trim_end_matches('.'));
        let Some((ttl, addresses)) = known else {
            answer.metadata.response_code = ResponseCode::NXDomain;
            return answer;
        };
        for address in addresses {
            let data = match (address, kind) {
                (IpAddr::V4(address), RecordType::A) => RData::A((*address).into()),
                (IpAddr::V6(address), RecordType::AAAA) => RData::AAAA((*address).into()),
                _ => continue,
            };
            answer.add_answer(Record::from_rdata(name.clone(), *ttl, data));
        }
        answer
    }
}
