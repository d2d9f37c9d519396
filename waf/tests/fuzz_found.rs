//! Seeds of the fuzz targets and every case that fuzzing found, through the same functions as under the fuzzer.

#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "shared with the fuzz targets"
)]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

/// The files of a folder, sorted; none if there is no such folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn seeds_and_found_cases_break_no_promise() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, target) in targets::TARGETS {
        let seeds = files(&fuzz.join("seeds").join(name));
        // The rule set of the target `crs` is another; its requests are the same.
        assert!(!seeds.is_empty() || name == "crs", "{name} has no seeds");
        for file in seeds.into_iter().chain(files(&fuzz.join("found").join(name))) {
            // What fails names its file.
            println!("{}", file.display());
            target(&std::fs::read(&file).unwrap());
        }
    }
}
