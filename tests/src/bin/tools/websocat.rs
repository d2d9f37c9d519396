//! websocat: a WebSocket's client.

use crate::ground::Ground;
use crate::program::run_with;

const BYTES: usize = 1 << 20;

pub(crate) async fn check() -> String {
    let ground = Ground::new().await;
    let binary: Vec<u8> = (0..BYTES).map(|at| (at * 7 % 251) as u8).collect();
    for path in ["/socket/on", "/socket/off"] {
        let url = ground.url(path).replace("https:", "wss:");
        // The edge's certificate is that of a test.
        let lines = "one\ntwo\nthree\n";
        let ended = run_with("websocat", &["-k", "-t", &url], lines.as_bytes()).await;
        assert_eq!(ended.content(), lines, "{path}");
        let ended = run_with("websocat", &["-k", "-b", &url], &binary).await;
        assert!(
            ended.out == binary,
            "{path}: {} bytes of {BYTES}",
            ended.out.len()
        );
    }
    "lines and a MiB of bytes came back, with the WAF and without".to_owned()
}
