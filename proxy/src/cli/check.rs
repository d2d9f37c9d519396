//! `palisade check`.

use std::path::Path;

use super::{Failed, load};

/// Reads and builds the configuration, as `run` does before anything else.
pub(super) fn run(file: &Path) -> Result<(), Failed> {
    let config = load(file)?;
    let routes = config.routes.len();
    let plural = if routes == 1 { "" } else { "s" };
    println!("{}: {routes} route{plural}", file.display());
    for route in &config.routes {
        let hosts: Vec<String> = route.hosts.iter().map(ToString::to_string).collect();
        println!("  {}  {}  WAF {:?}", route.name, hosts.join(" "), route.waf.mode);
        for exclusion in &route.waf.profile.exclusions {
            println!("    exclusion: {}", exclusion.reason);
        }
    }
    for zone in &config.zones {
        let certificates = match zone.certificates.as_slice() {
            [] => "no certificates".to_owned(),
            names => format!("certificates for {}", names.join(" ")),
        };
        let records = if zone.records { "records" } else { "no records" };
        println!("  zone {}  {certificates}, {records}", zone.name);
    }
    Ok(())
}
