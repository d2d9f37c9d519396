//! Our side: the wishes as routes of a configuration, and one round of the edge's records.

use std::fmt::Write as _;
use std::path::Path;

use palisade::config::{self, Config};
use palisade::config_files::DiskFiles;
use palisade::dns::{Addresses, Found, How, Records, desired};

use super::zone::ZONE;
use super::{Case, Want};
use crate::cloudflare::FakeCloudflare;

/// Carries the wishes out in the zone of the fake.
pub(super) async fn write(case: &Case, wants: &[Want], fake: &FakeCloudflare) {
    // The token in it is read in each round.
    let folder = tempfile::tempdir().unwrap();
    let config = config(case, wants, fake, folder.path());
    let found = Addresses {
        v4: Found::None,
        v6: Found::None,
    };
    let desired = desired(&config.routes, &config.zones, &config.dns, &found);
    // external-dns has no guard.
    let how = How {
        allow_deletes: true,
        ..How::default()
    };
    let mut records = Records::new();
    let outcome = records.round(&desired, &config.zones, &config.dns, how).await;
    assert!(outcome.is_ok(), "{}: {outcome:?}", case.name);
}

fn config(case: &Case, wants: &[Want], fake: &FakeCloudflare, folder: &Path) -> Config {
    let token = folder.join("token");
    std::fs::write(&token, fake.token()).unwrap();
    let zone = format!(
        "[[zones]]\nname = \"{ZONE}\"\ntoken = {token:?}\napi = \"{}\"\n",
        fake.base_url()
    );
    // A configuration has at least one route; this one is of no zone.
    let mut text = route(&Want::new("elsewhere.test", &["192.0.2.1"]));
    wants.iter().for_each(|want| text.push_str(&route(want)));
    text.push_str(&settings(case));
    text.push_str(&zone);
    let path = folder.join("palisade.toml");
    std::fs::write(&path, text).unwrap();
    config::load(&path, &DiskFiles).unwrap_or_else(|errors| panic!("{}: {errors}", case.name))
}

fn route(want: &Want) -> String {
    let Want { host, targets, .. } = want;
    let name = want.route();
    let mut text = format!(
        "[[routes]]\nname = \"{name}\"\nhosts = [\"{host}\"]\nbackends = [\"http://127.0.0.1:1\"]\n\
         [routes.dns]\ntargets = {targets:?}\n"
    );
    if let Some(ttl) = want.ttl {
        writeln!(text, "ttl = {ttl}").unwrap();
    }
    if let Some(proxied) = want.proxied {
        writeln!(text, "proxied = {proxied}").unwrap();
    }
    text
}

fn settings(case: &Case) -> String {
    let mut text = format!(
        "[dns]\nowner = \"{}\"\npolicy = \"{}\"\n",
        case.owner, case.policy
    );
    let names = [
        ("txt_prefix", case.prefix),
        ("txt_suffix", case.suffix),
        ("txt_wildcard_replacement", case.wildcard),
    ];
    for (key, value) in names.into_iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(text, "{key} = \"{value}\"").unwrap();
    }
    text
}
