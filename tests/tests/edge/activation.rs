//! Sockets that systemd binds, and what it is told (sd_listen_fds(3), sd_notify(3)).

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use palisade_tests::harness::{Ask, Connection, EdgeProcess, Route, TestEdge, Tls, Upstream};

#[tokio::test]
async fn a_socket_of_systemd_is_used_and_readiness_is_told() {
    let upstream = Upstream::echo("app").await;
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let files = TestEdge::builder()
        .listen(&format!("https = [\"{address}\"]"))
        .route(&Route::new("app").to(&upstream).unguarded())
        .write();
    let told = UnixDatagram::bind(files.folder().join("notify.sock")).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut process = EdgeProcess::activated(&files, socket, &files.folder().join("notify.sock"));
    assert_eq!(process.https().await, address);
    let mut connection = Connection::tls(address, "app.test", &Tls::default())
        .await
        .unwrap();
    connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
    connection.answer().await.unwrap().expect(200);

    let mut message = [0; 256];
    let length = told.recv(&mut message).unwrap();
    let ready = String::from_utf8_lossy(&message[..length]).into_owned();
    assert!(ready.contains("READY=1") && ready.contains("MAINPID="), "{ready}");
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    let length = told.recv(&mut message).unwrap();
    assert!(String::from_utf8_lossy(&message[..length]).contains("STOPPING=1"));
}

#[tokio::test]
async fn a_socket_that_the_configuration_does_not_name_is_an_error() {
    let upstream = Upstream::echo("app").await;
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let files = TestEdge::builder()
        .route(&Route::new("app").to(&upstream).unguarded())
        .write();
    let mut process = EdgeProcess::activated(&files, socket, &files.folder().join("nobody.sock"));
    assert_eq!(process.ended().await.code(), Some(1));
    let output = process.output();
    assert!(
        output.contains(&address.to_string()) && output.contains(".socket unit"),
        "{output}"
    );
}
