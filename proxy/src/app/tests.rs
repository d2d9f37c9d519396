//! A whole edge in the process of the test.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

fn edge(folder: &tempfile::TempDir) -> App {
    let path = folder.path().join("palisade.toml");
    let data = folder.path().join("data");
    let text = format!(
        "waf.mode = \"off\"\n[server]\ngrace = \"5s\"\ndata_dir = {:?}\n\
         [listen]\nhttps = [\"127.0.0.1:0\"]\nhttp = []\nadmin = \"127.0.0.1:0\"\n\
         [log]\naccess = \"off\"\naudit = \"off\"\n\
         [[routes]]\nname = \"app\"\nhosts = [\"localhost\"]\necho = true\n",
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
    let app = edge(&folder);
    let (echo, addresses) = (app.reloader.echo, app.addresses().clone());
    let (https, admin) = (addresses.https[0], addresses.admin.unwrap());
    let running = app.start().unwrap();
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
