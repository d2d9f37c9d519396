//! A whole edge in the process of the test.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::route::Asked;

fn edge(folder: &tempfile::TempDir, upstream: &str) -> App {
    let path = folder.path().join("palisade.toml");
    let data = folder.path().join("data");
    let text = format!(
        "waf.mode = \"off\"\n[server]\ngrace = \"5s\"\nworkers = 4\ndata_dir = {:?}\n\
         [listen]\nhttps = [\"127.0.0.1:0\"]\nhttp = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
         [log]\naccess = \"off\"\naudit = \"off\"\n\
         [[routes]]\nname = \"app\"\nhosts = [\"localhost\"]\n{upstream}\n",
        data.display().to_string(),
    );
    std::fs::write(&path, text).unwrap();
    App::build(&path).unwrap_or_else(|error| panic!("{error}"))
}

async fn fetch(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_requests_drain_probes_and_the_echo_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let app = edge(&folder, "echo = true");
    let (echo, addresses) = (app.reloader.echo, app.addresses().clone());
    let (https, admin) = (addresses.https[0], addresses.admin.unwrap());
    let running = app.start().await.unwrap();
    assert!(fetch(admin, "/readyz").await.unwrap().contains("200"));

    let busy = TcpStream::connect(https).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stopped = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(fetch(admin, "/readyz").await.unwrap().contains("not ready"));
    assert!(fetch(echo, "/").await.unwrap().contains("200"));
    assert!(!stopped.is_finished());

    drop(busy);
    tokio::time::timeout(Duration::from_secs(4), stopped)
        .await
        .unwrap()
        .unwrap();
    assert!(fetch(admin, "/readyz").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_address_of_a_backend_costs_no_request() {
    let folder = tempfile::tempdir().unwrap();
    // The echo of another edge is an application at an address of its own.
    let other = tempfile::tempdir().unwrap();
    let application = edge(&other, "echo = true");
    let alive = application.reloader.echo;
    let application = application.start().await.unwrap();

    let backend = format!("backends = [\"http://app.internal:{}\"]", alive.port());
    let app = edge(&folder, &backend);
    let snapshot = app.reloader.snapshots.load();
    let route = snapshot
        .find(&Asked::get("localhost", "/", &HeaderMap::new()))
        .unwrap();
    let dead = SocketAddr::from(([127, 0, 0, 2], alive.port()));
    let known = vec![dead, alive];
    route
        .balancer
        .sources()
        .next()
        .unwrap()
        .learn(known, Instant::now());
    route.balancer.gather();
    let https = app.addresses().https[0];
    let running = app.start().await.unwrap();

    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    for _ in 0..6 {
        let answer = client.get(format!("https://localhost:{}/", https.port())).send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    let stands = |address| {
        let endpoints = route.balancer.endpoints();
        let endpoint = endpoints.iter().find(|endpoint| endpoint.address() == address);
        endpoint.unwrap().is_up(Instant::now())
    };
    assert!(stands(alive) && !stands(dead));
    running.stop().await;
    application.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_busy_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let app = edge(&folder, "echo = true");
    let (https, http) = (app.addresses().https[0], app.addresses().http[0]);
    let running = app.start().await.unwrap();
    let (busy, free) = std::sync::mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    running.workers.handles().next().unwrap().spawn(async move {
        begun.send(()).unwrap();
        // For as long as the test likes.
        let _ = free.recv();
    });
    begins.await.unwrap();
    let mut silent = Vec::new();
    for round in 0..40 {
        // It has the fewest connections, and cannot take one.
        silent.push(TcpStream::connect(https).await.unwrap());
        let answer = tokio::time::timeout(Duration::from_secs(30), fetch(http, "/")).await;
        assert!(answer.unwrap().unwrap().contains("301"), "{round}");
    }
    drop(busy);
    drop(silent);
    running.stop().await;
}

#[tokio::test]
async fn a_panic_in_a_worker_ends_one_task() {
    let folder = tempfile::tempdir().unwrap();
    let app = edge(&folder, "echo = true");
    let http = app.addresses().http[0];
    let running = app.start().await.unwrap();
    for handle in running.workers.handles() {
        assert!(
            handle
                .spawn(async { panic!("a bug") })
                .await
                .unwrap_err()
                .is_panic()
        );
    }
    for _ in 0..8 {
        assert!(fetch(http, "/").await.unwrap().contains("301"));
    }
    running.stop().await;
}
