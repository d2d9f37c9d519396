//! The `palisade` binary: arguments in, exit code out.

use std::process::ExitCode;

/// Many small allocations of many sizes, freed on other threads: what jemalloc is made for.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    palisade::cli::main(std::env::args_os())
}
