//! tests/HOSTILE.md.

use std::fmt::Write as _;

use super::{Case, Input, Outcome};

/// One line of the table.
pub struct Row {
    /// What was sent.
    pub case: Case,
    /// What each proxy answered, in the order of the columns, with the number of requests that its upstream saw.
    pub answers: Vec<(Outcome, usize)>,
}

/// The whole file. The first column of answers is the edge's.
#[must_use]
pub fn table(columns: &[String], rows: &[Row]) -> String {
    let mut text = format!(
        "# What hostile clients get\n\n\
         {} inputs, byte for byte, over TLS: what the edge answers, and what {} answer to the same. `make hostile` writes\n\
         this file; the bytes and the expected answers stand in tests/src/hostile, and tests/tests/edge/hostile.rs holds the\n\
         edge to them. All have the settings that their documentation recommends for an edge, and no WAF.\n\n\
         A number is a status; (n) says that the upstream saw n complete requests. *Cleaned*: what passes is held against\n\
         what no upstream may see. Where another proxy refuses what the edge lets pass, the last column says why.\n",
        rows.len(),
        columns[1..].join(" and "),
    );
    let mut group = "";
    for row in rows {
        if row.case.group != group {
            group = row.case.group;
            let _ = write!(
                text,
                "\n## {group}\n\n| input | {} | |\n|---|{}---|\n",
                columns.join(" | "),
                "---|".repeat(columns.len())
            );
        }
        let answers: Vec<String> = row
            .answers
            .iter()
            .map(|(outcome, seen)| answer(*outcome, *seen))
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            name(&row.case),
            answers.join(" | "),
            note(row)
        );
    }
    text
}

fn name(case: &Case) -> String {
    let protocol = match case.input {
        Input::Http1(_) => "",
        Input::Http2(_) | Input::Flood(_) if case.group.starts_with("HTTP/2") => "",
        _ => "HTTP/2: ",
    };
    format!("{protocol}{}", case.name.replace('|', "\\|").replace('*', "\\*"))
}

fn answer(outcome: Outcome, seen: usize) -> String {
    match seen {
        0 => outcome.to_string(),
        seen => format!("{outcome} ({seen})"),
    }
}

fn note(row: &Row) -> String {
    let cleaned = row.case.passes() && row.case.never.chars().any(|c| c != '\0');
    let word = if cleaned { "cleaned" } else { "" };
    let stricter = row.answers.iter().skip(1).any(|(outcome, _)| outcome.refuses());
    match row.case.why {
        "" => word.to_owned(),
        why if stricter && row.case.passes() => format!("{word}: {why}"),
        _ => word.to_owned(),
    }
}

impl Row {
    /// Whether another proxy refuses what the edge lets pass, and nobody says why.
    #[must_use]
    pub fn is_unexplained(&self) -> bool {
        let ours = self
            .answers
            .first()
            .is_some_and(|(outcome, _)| !outcome.refuses());
        let stricter = self.answers.iter().skip(1).any(|(outcome, _)| outcome.refuses());
        ours && stricter && self.case.why.is_empty()
    }
}
