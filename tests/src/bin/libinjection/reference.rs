//! The program that asks the Go port.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

/// The program while it runs; it ends with its standard input.
pub(crate) struct Reference {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What the reference makes of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The fingerprint if it is an SQL injection.
    pub(crate) sqli: Option<String>,
    pub(crate) xss: bool,
}

impl Reference {
    pub(crate) fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| named(program, error))?;
        let missing = || io::Error::other("a child without pipes");
        let questions = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self {
            child,
            questions,
            answers,
        })
    }

    /// Asks about strings, in their order.
    pub(crate) fn ask(&mut self, strings: &[Vec<u8>]) -> io::Result<Vec<Verdict>> {
        let Self {
            questions, answers, ..
        } = self;
        // Both pipes are short: what writes must not wait for what reads.
        thread::scope(|scope| {
            let writer = scope.spawn(move || write(questions, strings));
            let verdicts = strings
                .iter()
                .map(|_| read(answers))
                .collect::<io::Result<Vec<_>>>();
            writer
                .join()
                .map_err(|_| io::Error::other("the writing thread panicked"))??;
            verdicts
        })
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn named(program: &Path, error: io::Error) -> io::Error {
    io::Error::other(format!(
        "{}: {error} (`make libinjection` builds it)",
        program.display()
    ))
}

fn write(questions: &mut ChildStdin, strings: &[Vec<u8>]) -> io::Result<()> {
    let mut text = String::new();
    for string in strings {
        for byte in string {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    // The end of the batch.
    text.push_str(".\n");
    questions.write_all(text.as_bytes())?;
    questions.flush()
}

fn read(answers: &mut impl BufRead) -> io::Result<Verdict> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let wrong = || {
        io::Error::other(format!(
            "the reference answered {line:?}, expected a fingerprint or -, and 0 or 1"
        ))
    };
    let (fingerprint, xss) = line.trim_end().rsplit_once(' ').ok_or_else(wrong)?;
    let sqli = (fingerprint != "-").then(|| fingerprint.to_owned());
    match xss {
        "0" | "1" => Ok(Verdict {
            sqli,
            xss: xss == "1",
        }),
        _ => Err(wrong()),
    }
}
