//! The table of hostile inputs: each has its answer, and no upstream sees anything wrong.

use std::collections::HashSet;

use palisade_tests::hostile::{self, Recorder, exchange};

/// Fewer would say little.
const LEAST: usize = 80;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_inputs_get_their_answers_and_reach_nobody() {
    let recorder = Recorder::start().await;
    let edge = hostile::edge(&recorder).await;
    let mut wrong = Vec::new();
    let cases = hostile::cases();
    assert!(cases.len() >= LEAST);
    for case in &cases {
        let _ = recorder.take();
        let outcome = exchange(edge.https(), &case.input).await.unwrap();
        let (requests, bytes) = recorder.take();
        let name = format!("{}: {}", case.group, case.name);
        if outcome != case.wanted {
            wrong.push(format!("{name}: {outcome}, not {}", case.wanted));
        }
        let text = String::from_utf8_lossy(&bytes);
        let hidden = requests.iter().any(|request| request.starts_with("GET /hidden"));
        let unclean = !case.never.is_empty() && text.contains(case.never);
        let seen = match case.passes() {
            true => requests.len() != 1 || hidden || unclean,
            false => !requests.is_empty(),
        };
        if seen {
            let start = &bytes[..bytes.len().min(400)];
            wrong.push(format!("{name}: the upstream saw {}", start.escape_ascii()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn each_input_has_a_name_of_its_own() {
    let cases = hostile::cases();
    let names: HashSet<_> = cases
        .iter()
        .map(|case| (case.group, case.name.as_str()))
        .collect();
    assert_eq!(names.len(), cases.len());
}
