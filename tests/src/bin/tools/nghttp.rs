//! nghttp: frames that ordinary clients rarely send.

use crate::ground::{BIG, Ground};
use crate::program::run;

/// What a frame may hold: of a longer head the rest goes into CONTINUATION, which nghttp tells as one.
const FRAME: usize = 16 * 1024;

pub(crate) async fn check() -> String {
    let ground = Ground::new().await;
    let upload = ground.path("upload");
    std::fs::write(&upload, "a body").unwrap();
    // Longer than a frame, even coded by Huffman's table.
    let long = format!("x-long: {}", "a".repeat(30_000));
    let agent: &[&str] = &["-H", "user-agent: nghttp"];
    for path in ["/on/page", "/off/page"] {
        let told = nghttp(
            &ground,
            &[
                agent,
                &[
                    "-d",
                    &upload,
                    "--trailer",
                    "x-sum: abc",
                    "-H",
                    "content-type: text/xml",
                ],
            ]
            .concat(),
            "/off/up",
        )
        .await;
        assert!(
            told.contains("x-sum: abc") && has_status(&told, 200),
            "trailers: {told}"
        );
        let told = nghttp(&ground, &[agent, &["-H", &long]].concat(), path).await;
        assert!(
            longest_head(&told) > FRAME && has_status(&told, 200),
            "CONTINUATION: {told}"
        );
        for priority in [&["--weight", "256"][..], &["--no-dep"]] {
            let told = nghttp(&ground, &[agent, priority].concat(), path).await;
            assert!(has_status(&told, 200), "{priority:?}: {told}");
        }
        let told = nghttp(
            &ground,
            &[agent, &["--padding", "200", "-d", &upload]].concat(),
            "/off/up",
        )
        .await;
        assert!(has_status(&told, 200), "padding: {told}");
        let told = nghttp(
            &ground,
            &[agent, &["--expect-continue", "-d", &upload]].concat(),
            "/off/up",
        )
        .await;
        // Over HTTP/2 it is not told to go on, and does after a second.
        assert!(has_status(&told, 200), "Expect: {told}");
    }
    // Windows of 1 KiB: each KiB of 4 MiB has to be asked for.
    let (url, small) = (ground.url("/off/big"), ["-w", "10", "-W", "10"]);
    let ended = run("nghttp", &[&small[..], agent, &[&url]].concat()).await;
    assert_eq!(
        ended.out.len(),
        BIG,
        "{}",
        ended.said.get(BIG..).unwrap_or(&ended.said)
    );
    let told = nghttp(&ground, &[agent, &["-m", "50"]].concat(), "/off/page").await;
    let answered = told.matches(":status: 200").count();
    assert_eq!(answered, 50, "50 streams at once: {told}");
    "trailers, CONTINUATION, priorities, padding, Expect, windows of 1 KiB, 50 streams".to_owned()
}

async fn nghttp(ground: &Ground, arguments: &[&str], path: &str) -> String {
    let url = ground.url(path);
    run("nghttp", &[&["-nv"], arguments, &[&url]].concat())
        .await
        .content()
}

fn has_status(told: &str, status: u16) -> bool {
    told.contains(&format!(":status: {status}"))
}

/// Bytes of the longest head that was sent.
fn longest_head(told: &str) -> usize {
    let lengths = told.lines().filter_map(|line| {
        let (_, length) = line.split_once("send HEADERS frame <length=")?;
        length.split(',').next()?.parse().ok()
    });
    lengths.max().unwrap_or(0)
}
