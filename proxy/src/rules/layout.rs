//! From a source's own layout to the one that is installed.

use super::error::RulesError;
use super::manifest::Manifest;
use super::tree::{Tree, read_folder};

/// The layouts in which CRS is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A release or a checkout of coreruleset, and what [`super::install()`] itself writes.
    Release,
    /// The Go module coraza-coreruleset.
    GoModule,
    /// Debian's package, unpacked or installed (`--from /`).
    Debian,
}

/// Renames the files of a source to the installed layout; what no layout knows is left out.
pub(super) fn normalise(tree: Tree, origin: &str) -> Result<Tree, RulesError> {
    let layout = detect(&tree).ok_or_else(|| RulesError::NotARuleSet {
        origin: origin.to_owned(),
    })?;
    Ok(tree
        .into_iter()
        .filter_map(|(name, content)| Some((layout.installed_name(&name)?, content)))
        .collect())
}

/// The manifest text of a folder in any known layout: how the files in `waf-rules/manifests/` are made.
pub fn manifest_of(folder: &std::path::Path) -> Result<String, RulesError> {
    let origin = folder.display().to_string();
    let tree = normalise(read_folder(folder)?, &origin)?;
    Ok(Manifest::text_of(&tree))
}

fn detect(tree: &Tree) -> Option<Layout> {
    let has = |name: &str| tree.contains_key(name);
    if has("rules/@crs-setup.conf.example") {
        Some(Layout::GoModule)
    } else if has("crs-setup.conf.example") {
        Some(Layout::Release)
    } else if has("etc/modsecurity/crs/crs-setup.conf") {
        Some(Layout::Debian)
    } else {
        None
    }
}

impl Layout {
    fn installed_name(self, name: &str) -> Option<String> {
        let wanted = match self {
            Layout::Release => name.to_owned(),
            Layout::GoModule => match name {
                "rules/@crs-setup.conf.example" => "crs-setup.conf.example".to_owned(),
                "rules/LICENSE" => "LICENSE".to_owned(),
                _ => match (
                    name.strip_prefix("rules/@owasp_crs/"),
                    name.strip_prefix("tests/"),
                ) {
                    (Some(rule), _) => format!("rules/{rule}"),
                    (_, Some(test)) => format!("tests/regression/tests/{test}"),
                    _ => return None,
                },
            },
            Layout::Debian => match name {
                "etc/modsecurity/crs/crs-setup.conf" => "crs-setup.conf.example".to_owned(),
                "usr/share/doc/modsecurity-crs/copyright" => "LICENSE".to_owned(),
                _ => name.strip_prefix("usr/share/modsecurity-crs/")?.to_owned(),
            },
        };
        is_installed_name(&wanted).then_some(wanted)
    }
}

/// The files that an installation holds: rules, their lists, tests, settings, licence.
fn is_installed_name(name: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    match name {
        "crs-setup.conf.example" | "LICENSE" => true,
        _ if name.starts_with("tests/regression/tests/") => ends(&[".yaml", ".yml"]),
        _ => name
            .strip_prefix("rules/")
            .is_some_and(|rest| !rest.contains('/') && ends(&[".conf", ".data"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str]) -> Vec<String> {
        let tree = files
            .iter()
            .map(|name| ((*name).to_owned(), Vec::new()))
            .collect();
        normalise(tree, "x").unwrap().into_keys().collect()
    }

    #[test]
    fn every_layout_ends_in_the_same_one() {
        let installed = [
            "LICENSE",
            "crs-setup.conf.example",
            "rules/A.conf",
            "rules/a.data",
        ];
        assert_eq!(
            names(&[
                "LICENSE",
                "crs-setup.conf.example",
                "rules/A.conf",
                "rules/a.data",
                "rules/B.conf.example",
                "tests/regression/README.md"
            ]),
            installed
        );
        assert_eq!(
            names(&[
                "rules/LICENSE",
                "rules/@crs-setup.conf.example",
                "rules/@coraza.conf-recommended",
                "rules/@owasp_crs/A.conf",
                "rules/@owasp_crs/a.data",
                "tests/tests.go",
            ]),
            installed
        );
        assert_eq!(
            names(&[
                "usr/share/doc/modsecurity-crs/copyright",
                "etc/modsecurity/crs/crs-setup.conf",
                "usr/share/modsecurity-crs/rules/A.conf",
                "usr/share/modsecurity-crs/rules/a.data",
            ]),
            installed
        );
    }

    #[test]
    fn tests_move_to_one_place() {
        let setup = "rules/@crs-setup.conf.example";
        assert!(
            names(&[setup, "tests/REQUEST-911/911100.yaml"])
                .contains(&"tests/regression/tests/REQUEST-911/911100.yaml".to_owned())
        );
    }

    #[test]
    fn a_folder_of_something_else_is_no_rule_set() {
        let tree = [("rules/a.conf".to_owned(), Vec::new())].into();
        assert!(matches!(
            normalise(tree, "x"),
            Err(RulesError::NotARuleSet { .. })
        ));
    }
}
