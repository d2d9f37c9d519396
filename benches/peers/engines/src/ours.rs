//! The engine of this project, compiled by the edge's own code from a route's policy.

use std::sync::Arc;

use palisade::profile::{Profile, Profiles};
use palisade_bench_engine::inspect::inspect;
use palisade_benches::policy;
use palisade_bench_engine::requests::Request;

use crate::engine::Engine;

pub struct Ours(Arc<Profile>);

impl Ours {
    pub fn load() -> Result<Self, String> {
        let profiles = Profiles::new();
        profiles.open(policy::installed().map_err(|error| error.to_string())?);
        let policy = policy::at_level(1).map_err(|error| error.to_string())?;
        let profile = policy::compile(&profiles, &policy).map_err(|error| error.to_string())?;
        Ok(Self(profile))
    }
}

impl Engine for Ours {
    fn name(&self) -> &'static str {
        "palisade"
    }

    fn stops(&self, request: &Request) -> Result<bool, String> {
        Ok(inspect(self.0.rules(), request).interruption().is_some())
    }
}
