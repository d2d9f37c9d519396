//! `palisade check`.

use std::path::Path;

use super::{Failed, load};

/// Reads and builds the configuration, as `run` does before anything else.
pub(super) fn run(file: &Path) -> Result<(), Failed> {
    let config = load(file)?;
    println!("{}: {} routes", file.display(), config.routes.len());
    for route in &config.routes {
        let hosts: Vec<String> = route.hosts.iter().map(ToString::to_string).collect();
        println!("  {}  {}  WAF {:?}", route.name, hosts.join(" "), route.waf.mode);
        for exclusion in &route.waf.profile.exclusions {
            println!("    exclusion: {}", exclusion.reason);
        }
    }
    Ok(())
}
