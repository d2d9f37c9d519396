//! For tests: a DNS server over real sockets, and TXT records that appear in it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::challenge::{TxtError, TxtRecords};
use super::disk::DiskStore;
use super::store::{Document, Pair, Store, StoreError};

type Records = BTreeMap<(String, RecordType), Vec<RData>>;

/// A name server, resolver and authority in one.
#[derive(Clone)]
pub(super) struct Dns {
    pub(super) address: SocketAddr,
    records: Arc<Mutex<Records>>,
    /// The names of all questions.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
    /// Every publication and withdrawal, in order.
    pub(super) writes: Arc<Mutex<Vec<String>>>,
}

impl Dns {
    /// On a port of its own.
    pub(super) async fn start() -> Self {
        Self::listen("127.0.0.1:0").await
    }

    /// On this address.
    pub(super) async fn listen(address: &str) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        let records: Arc<Mutex<Records>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (serve, note) = (Arc::clone(&records), Arc::clone(&asked));
        tokio::spawn(async move {
            let mut packet = [0; 2048];
            while let Ok((length, client)) = socket.recv_from(&mut packet).await {
                let request = Message::from_vec(&packet[..length]).unwrap();
                note.lock().unwrap().push(asked_name(&request));
                let answer = answer(&request, &serve.lock().unwrap());
                socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
            }
        });
        Self {
            address,
            records,
            asked,
            writes: Arc::default(),
        }
    }

    fn add(&self, name: &str, data: RData) {
        let key = (name.to_owned(), data.record_type());
        self.records.lock().unwrap().entry(key).or_default().push(data);
    }

    /// A zone whose name server `server` has this address.
    pub(super) fn zone(&self, zone: &str, server: &str, address: Ipv4Addr) {
        self.add(zone, RData::NS(NS(name(server))));
        self.add(server, RData::A(A(address)));
    }

    pub(super) fn alias(&self, from: &str, to: &str) {
        self.add(from, RData::CNAME(CNAME(name(to))));
    }
}

#[async_trait]
impl TxtRecords for Dns {
    async fn publish(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        self.writes
            .lock()
            .unwrap()
            .push(format!("publish {name} {}", values.len()));
        for value in values {
            self.add(name, RData::TXT(TXT::new(vec![value.clone()])));
        }
        Ok(())
    }

    async fn withdraw(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        self.writes
            .lock()
            .unwrap()
            .push(format!("withdraw {name} {}", values.len()));
        if let Some(records) = self
            .records
            .lock()
            .unwrap()
            .get_mut(&(name.to_owned(), RecordType::TXT))
        {
            records.retain(|record| !values.contains(&record.to_string()));
        }
        Ok(())
    }

    async fn stale(&self, _: &str) -> Result<Vec<String>, TxtError> {
        Ok(Vec::new())
    }
}

fn asked_name(request: &Message) -> String {
    let name = request.queries[0].name().to_lowercase().to_ascii();
    name.trim_end_matches('.').to_owned()
}

fn answer(request: &Message, records: &Records) -> Message {
    let query = &request.queries[0];
    let asked = asked_name(request);
    let mut answer = Message::response(request.metadata.id, OpCode::Query);
    answer.add_queries(request.queries.clone());
    let found = records.get(&(asked.clone(), query.query_type()));
    for data in found.into_iter().flatten() {
        answer.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
    }
    if !records.keys().any(|(name, _)| *name == asked) {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

/// A store on a disk that may fill up, or be read-only.
#[derive(Clone)]
pub(super) struct Disk {
    pub(super) inner: DiskStore,
    pub(super) full: Arc<AtomicBool>,
    /// Every write that was tried.
    pub(super) writes: Arc<Mutex<Vec<String>>>,
}

impl Disk {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            inner: DiskStore::new(folder),
            full: Arc::default(),
            writes: Arc::default(),
        }
    }

    fn write(&self, what: &str) -> Result<(), StoreError> {
        self.writes.lock().unwrap().push(what.to_owned());
        match self.full.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(StoreError::File {
                path: what.into(),
                source: io::ErrorKind::ReadOnlyFilesystem.into(),
            }),
        }
    }
}

#[async_trait]
impl Store for Disk {
    async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.inner.names().await
    }

    async fn pair(&self, name: &str) -> Result<Option<Pair>, StoreError> {
        self.inner.pair(name).await
    }

    async fn install(&self, name: &str, pair: &Pair) -> Result<(), StoreError> {
        self.write(name)?;
        self.inner.install(name, pair).await
    }

    async fn set_pair_aside(&self, name: &str) -> Result<String, StoreError> {
        self.write(name)?;
        self.inner.set_pair_aside(name).await
    }

    async fn document(&self, which: &Document) -> Result<Option<String>, StoreError> {
        self.inner.document(which).await
    }

    async fn keep(&self, which: &Document, text: &str) -> Result<(), StoreError> {
        self.write(&format!("{which:?}"))?;
        self.inner.keep(which, text).await
    }

    async fn set_aside(&self, which: &Document) -> Result<String, StoreError> {
        self.write(&format!("{which:?}"))?;
        self.inner.set_aside(which).await
    }
}
