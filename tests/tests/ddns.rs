//! A home in network namespaces: Debian's miniupnpd is the router, the edge is a host behind it. What has to happen
//! inside the home is a test of its own here, which the others run there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use palisade::ddns::detect::router::{Protocol, Router, ask, detect};
use palisade::ddns::{Family, HostWatch};

/// A router and a host behind it, each a namespace. Dropped, they are gone.
struct Home {
    router: String,
    host: String,
    folder: tempfile::TempDir,
    upnpd: Option<Child>,
}

impl Home {
    /// A home whose router has this address outside; none, with the reason printed, where it cannot be built.
    fn build(test: &str, outside: &str) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let id = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = Self {
            router: format!("ddns-router-{id}"),
            host: format!("ddns-host-{id}"),
            folder: tempfile::tempdir().unwrap(),
            upnpd: None,
        };
        match home.cable(outside) {
            Ok(()) => Some(home),
            Err(why) => {
                // The right to make namespaces is the machine's to give.
                eprintln!("skipped {test}: no network namespaces: {why}");
                None
            }
        }
    }

    fn cable(&self, outside: &str) -> Result<(), String> {
        let (router, host) = (&self.router, &self.host);
        for command in [
            format!("netns add {router}"),
            format!("netns add {host}"),
            format!("-n {router} link add lan0 type veth peer name eth0 netns {host}"),
            format!("-n {router} link add wan0 type veth peer name line0"),
            format!("-n {router} addr add {outside}/24 dev wan0"),
            format!("-n {router} addr add 192.168.77.1/24 dev lan0"),
            format!("-n {router} link set lo up"),
            format!("-n {router} link set lan0 up"),
            format!("-n {router} link set line0 up"),
            format!("-n {router} link set wan0 up"),
            format!("-n {host} addr add 192.168.77.2/24 dev eth0"),
            format!("-n {host} link set lo up"),
            format!("-n {host} link set eth0 up"),
            format!("-n {host} route add default via 192.168.77.1"),
        ] {
            ip(&command)?;
        }
        Ok(())
    }

    /// Starts miniupnpd on the router; false, with the reason printed, where it is missing.
    fn serve(&mut self, test: &str, upnp: bool, nat_pmp: bool) -> bool {
        let yes = |on| if on { "yes" } else { "no" };
        let config = format!(
            "ext_ifname=wan0\nlistening_ip=lan0\nenable_upnp={}\nenable_natpmp={}\nsecure_mode=yes\n\
             uuid=a60c1160-37f4-44c7-ad69-8afa600e01b2\nallow 1-65535 192.168.77.0/24 1-65535\n",
            yes(upnp),
            yes(nat_pmp)
        );
        let path = self.folder.path().join("miniupnpd.conf");
        fs::write(&path, config).unwrap();
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let daemon = ["/usr/sbin/miniupnpd", "/usr/local/sbin/miniupnpd"];
        let Some(daemon) = daemon.into_iter().find(|path| fs::exists(path).unwrap_or(false)) else {
            // `make setup` installs what a build needs, not this.
            eprintln!("skipped {test}: miniupnpd is not installed (Debian package miniupnpd)");
            return false;
        };
        let child = Command::new("ip")
            .args(["netns", "exec", &self.router, daemon, "-d", "-f"])
            .arg(&path)
            .arg("-P")
            .arg(self.folder.path().join("pid"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.upnpd = Some(child);
        // The last that it says when it starts.
        self.await_line(match nat_pmp {
            true => "Listening for NAT-PMP/PCP traffic",
            false => "HTTP listening on port",
        });
        true
    }

    fn make_room_for_mappings(&self) -> Result<(), String> {
        let path = self.folder.path().join("mappings.nft");
        fs::write(&path, MAPPINGS).unwrap();
        self.on_the_router(&format!("nft -f {}", path.display()))
            .map(drop)
    }

    fn on_the_router(&self, command: &str) -> Result<String, String> {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.router])
            .args(command.split(' '))
            .output()
            .map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(said(&output)),
            false => Err(said(&output)),
        }
    }

    fn await_line(&self, line: &str) {
        for _ in 0..100 {
            if self.log().contains(line) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("miniupnpd did not start:\n{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What a test of this file says when it runs on the host.
    fn inside(&self, test: &str) -> String {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.host])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}\n{}", said(&output), self.log());
        said(&output)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(child) = &mut self.upnpd {
            let _ = child.kill();
            let _ = child.wait();
        }
        for namespace in [&self.router, &self.host] {
            let _ = ip(&format!("netns del {namespace}"));
        }
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("ip: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {arguments}: {}", said(&output).trim())),
    }
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
#[ignore = "runs within a home of the other tests"]
fn inside_the_router_is_asked() {
    let found = runtime().block_on(detect(Family::Ipv4, Router::new(None), Duration::from_secs(5)));
    match found {
        Ok(address) => println!("found: {address}"),
        Err(error) => println!("found none: {error}"),
    }
}

