//! `palisade health`.

use std::path::Path;

use super::{Failed, admin};

/// Asks the admin listener for /healthz.
pub(super) fn run(config: &Path) -> Result<(), Failed> {
    admin::ask(config, "/healthz").map(drop)
}
