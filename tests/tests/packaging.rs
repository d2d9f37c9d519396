//! What the image, the manifests and the unit say, held against each other and against the product.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use palisade::config::{self, Config, FileSource};
use palisade_tests::sources::repository;
use serde_norway::Value;

const DEPLOYMENT: &str = "config/kubernetes/loadbalancer/deployment.yaml";
const DAEMONSET: &str = "config/kubernetes/hostport/daemonset.yaml";
const WORKLOADS: [&str; 2] = [DEPLOYMENT, DAEMONSET];

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_norway::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The value at `a.b.0.c`; null where there is none.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    path.split('.')
        .fold(value, |value, step| match step.parse::<usize>() {
            Ok(index) => value.get(index).unwrap_or(&NOTHING),
            Err(_) => value.get(step).unwrap_or(&NOTHING),
        })
}

fn pod(workload: &Value) -> &Value {
    at(workload, "spec.template.spec")
}

fn container(workload: &Value) -> &Value {
    at(workload, "spec.template.spec.containers.0")
}

/// The files of a ConfigMap, as a pod sees them; every other file is there and can be read.
struct Mounted(BTreeMap<String, String>);

impl FileSource for Mounted {
    fn read(&self, path: &Path) -> io::Result<String> {
        let name = path.file_name().unwrap().to_string_lossy();
        self.0
            .get(name.as_ref())
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn names(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn readable(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn load(files: BTreeMap<String, String>) -> Config {
    let entry = Path::new("/etc/palisade/palisade.toml");
    config::load(entry, &Mounted(files)).unwrap_or_else(|errors| panic!("{errors}"))
}

fn cluster_config() -> Config {
    let map = yaml("config/kubernetes/base/configmap.yaml");
    let data = at(&map, "data").as_mapping().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    load(
        data.iter()
            .map(|(name, content)| (text(name), text(content)))
            .collect(),
    )
}

fn image_config() -> Config {
    load(BTreeMap::from([(
        "palisade.toml".to_owned(),
        text("config/container.toml"),
    )]))
}

fn ports(addresses: &[SocketAddr]) -> Vec<u64> {
    addresses
        .iter()
        .map(|address| u64::from(address.port()))
        .collect()
}

/// The number of a named container port.
fn named_port(workload: &Value, name: &str) -> u64 {
    let ports = at(container(workload), "ports").as_sequence().unwrap();
    let port = ports
        .iter()
        .find(|port| at(port, "name") == name)
        .unwrap_or_else(|| panic!("no port {name}"));
    at(port, "containerPort").as_u64().unwrap()
}

#[test]
fn pods_offer_the_ports_that_the_configuration_listens_on() {
    let listen = cluster_config().listen;
    for path in WORKLOADS {
        let workload = yaml(path);
        assert_eq!(ports(&listen.https), [named_port(&workload, "https")], "{path}");
        assert_eq!(ports(&listen.http), [named_port(&workload, "http")], "{path}");
        let admin = listen.admin.unwrap();
        assert_eq!(u64::from(admin.port()), named_port(&workload, "admin"), "{path}");
        assert!(
            admin.ip().is_unspecified(),
            "the kubelet does not come from loopback"
        );
        assert!(
            listen.https.iter().all(|address| address.port() >= 1024),
            "no capability for lower ports"
        );
    }
    assert_eq!(listen.redirect_port, 443);
}

#[test]
fn the_service_leads_to_them_and_the_admin_port_stays_inside() {
    let service = yaml("config/kubernetes/loadbalancer/service.yaml");
    assert_eq!(at(&service, "spec.type"), "LoadBalancer");
    assert_eq!(
        at(&service, "spec.externalTrafficPolicy"),
        "Local",
        "or the client's address is lost"
    );
    let workload = yaml(DEPLOYMENT);
    let mut offered = Vec::new();
    for port in at(&service, "spec.ports").as_sequence().unwrap() {
        named_port(&workload, at(port, "targetPort").as_str().unwrap());
        offered.push((
            at(port, "port").as_u64().unwrap(),
            at(port, "targetPort").as_str().unwrap(),
        ));
    }
    assert_eq!(offered, [(443, "https"), (80, "http")]);
    assert_eq!(
        at(&service, "spec.selector"),
        at(&workload, "spec.template.metadata.labels")
    );

    let on_hosts = yaml(DAEMONSET);
    let ports = at(container(&on_hosts), "ports").as_sequence().unwrap();
    let offered: Vec<_> = ports
        .iter()
        .filter_map(|port| at(port, "hostPort").as_u64())
        .collect();
    assert_eq!(offered, [443, 80]);
}

#[test]
fn probes_ask_what_the_admin_listener_answers() {
    for path in WORKLOADS {
        let workload = yaml(path);
        for (probe, wanted) in [
            ("startupProbe", "/readyz"),
            ("readinessProbe", "/readyz"),
            ("livenessProbe", "/healthz"),
        ] {
            let get = at(container(&workload), &format!("{probe}.httpGet"));
            assert_eq!(at(get, "path"), wanted, "{path} {probe}");
            assert_eq!(at(get, "port"), "admin", "{path} {probe}");
        }
    }
}

#[test]
fn pods_are_without_privileges() {
    for path in WORKLOADS {
        let workload = yaml(path);
        let context = at(pod(&workload), "securityContext");
        assert_eq!(at(context, "runAsNonRoot"), &Value::Bool(true), "{path}");
        assert_eq!(at(context, "runAsUser").as_u64(), Some(65532), "{path}");
        assert_eq!(at(context, "seccompProfile.type"), "RuntimeDefault", "{path}");
        let context = at(container(&workload), "securityContext");
        assert_eq!(
            at(context, "allowPrivilegeEscalation"),
            &Value::Bool(false),
            "{path}"
        );
        assert_eq!(
            at(context, "readOnlyRootFilesystem"),
            &Value::Bool(true),
            "{path}"
        );
        assert_eq!(at(context, "capabilities.drop.0"), "ALL", "{path}");
        assert_eq!(at(context, "capabilities.add"), &Value::Null, "{path}");
        assert_eq!(
            at(pod(&workload), "automountServiceAccountToken"),
            &Value::Bool(false),
            "{path}"
        );
    }
}

#[test]
fn a_pod_has_time_to_drain_and_room_for_bodies() {
    let config = cluster_config();
    for path in WORKLOADS {
        let workload = yaml(path);
        let granted = at(pod(&workload), "terminationGracePeriodSeconds")
            .as_u64()
            .unwrap();
        let asleep = at(container(&workload), "lifecycle.preStop.sleep.seconds")
            .as_u64()
            .unwrap();
        let needed = config.server.grace + Duration::from_secs(asleep);
        assert!(
            Duration::from_secs(granted) > needed,
            "{path}: {granted} s for {needed:?}"
        );
        let limit = at(container(&workload), "resources.limits.memory")
            .as_str()
            .unwrap();
        let gibibytes: usize = limit.strip_suffix("Gi").unwrap().parse().unwrap();
        assert!(gibibytes << 30 >= 2 * config.waf.body_memory, "{path}: {limit}");
    }
}

#[test]
fn what_the_configuration_names_is_mounted_or_in_the_image() {
    let config = cluster_config();
    for path in WORKLOADS {
        let workload = yaml(path);
        let mounts = at(container(&workload), "volumeMounts").as_sequence().unwrap();
        let mounted = |wanted: &Path, read_only: bool| {
            mounts.iter().any(|mount| {
                wanted.starts_with(at(mount, "mountPath").as_str().unwrap())
                    && (at(mount, "readOnly") == &Value::Bool(true)) == read_only
            })
        };
        assert!(
            mounted(&config.server.data_dir, false),
            "{path}: data_dir must be writable"
        );
        assert!(
            mounted(
                Path::new(at(container(&workload), "args.2").as_str().unwrap()),
                true
            ),
            "{path}"
        );
        for pair in &config.tls.certificates {
            assert!(
                mounted(&pair.certificate, true) && mounted(&pair.key, true),
                "{path}: {pair:?}"
            );
        }
        let volumes = at(pod(&workload), "volumes").as_sequence().unwrap();
        for mount in mounts {
            assert!(
                volumes
                    .iter()
                    .any(|volume| at(volume, "name") == at(mount, "name")),
                "{path}: {mount:?}"
            );
        }
        assert!(
            !mounted(&config.waf.rules, false),
            "{path}: a volume would hide the rules of the image"
        );
    }
}

#[test]
fn the_image_holds_what_its_configuration_names() {
    let image = image_config();
    let dockerfile = text("Dockerfile");
    let has = |line: &str| assert!(dockerfile.lines().any(|found| found == line), "no line {line}");
    has(&format!("COPY --from=build /crs {}", image.waf.rules.display()));
    has(&format!("VOLUME {}", image.server.data_dir.display()));
    has("COPY config/container.toml /etc/palisade/palisade.toml");
    has("USER 65532:65532");
    let [https, http] = [&image.listen.https, &image.listen.http].map(|addresses| ports(addresses)[0]);
    has(&format!("EXPOSE {https} {http}"));
    assert!(dockerfile.contains("HEALTHCHECK") && dockerfile.contains("\"health\""));
    assert!(image.listen.admin.unwrap().ip().is_loopback());
    assert_eq!(image.waf.rules, cluster_config().waf.rules);
    assert_eq!(ports(&image.listen.https), ports(&cluster_config().listen.https));
}

#[test]
fn the_unit_grants_one_capability_and_time_to_drain() {
    let unit = text("config/systemd/palisade.service");
    let values = |key: &str| -> Vec<String> {
        let lines = unit.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value.to_owned())
            .collect()
    };
    for key in ["AmbientCapabilities", "CapabilityBoundingSet"] {
        assert_eq!(values(key), ["CAP_NET_BIND_SERVICE"], "{key}");
    }
    for (key, value) in [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("MemoryDenyWriteExecute", "yes"),
        ("User", "palisade"),
    ] {
        assert_eq!(values(key), [value], "{key}");
    }
    let defaults = load(BTreeMap::from([(
        "palisade.toml".to_owned(),
        "[[routes]]\nname = \"a\"\nhosts = [\"a.example\"]\necho = true\n".to_owned(),
    )]));
    let stop: u64 = values("TimeoutStopSec")[0].trim_end_matches('s').parse().unwrap();
    assert!(Duration::from_secs(stop) > defaults.server.grace);
    assert_eq!(
        values("ExecStart"),
        ["/usr/bin/palisade run --config /etc/palisade/palisade.toml"]
    );
    let state = format!("/var/lib/{}", values("StateDirectory")[0]);
    assert_eq!(defaults.server.data_dir, Path::new(&state));
}

/// In namespaces of its own, so that nothing is changed outside: a read-only root, one writable folder, no
/// capability, and a clean end at SIGTERM.
const CONFINED: &str = r#"
set -eu
mkdir "$DATA/root"
mount --rbind / "$DATA/root"
mount -t tmpfs tmpfs "$DATA/root/$DATA"
mount -o remount,bind,ro "$DATA/root"
cd "$DATA/root"
chroot . touch "$DATA/writable"
chroot . touch /palisade-was-here 2>/dev/null && exit 2
chroot . setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs \
    "$PALISADE" run --config "$CONFIG" &
edge=$!
for _ in $(seq 300); do
    if "$PALISADE" health --config "$CONFIG" 2>/dev/null; then healthy=1; break; fi
    kill -0 $edge || exit 1
    sleep 0.1
done
[ "${healthy:-}" = 1 ]
grep -q '^CapEff:.*[1-9a-f]' /proc/$edge/status && exit 3
kill -TERM $edge
wait $edge
"#;

#[test]
fn the_binary_serves_without_any_privilege_and_ends_cleanly() {
    let Some(binary) = std::env::var_os("PALISADE_TEST_BINARY") else {
        return skip("PALISADE_TEST_BINARY is not set: `make test` sets it");
    };
    let unshare = Command::new("unshare").args(["-rm", "true"]).output();
    if !unshare.is_ok_and(|output| output.status.success()) {
        return skip("no user namespaces on this machine");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let config = folder.path().join("palisade.toml");
    // Free a moment ago, and the kernel does not hand it out again so soon.
    let admin = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let text = text("config/container.toml")
        .replace("/var/lib/palisade", &data.display().to_string())
        .replace("\"[::]:8443\"", "\"127.0.0.1:0\"")
        .replace("\"[::]:8080\"", "\"127.0.0.1:0\"")
        .replace("[listen]\n", &format!("[listen]\nadmin = \"{admin}\"\n"))
        .replace("[waf]\n", "[waf]\nmode = \"off\"\n");
    fs::write(&config, text).unwrap();
    let output = Command::new("unshare")
        .args(["-rm", "bash", "-c", CONFINED])
        .env("PALISADE", binary)
        .env("CONFIG", &config)
        .env("DATA", &data)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&said)
    );
}

fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped the_binary_serves_without_any_privilege_and_ends_cleanly: {why}");
}

/// The patch of `config/kubernetes/certificates` fits what it patches.
#[test]
fn certificates_that_a_pod_orders_outlive_it() {
    let (base, patch) = (
        yaml(DEPLOYMENT),
        yaml("config/kubernetes/certificates/deployment.yaml"),
    );
    assert_eq!(at(&base, "metadata"), &{
        let mut metadata = at(&patch, "metadata").clone();
        metadata["labels"] = at(&base, "metadata.labels").clone();
        metadata
    });
    assert_eq!(
        at(&patch, "spec.replicas"),
        &Value::from(1),
        "no leader is elected yet"
    );
    assert_eq!(at(container(&patch), "name"), at(container(&base), "name"));
    let volumes = |workload: &Value| at(pod(workload), "volumes").as_sequence().unwrap().clone();
    let named = |volumes: &[Value], name: &str| {
        let mut volumes = volumes.iter();
        volumes
            .find(|volume| at(volume, "name") == name)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (volumes(&base), volumes(&patch));
    let data = named(&after, "data");
    assert!(!named(&before, "data").is_null());
    assert!(
        data.get("emptyDir").is_some_and(Value::is_null),
        "it is taken away"
    );
    let claim = yaml("config/kubernetes/certificates/volume.yaml");
    assert_eq!(
        at(&data, "persistentVolumeClaim.claimName"),
        at(&claim, "metadata.name")
    );
    assert_eq!(at(&claim, "metadata.namespace"), at(&base, "metadata.namespace"));
    for mount in at(container(&patch), "volumeMounts").as_sequence().unwrap() {
        let name = at(mount, "name").as_str().unwrap();
        assert!(!named(&after, name).is_null(), "{name}");
    }
}
