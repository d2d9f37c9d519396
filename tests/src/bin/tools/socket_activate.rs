//! systemd-socket-activate: the edge gets its sockets as a unit's `.socket` passes them.

use crate::ground::{Ground, free_ports};
use crate::program::{self, run};

use palisade_tests::harness::binary;

pub(crate) async fn check() -> String {
    let mut ground = Ground::new().await;
    ground.edge.signal("TERM");
    ground.edge.ended().await;
    let [https, http] = free_ports();
    ground.files.edit(&ground.https.to_string(), &https.to_string());
    ground.files.edit(&ground.http.to_string(), &http.to_string());
    let (https, http) = (https.to_string(), http.to_string());
    let (edge, config) = (binary().to_str().unwrap(), ground.files.config());
    let arguments = [
        "-l",
        &https,
        "-l",
        &http,
        edge,
        "run",
        "--config",
        config.to_str().unwrap(),
    ];
    let _edge = program::start("systemd-socket-activate", &arguments);
    let (ca, resolve) = (ground.ca(), format!("localhost:{}", &https["127.0.0.1:".len()..]));
    // It starts the edge for the first connection, which waits.
    let first = [
        "-sS",
        "--retry",
        "30",
        "--retry-connrefused",
        "--retry-delay",
        "1",
        "--cacert",
        &ca,
    ];
    let secure = format!("https://{resolve}/off/page");
    let served = run("curl", &[&first[..], &[&secure]].concat()).await;
    assert!(served.success && served.out == b"0", "{}", served.said);
    let plain = format!("http://{http}/off/page");
    let told = run("curl", &["-sS", "-o", "/dev/null", "-w", "%{http_code}", &plain]).await;
    assert_eq!(told.content(), "301");
    "the first connection started the edge and was served; both its sockets are used".to_owned()
}
