//! A `[[routes]]` entry, as an operator would write it.

use std::fmt::Write;

use super::Upstream;
use super::upstream::{DeadPort, SilentPort};

/// One route. The WAF is on unless it is told otherwise, as in the product.
#[derive(Debug, Clone)]
pub struct Route {
    name: String,
    hosts: Vec<String>,
    paths: Option<String>,
    backends: Vec<String>,
    lines: Vec<String>,
    waf: Vec<String>,
    rest: String,
}

/// What can be a backend.
pub trait Backend {
    /// Its URL.
    fn backend(&self) -> String;
}

impl Backend for Upstream {
    fn backend(&self) -> String {
        self.url()
    }
}

impl Backend for DeadPort {
    fn backend(&self) -> String {
        self.url()
    }
}

impl Backend for SilentPort {
    fn backend(&self) -> String {
        self.url()
    }
}

impl Backend for &str {
    fn backend(&self) -> String {
        self.to_string()
    }
}

impl Route {
    /// A route of that name for `NAME.test`, without backends yet.
    pub fn new(name: &str) -> Self {
        Route {
            name: name.to_owned(),
            hosts: vec![format!("{name}.test")],
            paths: None,
            backends: Vec::new(),
            lines: Vec::new(),
            waf: Vec::new(),
            rest: String::new(),
        }
    }

    /// Other hosts.
    pub fn hosts(mut self, hosts: &[&str]) -> Self {
        self.hosts = hosts.iter().map(|host| host.to_string()).collect();
        self
    }

    /// The `paths` of the route as TOML.
    pub fn paths(mut self, toml: &str) -> Self {
        self.paths = Some(toml.to_owned());
        self
    }

    /// One more backend.
    pub fn to(mut self, backend: &impl Backend) -> Self {
        self.backends.push(format!("{:?}", backend.backend()));
        self
    }

    /// One more backend, with a weight.
    pub fn weighted(mut self, backend: &impl Backend, weight: u32) -> Self {
        let url = backend.backend();
        self.backends
            .push(format!("{{ url = {url:?}, weight = {weight} }}"));
        self
    }

    /// One more line of the entry itself.
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// One more line of `[routes.waf]`.
    pub fn waf(mut self, line: &str) -> Self {
        self.waf.push(line.to_owned());
        self
    }

    /// The WAF does not look.
    pub fn unguarded(self) -> Self {
        self.waf(r#"mode = "off""#)
    }

    /// One exclusion: the lines of a `[[routes.waf.exclusions]]`.
    pub fn except(mut self, lines: &str) -> Self {
        self.rest += &format!("[[routes.waf.exclusions]]\n{lines}\n");
        self
    }

    /// Tables that follow, as they are.
    pub fn and(mut self, toml: &str) -> Self {
        self.rest.push_str(toml);
        self.rest.push('\n');
        self
    }

    /// Its hosts without wildcards.
    pub fn exact_hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts
            .iter()
            .map(String::as_str)
            .filter(|host| !host.starts_with('*'))
    }

    /// The entry.
    pub fn toml(&self) -> String {
        let mut toml = format!("[[routes]]\nname = {:?}\nhosts = {:?}\n", self.name, self.hosts);
        if let Some(paths) = &self.paths {
            writeln!(toml, "paths = {paths}").unwrap();
        }
        match self.backends.is_empty() {
            true => toml += "echo = true\n",
            false => writeln!(toml, "backends = [{}]", self.backends.join(", ")).unwrap(),
        }
        for line in &self.lines {
            writeln!(toml, "{line}").unwrap();
        }
        if !self.waf.is_empty() {
            writeln!(toml, "[routes.waf]\n{}", self.waf.join("\n")).unwrap();
        }
        toml + &self.rest
    }
}
