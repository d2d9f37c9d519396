//! Instructions, counted by callgrind: this program again under valgrind, one function whose work is counted, and a
//! dump after each call of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// Why nothing was counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// valgrind does not start.
    #[error("valgrind cannot be started ({0}); on Debian: apt-get install valgrind")]
    Valgrind(io::Error),
    /// It ended badly.
    #[error("the counted program failed:\n{0}")]
    Failed(String),
    /// A dump is not there, or not as expected.
    #[error("{}: no `totals:` line; does this callgrind write another format?", .0.display())]
    Dump(PathBuf),
    /// The folder of the dumps.
    #[error("{path}: {source}", path = path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A symbol of its own: what is done here is counted, and nothing else.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from becoming a jump, which callgrind would see as another caller's.
    std::hint::black_box(());
}

/// Runs `program argument` under callgrind; one count for each of `calls` calls of [`counted`].
pub fn count(program: &Path, argument: &str, folder: &Path, calls: usize) -> Result<Vec<u64>, CountError> {
    let failed = |source| CountError::Folder {
        path: folder.to_owned(),
        source,
    };
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(failed)?;
    let dumps = folder.join("dump");
    let symbol = "palisade_bench_engine::counting::counted";
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--toggle-collect={symbol}"))
        .arg(format!("--dump-after={symbol}"))
        .arg(format!("--callgrind-out-file={}", dumps.display()))
        .arg(program)
        .arg(argument)
        // No time of day, no terminal, no locale: what depends on them is not to be counted.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(CountError::Valgrind)?;
    if !output.status.success() {
        return Err(CountError::Failed(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    (1..=calls)
        .map(|call| total(&folder.join(format!("dump.{call}"))))
        .collect()
}

fn total(dump: &Path) -> Result<u64, CountError> {
    let text = fs::read_to_string(dump).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let number = line.and_then(|number| number.trim().parse().ok());
    number.ok_or_else(|| CountError::Dump(dump.to_owned()))
}
