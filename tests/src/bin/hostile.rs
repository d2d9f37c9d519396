//! Sends every hostile input to the edge, Envoy and nginx, and writes tests/HOSTILE.md.
//!
//! `hostile [--peers FOLDER] [FILE]`; without FILE the table goes to standard output.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::path::PathBuf;
use std::process::ExitCode;

use palisade_tests::hostile::{self, Case, Outcome, Peer, Recorder, Row, exchange, table};

#[tokio::main]
async fn main() -> ExitCode {
    let (peers, file) = arguments();
    let recorders = [
        Recorder::start().await,
        Recorder::start().await,
        Recorder::start().await,
    ];
    let edge = hostile::edge(&recorders[0]).await;
    let mut targets = vec![("Palisade".to_owned(), edge.https(), &recorders[0])];
    let nginx = Peer::nginx(recorders[1].address()).await;
    let envoy = Peer::envoy(&peers, recorders[2].address()).await;
    for (peer, recorder) in [(&nginx, &recorders[1]), (&envoy, &recorders[2])] {
        match peer {
            Ok(peer) => targets.push((peer.name.clone(), peer.address, recorder)),
            Err(why) => {
                eprintln!("not compared: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    let columns: Vec<String> = targets.iter().map(|(name, ..)| name.clone()).collect();
    let mut rows = Vec::new();
    let mut wrong = false;
    for case in hostile::cases() {
        let mut answers = Vec::new();
        for (_, address, recorder) in &targets {
            answers.push(answer(*address, &case, recorder).await);
        }
        let row = Row { case, answers };
        if row.answers[0].0 != row.case.wanted {
            eprintln!(
                "{}: {}: {}, not {}",
                row.case.group, row.case.name, row.answers[0].0, row.case.wanted
            );
            wrong = true;
        }
        if row.is_unexplained() {
            eprintln!(
                "{}: {}: another is stricter, and nobody says why",
                row.case.group, row.case.name
            );
            wrong = true;
        }
        rows.push(row);
    }
    let text = table(&columns, &rows);
    match file {
        Some(file) => std::fs::write(file, text).unwrap(),
        None => println!("{text}"),
    }
    if wrong {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

async fn answer(address: std::net::SocketAddr, case: &Case, recorder: &Recorder) -> (Outcome, usize) {
    let _ = recorder.take();
    let outcome = exchange(address, &case.input).await.unwrap_or(Outcome::Closed);
    (outcome, recorder.take().0.len())
}

fn arguments() -> (PathBuf, Option<PathBuf>) {
    let mut arguments = std::env::args().skip(1);
    let mut found = (PathBuf::from(".cache/peers"), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--peers" => found.0 = arguments.next().expect("--peers FOLDER").into(),
            _ => found.1 = Some(argument.into()),
        }
    }
    found
}
