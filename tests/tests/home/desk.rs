//! Who sits at the terminal: the binary's commands over the configuration of a home.

use std::net::TcpListener;
use std::path::Path;

use palisade_tests::cloudflare::{FakeCloudflare, Record};
use palisade_tests::harness::{EdgeBuilder, EdgeFiles, run_binary, said};

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Told {
    /// Fails the test unless it ended so and said all of these.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        for words in says {
            assert!(
                self.text.contains(words),
                "not a word of {words:?}:\n{}",
                self.text
            );
        }
        self
    }
}

/// Runs `command` of the binary over this configuration. Whatever it says, the token is not among it.
pub(crate) async fn palisade(files: &EdgeFiles, command: &str) -> Told {
    let config = files.config();
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.extend(["--config", config.to_str().unwrap()]);
    let output = run_binary(&arguments).await;
    let text = said(&output);
    if let Ok(token) = std::fs::read_to_string(files.folder().join("token")) {
        assert!(!text.contains(token.trim()), "{command} tells the token");
    }
    Told {
        code: output.status.code().unwrap_or(-1),
        text,
    }
}

/// With an admin listener where commands find it.
pub(crate) fn reachable(builder: EdgeBuilder) -> EdgeBuilder {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    builder.listen(&format!("admin = \"{free}\""))
}

/// Nothing that was written below the folder holds the token, but for its own file.
pub(crate) fn token_is_nowhere(files: &EdgeFiles, token: &str) {
    look_for(token, files.folder());
}

fn look_for(token: &str, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_for(token, &path);
        } else if path.is_file() && path.file_name().is_some_and(|name| name != "token") {
            // A socket has nothing written in it.
            let text = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(token), "the token stands in {}", path.display());
        }
    }
}

/// How many calls changed something.
pub(crate) fn changes(fake: &FakeCloudflare) -> usize {
    let calls = fake.calls();
    calls
        .iter()
        .filter(|call| call.method != "GET" && (call.status == 0 || call.status < 300))
        .count()
}

/// How many calls were anything but questions.
pub(crate) fn writes(fake: &FakeCloudflare) -> usize {
    fake.calls().iter().filter(|call| call.method != "GET").count()
}

/// What others made is as it was.
#[track_caller]
pub(crate) fn untouched(before: &[Record], now: &[Record]) {
    for record in before {
        assert!(now.contains(record), "{record:?} is not what it was");
    }
}
