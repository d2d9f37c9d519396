//! h2load: many requests, and none that fails.

use std::collections::HashMap;

use crate::ground::Ground;
use crate::program::run;

const REQUESTS: usize = 3000;

pub(crate) async fn check() -> String {
    let ground = Ground::new().await;
    let form = ground.path("form");
    std::fs::write(&form, "comment=some+words+of+a+comment").unwrap();
    let posts = [
        "-d",
        &form,
        "-H",
        "content-type: application/x-www-form-urlencoded",
    ];
    let mut runs = 0;
    for (name, way) in WAYS {
        for path in ["/on/page?name=world", "/off/page?name=world"] {
            for body in [&[][..], &posts] {
                let (requests, url) = (REQUESTS.to_string(), ground.url(path));
                let agent = ["-H", "user-agent: h2load", "-H", "accept: */*"];
                let arguments = [&["-n", &requests, "-c", "20"], way, &agent, body, &[&url]].concat();
                let told = run("h2load", &arguments).await.content();
                let counts = counts(&told);
                for what in ["started", "done", "succeeded", "2xx"] {
                    assert_eq!(counts.get(what), Some(&REQUESTS), "{name} {path}: {told}");
                }
                runs += 1;
            }
        }
    }
    format!(
        "{runs} runs of {REQUESTS} requests, pages and forms, over h2 and http/1.1 (pipelined too): none failed"
    )
}

const WAYS: [(&str, &[&str]); 3] = [
    ("h2", &["-m", "10"]),
    ("http/1.1", &["--h1"]),
    ("http/1.1 pipelined", &["--h1", "-m", "10"]),
];

/// The numbers of its summary, by the word behind each.
pub(crate) fn counts(told: &str) -> HashMap<&str, usize> {
    let lines = told.lines().filter_map(|line| {
        line.strip_prefix("requests: ")
            .or(line.strip_prefix("status codes: "))
    });
    let pairs = lines.flat_map(|line| line.split(", "));
    pairs
        .filter_map(|pair| {
            let (count, what) = pair.split_once(' ')?;
            Some((what, count.parse().ok()?))
        })
        .collect()
}