#[test]
#[ignore = "runs within a home of the other tests"]
fn inside_each_protocol_is_asked_alone() {
    for protocol in [Protocol::Igd, Protocol::NatPmp, Protocol::Pcp] {
        let found = runtime().block_on(async {
            let found = ask(protocol, Router::new(None), Duration::from_secs(5)).await;
            // What was mapped is taken back meanwhile.
            tokio::time::sleep(Duration::from_secs(1)).await;
            found
        });
        match found {
            Ok(address) => println!("{protocol}: {address}"),
            Err(error) => println!("{protocol}: none: {error}"),
        }
    }
}

#[test]
#[ignore = "runs within a home of the other tests"]
fn inside_the_host_is_watched() {
    runtime().block_on(async {
        let mut watch = HostWatch::new();
        for (change, seen) in [
            // An address that means something on the link only, and a route that is not the way out.
            ("-6 addr add fe80::77/64 dev eth0 nodad", false),
            ("route add 10.0.0.0/8 via 192.168.77.1", false),
            ("addr add 192.168.77.3/24 dev eth0", true),
            ("-6 addr add fd00::77/64 dev eth0 nodad", true),
            ("route del default", true),
            ("route add default via 192.168.77.1", true),
        ] {
            ip(change).unwrap();
            let waited = tokio::time::timeout(Duration::from_secs(4), watch.changed()).await;
            println!(
                "{change}: {}",
                if waited.is_ok() { "seen" } else { "passed over" }
            );
            assert_eq!(waited.is_ok(), seen, "{change}");
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn ddns_miniupnpd_tells_the_address_outside() {
    let test = "ddns_miniupnpd_tells_the_address_outside";
    for (upnp, nat_pmp) in [(true, true), (true, false), (false, true)] {
        let Some(mut home) = Home::build(test, "93.184.216.34") else {
            return;
        };
        if !home.serve(test, upnp, nat_pmp) {
            return;
        }
        let said = home.inside("inside_the_router_is_asked");
        assert!(
            said.contains("found: 93.184.216.34\n"),
            "UPnP {upnp}, NAT-PMP {nat_pmp}: {said}"
        );
    }
}

/// What Debian's nft_init.sh makes: where the daemon puts mappings, without which PCP tells nothing.
const MAPPINGS: &str = "table inet filter {
    chain miniupnpd { }
    chain forward { type filter hook forward priority 0; jump miniupnpd; }
    chain prerouting_miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting_miniupnpd { }
    chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
}
";

/// The daemon speaks all three; each of them alone is enough.
#[test]
fn ddns_miniupnpd_tells_the_address_outside_by_each_protocol_alone() {
    let test = "ddns_miniupnpd_tells_the_address_outside_by_each_protocol_alone";
    let Some(mut home) = Home::build(test, "93.184.216.34") else {
        return;
    };
    let maps = match home.make_room_for_mappings() {
        Ok(()) => true,
        Err(why) => {
            eprintln!("{test}: PCP is left out: no nftables (Debian package nftables): {why}");
            false
        }
    };
    if !home.serve(test, true, true) {
        return;
    }
    let said = home.inside("inside_each_protocol_is_asked_alone");
    for protocol in ["UPnP IGD", "NAT-PMP", "PCP"] {
        let tells = said.contains(&format!("{protocol}: 93.184.216.34\n"));
        assert!(tells || protocol == "PCP" && !maps, "{said}\n{}", home.log());
    }
    if maps {
        let mapped = home.on_the_router("nft list ruleset").unwrap();
        assert!(!mapped.contains("192.168.77.2"), "a mapping is left: {mapped}");
    }
}

#[test]
fn ddns_miniupnpd_behind_carrier_grade_nat_gives_no_address_to_publish() {
    let test = "ddns_miniupnpd_behind_carrier_grade_nat_gives_no_address_to_publish";
    let Some(mut home) = Home::build(test, "100.64.3.4") else {
        return;
    };
    if !home.serve(test, true, true) {
        return;
    }
    let said = home.inside("inside_the_router_is_asked");
    assert!(
        said.contains("found none: the router has no public address itself"),
        "{said}"
    );
}

#[test]
fn ddns_a_home_without_port_mapping_gets_no_address() {
    let test = "ddns_a_home_without_port_mapping_gets_no_address";
    let Some(home) = Home::build(test, "93.184.216.34") else {
        return;
    };
    let said = home.inside("inside_the_router_is_asked");
    assert!(said.contains("found none: UPnP IGD: "), "{said}");
    assert!(said.contains("; NAT-PMP: "), "{said}");
    assert!(said.contains("; PCP: "), "{said}");
}

#[test]
fn ddns_a_changed_host_is_noticed() {
    let Some(home) = Home::build("ddns_a_changed_host_is_noticed", "93.184.216.34") else {
        return;
    };
    home.inside("inside_the_host_is_watched");
}
