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
    assert_eq!(config.routes[0].paths, [PathMatch::Prefix("/".to_owned()).into()]);
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

#[test]
fn a_route_says_only_what_differs() {
    let config = one(&format!(
        r#"
        [waf]
        mode = "detection-only"
        paranoia_level = 2
        detection_paranoia_level = 3
        request_body_limit = 1048576
        exclusions = [{{ tags = ["attack-protocol"], reason = "the monitor" }}]
        [upstream]
        connect_timeout = "1s"
        [[routes]]
        name = "shop"
        hosts = ["shop.example"]
        backends = ["http://10.0.0.5"]
        idle_timeout = "1h"
        [routes.waf]
        mode = "on"
        paranoia_level = 4
        on_engine_error = "allow"
        exclusions = [{{ rules = [942100, "942430-942432"], targets = ["args:note"], reason = "prose" }}]
        {ROUTE}"#
    ))
    .unwrap();
    let [shop, blog] = config.routes.as_slice() else {
        panic!("two routes")
    };
    let (shop_profile, blog_profile) = (&shop.waf.profile, &blog.waf.profile);

    assert_eq!(
        (shop.waf.mode, blog.waf.mode),
        (WafMode::On, WafMode::DetectionOnly)
    );
    assert_eq!((shop.waf.fail_closed, blog.waf.fail_closed), (false, true));
    assert_eq!(
        (shop.waf.request_body_limit, blog.waf.request_body_limit),
        (1 << 20, 1 << 20)
    );
    assert_eq!((shop_profile.paranoia_level, blog_profile.paranoia_level), (4, 2));
    // What blocks is detected: the inherited 3 does not hold the route's 4 back.
    assert_eq!(
        (
            shop_profile.detection_paranoia_level,
            blog_profile.detection_paranoia_level
        ),
        (4, 3)
    );

    assert_eq!(blog_profile.exclusions.len(), 1);
    let [monitor, prose] = shop_profile.exclusions.as_slice() else {
        panic!("both")
    };
    assert_eq!(
        monitor.rules,
        ExcludedRules::Tags(vec!["attack-protocol".to_owned()])
    );
    assert_eq!(
        prose.rules,
        ExcludedRules::Ids(vec![(942_100, 942_100), (942_430, 942_432)])
    );
    assert_eq!(prose.targets, ["ARGS:note"]);

    assert_eq!((shop.upstream.connect_timeout, blog.upstream.connect_timeout), {
        (Duration::from_secs(1), Duration::from_secs(1))
    });
    assert_eq!(shop.upstream.idle_timeout, Duration::from_secs(3600));
    assert_eq!(blog.upstream.idle_timeout, Duration::from_secs(300));
}

#[test]
fn paths_start_from_the_folder_of_the_file_that_names_them() {
    let app = r#"
        [[routes]]
        name = "shop"
        hosts = ["shop.example"]
        backends = ["https://10.0.0.5"]
        tls = { ca = "../tls/ca.pem", server_name = "Shop.internal" }
        waf = { seclang_after = ["shop.conf"] }
    "#;
    let files = MemoryFiles::default()
        .with("p.toml", "include = \"apps/shop.toml\"\n[tls]\ncertificates = [{ certificate = \"a.crt\", key = \"/k\" }]\n")
        .with("apps/shop.toml", app)
        .with("apps/shop.conf", "")
        .with("apps/../tls/ca.pem", "")
        .with("a.crt", "")
        .with("/k", "");
    let config = all(files).unwrap();
    assert_eq!(config.tls.certificates[0].certificate, PathBuf::from("a.crt"));
    assert_eq!(config.tls.certificates[0].key, PathBuf::from("/k"));
    assert!(config.tls.self_signed.is_empty());
    let [route] = config.routes.as_slice() else {
        panic!("one route")
    };
    assert_eq!(route.upstream.tls.ca, Some(PathBuf::from("apps/../tls/ca.pem")));
    assert_eq!(route.upstream.tls.server_name.as_deref(), Some("shop.internal"));
    assert_eq!(route.waf.profile.seclang_after, [PathBuf::from("apps/shop.conf")]);
}

#[test]
fn listeners_as_the_file_says() {
    let listen = "[listen]\nhttps = [\"127.0.0.1:0\", \"[::1]:8443\"]\nhttp = []\nadmin = false\n";
    let config = one(&format!("{listen}{ROUTE}")).unwrap();
    assert_eq!(config.listen.admin, None);
    assert!(config.listen.http.is_empty());
    assert_eq!(config.listen.redirect_port, 0);
    let config = one(&format!(
        "{listen}redirect_port = 443\nmax_connections = 1_000\n[server]\nworkers = +3\n{ROUTE}"
    ))
    .unwrap();
    assert_eq!(
        (config.listen.redirect_port, config.listen.max_connections),
        (443, 1000)
    );
    assert_eq!(config.server.workers.map(|workers| workers.get()), Some(3));
}

#[test]
fn hosts_and_paths_are_in_their_one_form() {
    let route = r#"
        [[routes]]
        name = "a"
        hosts = ["Bücher.Example.", "*.Apps.example", "[0::1]"]
        paths = ["/api/", { exact = "/%7Eme/" }]
        echo = true
    "#;
    let config = one(route).unwrap();
    let hosts: Vec<String> = config.routes[0].hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["xn--bcher-kva.example", "*.apps.example", "[::1]"]);
    let paths = [
        RoutePath::from(PathMatch::Prefix("/api".to_owned())),
        PathMatch::Exact("/~me/".to_owned()).into(),
    ];
    assert_eq!(config.routes[0].paths, paths);
}

#[test]
fn an_entry_that_cannot_be_read_is_one_error() {
    assert_eq!(
        all(MemoryFiles::default()),
        Err("p.toml:1:1: cannot read p.toml: no such file".to_owned())
    );
}

#[cfg(unix)]
#[test]
fn a_config_map_is_read_through_its_links() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("..2026_01")).unwrap();
    std::os::unix::fs::symlink("..2026_01", path("..data")).unwrap();
    for (name, text) in [
        ("p.toml", "include = \"*.route.toml\"\n"),
        ("a.route.toml", ROUTE),
    ] {
        std::fs::write(path("..data").join(name), text).unwrap();
        std::os::unix::fs::symlink(PathBuf::from("..data").join(name), path(name)).unwrap();
    }
    let config = load(&path("p.toml"), &DiskFiles).unwrap();
    assert_eq!(config.files, [path("p.toml"), path("a.route.toml")]);
}
