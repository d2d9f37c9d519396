//! `palisade ip`: what each method says the public address is, and what would be published.

use std::path::Path;

use super::{Failed, block_on, load, output, say};
use crate::ddns::Addresses;

/// Looks once, remembers nothing; fails if there is doubt.
pub(super) fn run(config: &Path) -> Result<(), Failed> {
    let config = load(config)?;
    let look = block_on(async {
        Addresses::new(config.ddns.clone(), &config.server.data_dir)
            .look()
            .await
    })?;
    output::line(look.to_string().trim_end());
    match look.is_certain() {
        true => Ok(()),
        false => Err(say("there is doubt: what is published stays as it is")),
    }
}
