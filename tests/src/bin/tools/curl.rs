//! curl: an ordinary client, and the one attack that everybody tries.

use crate::ground::{BIG, Ground};
use crate::program::run;

const UPLOAD: usize = 5 << 20;

pub(crate) async fn check() -> String {
    let ground = Ground::new().await;
    let upload = ground.path("upload");
    std::fs::write(&upload, "some words of an upload\n".repeat(UPLOAD / 24 + 1)).unwrap();
    let length = std::fs::metadata(&upload).unwrap().len();
    let (form, from) = (format!("file=@{upload}"), format!("@{upload}"));
    for path in ["/on/page?name=world", "/off/page?name=world"] {
        for (version, wanted) in [("--http1.0", "1"), ("--http1.1", "1.1"), ("--http2", "2")] {
            let told = curl(&ground, &[version], path).await;
            assert!(
                told.starts_with(&format!("200 {wanted}")),
                "{version} {path}: {told}"
            );
        }
        assert!(curl(&ground, &["--head"], path).await.starts_with("200 2"));
        // Past a megabyte curl asks by Expect: 100-continue over HTTP/1.1.
        for version in ["--http1.1", "--http2"] {
            let told = curl(&ground, &[version, "-F", &form], path).await;
            assert!(told.starts_with("200 "), "{version} -F: {told}");
            assert!(
                body(&told).parse::<u64>().unwrap() > length,
                "{version} -F: {told}"
            );
        }
    }
    for way in [
        ["--http1.1", "-T", &upload],
        ["--http2", "-T", &upload],
        ["-HTransfer-Encoding: chunked", "--data-binary", &from],
    ] {
        let told = curl(
            &ground,
            &[&way[..], &["--http1.1"][..usize::from(way[0].starts_with("-H"))]].concat(),
            "/off/up",
        )
        .await;
        assert_eq!(body(&told), length.to_string(), "{way:?}: {told}");
    }
    for (path, wanted) in [("/on", "403 "), ("/off", "200 ")] {
        let attack = ["--get", "--data-urlencode", "id=1' OR '1'='1"];
        assert!(
            curl(&ground, &attack, path).await.starts_with(wanted),
            "an attack on {path}"
        );
    }
    let over = format!("x-over: {}", "a".repeat(80_000));
    let told = curl(&ground, &["--http1.1", "-H", &over], "/off").await;
    assert!(told.starts_with("431 "), "a head over the limit: {told}");
    let (kept, whole) = (ground.path("kept"), BIG.to_string());
    for coding in [&[][..], &["--compressed"]] {
        let told = curl(&ground, &[coding, &["-o", &kept]].concat(), "/off/big").await;
        assert!(told.starts_with("200 "), "{told}");
        assert_eq!(
            std::fs::metadata(&kept).unwrap().len().to_string(),
            whole,
            "{coding:?}"
        );
    }
    let plain = format!("http://localhost:{}/off/page", ground.http.port());
    let followed = run(
        "curl",
        &["-sSL", "--cacert", &ground.ca(), "-w", "%{num_redirects}", &plain],
    )
    .await;
    assert_eq!(followed.content(), "01", "the answer 0, after one redirect");
    "HTTP/1.0, 1.1 and 2; uploads by form, PUT and chunks; downloads plain and compressed; a redirect; an attack; a head over the limit".to_owned()
}

/// Status, version, and what was answered.
async fn curl(ground: &Ground, arguments: &[&str], path: &str) -> String {
    let (ca, url) = (ground.ca(), ground.url(path));
    let told = ["-sS", "--cacert", &ca, "-w", "\n%{http_code} %{http_version}"];
    let ended = run("curl", &[&told, arguments, &[&url]].concat()).await.content();
    let (body, told) = ended.rsplit_once('\n').unwrap();
    format!("{told} {body}")
}

fn body(told: &str) -> &str {
    told.splitn(3, ' ').last().unwrap()
}
