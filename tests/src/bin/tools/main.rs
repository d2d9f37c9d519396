//! `make tools`: programs that others wrote, against the real edge: curl, h2load, nghttp, websocat, grpcurl,
//! openssl s_client, slowhttptest and systemd-socket-activate. One line for each, and exit code 1 if one found a fault.
//!
//! `tools [NAME]...` runs those alone. `scripts/tools.sh` installs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod curl;
mod ground;
mod grpcurl;
mod h2load;
mod life;
mod nghttp;
mod openssl;
mod program;
mod slowhttptest;
mod socket_activate;
mod websocat;

use std::pin::Pin;
use std::process::ExitCode;

use tokio::task::{JoinError, LocalSet, spawn_local};

/// What it saw, in a few words. Panics with what was wrong.
type Check = fn() -> Pin<Box<dyn Future<Output = String>>>;

const CHECKS: [(&str, Check); 9] = [
    ("curl", || Box::pin(curl::check())),
    ("h2load", || Box::pin(h2load::check())),
    ("nghttp", || Box::pin(nghttp::check())),
    ("websocat", || Box::pin(websocat::check())),
    ("grpcurl", || Box::pin(grpcurl::check())),
    ("openssl", || Box::pin(openssl::check())),
    ("slowhttptest", || Box::pin(slowhttptest::check())),
    ("socket-activate", || Box::pin(socket_activate::check())),
    ("life", || Box::pin(life::check())),
];

#[tokio::main]
async fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| eprint!("{}: ", panic.location().unwrap())));
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    LocalSet::new().run_until(all(&wanted)).await
}

async fn all(wanted: &[String]) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in CHECKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        // A task of its own: what panics there ends there.
        match spawn_local(check()).await {
            Ok(seen) => {
                passed += 1;
                println!("{name:<16} ok      {seen}");
            }
            Err(error) => {
                failed += 1;
                println!("{name:<16} FAILED  {}", why(error));
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    match failed == 0 && passed > 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The end of what a tool said is what tells most.
fn why(error: JoinError) -> String {
    const MOST: usize = 2000;
    let panic = error.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let text = text.unwrap_or_default();
    let last = text.char_indices().rev().nth(MOST).map_or(0, |(at, _)| at);
    text[last..].to_owned()
}
