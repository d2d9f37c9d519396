use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{all, one};
use crate::config::testing::MemoryFiles;
use crate::config::*;
use crate::config_files::DiskFiles;

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn the_quickstart_serves_the_echo_behind_the_waf() {
    let entry = repository("config/quickstart.toml");
    let config = load(&entry, &DiskFiles).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.listen.https, ["127.0.0.1:8443".parse().unwrap()]);
    assert_eq!(config.listen.redirect_port, 8443);
    assert_eq!(config.tls.self_signed, ["localhost", "*.localhost"]);
    assert_eq!(config.server.data_dir, repository("config/../data"));
    assert_eq!(config.waf.rules, repository("config/../data/crs"));
    assert_eq!(config.files, [entry]);
    let [route] = config.routes.as_slice() else {
        panic!("one route")
    };
    assert_eq!(route.upstream.target, UpstreamTarget::Echo);
    assert_eq!((route.waf.mode, route.waf.fail_closed), (WafMode::On, true));
}

const ROUTE: &str =
    "[[routes]]\nname = \"blog\"\nhosts = [\"blog.example\"]\nbackends = [\"http://10.0.0.5\"]\n";

#[test]
fn a_route_alone_is_a_configuration() {
    let config = one(ROUTE).unwrap();
    assert_eq!(config.server.grace, Duration::from_secs(25));
    assert_eq!(config.listen.https, ["[::]:443".parse().unwrap()]);
    assert_eq!(config.listen.redirect_port, 443);
    assert_eq!(config.tls.self_signed, ["localhost", "*.localhost"]);
    assert_eq!(config.routes[0].paths, [PathMatch::Prefix("/".to_owned())]);
    assert_eq!(config.routes[0].waf.request_body_limit, 13_107_200);
}

#[test]
fn each_app_owns_one_file() {
    let files = MemoryFiles::default()
        .with(
            "p.toml",
            "include = \"conf.d/*.toml\"\n[waf]\nparanoia_level = 2\n",
        )
        .with("conf.d/wiki.toml", &ROUTE.replace("blog", "wiki"))
        .with("conf.d/blog.toml", ROUTE)
        .with("conf.d/blog.toml~", "an editor's")
        .with("conf.d/.hidden.toml", "!");
    let config = all(files).unwrap();
    let names: Vec<_> = config.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names, ["blog", "wiki"]);
    let files = ["p.toml", "conf.d/blog.toml", "conf.d/wiki.toml"].map(PathBuf::from);
    assert_eq!(config.files, files);
    assert_eq!(config.routes[0].waf.profile.paranoia_level, 2);
}

#[test]
fn equal_profiles_are_one() {
    let other =
        ROUTE.replace("blog", "wiki") + "waf = { paranoia_level = 2, request_body_limit = \"1MiB\" }\n";
    let third = ROUTE.replace("blog", "shop") + "waf = { paranoia_level = 2, inspect_responses = true }\n";
    let config = one(&format!("{ROUTE}{other}{third}")).unwrap();
    let profile = |at: usize| &config.routes[at].waf.profile;
    assert!(!Arc::ptr_eq(profile(0), profile(1)));
    assert!(Arc::ptr_eq(profile(1), profile(2)));
    assert_eq!(config.routes[1].waf.request_body_limit, 1 << 20);
}
