//! A plan for people: a line per record, in the order of names.

use std::fmt;

use super::{Create, Delete, Part, Plan, Subject, Update};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(&Subject, usize, String)> = Vec::new();
        lines.extend(self.deletes.iter().map(|it| (&it.subject, 0, it.to_string())));
        lines.extend(self.updates.iter().map(|it| (&it.subject, 1, it.to_string())));
        lines.extend(self.creates.iter().map(|it| (&it.subject, 2, it.to_string())));
        lines.sort();
        writeln!(f, "{}:", self.zone)?;
        if lines.is_empty() {
            writeln!(f, "  nothing to do")?;
        }
        for (_, _, line) in lines {
            writeln!(f, "  {line}")?;
        }
        for note in &self.notes {
            writeln!(f, "  ! {note}")?;
        }
        match &self.refusal {
            Some(refusal) => writeln!(f, "  ! {}", refusal.to_string().replace('\n', "\n    ")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Create {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        let settings = Settings(record.ttl, record.proxied.unwrap_or_default());
        line(f, '+', &self.subject, &record.name, &record.content)?;
        match self.subject.part {
            Part::Record => write!(f, " ({settings})"),
            Part::Mark => Ok(()),
        }
    }
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, patch, .. } = self;
        line(f, '~', &self.subject, &before.name, &before.content)?;
        if let Some(content) = &patch.content {
            write!(f, " => {content}")?;
        }
        let old = Settings(before.ttl, before.proxied);
        let new = Settings(
            patch.ttl.unwrap_or(before.ttl),
            patch.proxied.unwrap_or(before.proxied),
        );
        match old == new {
            true => write!(f, " ({new})"),
            false => write!(f, " ({old} => {new})"),
        }
    }
}

impl fmt::Display for Delete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, '-', &self.subject, &self.before.name, &self.before.content)
    }
}

fn line(f: &mut fmt::Formatter<'_>, sign: char, subject: &Subject, name: &str, content: &str) -> fmt::Result {
    let Subject { host, kind, part } = subject;
    match part {
        Part::Record => write!(f, "{sign} {kind} {name} -> {content}"),
        Part::Mark => write!(f, "{sign} TXT {name} (ownership of {kind} {host})"),
    }
}

#[derive(PartialEq)]
struct Settings(u32, bool);

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("ttl auto, ")?,
            seconds => write!(f, "ttl {seconds}, ")?,
        }
        f.write_str(if self.1 { "proxied" } else { "DNS only" })
    }
}
