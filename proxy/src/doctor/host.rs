//! This host: its storage, its secrets' files, its ports.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Finding;
use crate::config::{Config, SecretSource};

/// Everything about this host.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![storage(&config.server.data_dir)];
    findings.extend(keys(&config.server.data_dir));
    let secrets = config.zones.iter().map(|zone| &zone.token);
    let secrets = secrets.chain(config.acme.eab.iter().map(|eab| &eab.key));
    findings.extend(secrets.filter_map(exposed));
    findings.extend(ports(config).await);
    findings
}

/// Keys are kept there: it has to take files, and show them to nobody else. One that is not there yet is not made here:
/// it would belong to whoever asks, and not to the user that the edge runs as.
fn storage(data_dir: &Path) -> Finding {
    let about = format!("storage {}", data_dir.display());
    let mend = "make the folder, owned by the user that the edge runs as, or set [server].data_dir";
    let nearest = data_dir.ancestors().find(|folder| folder.exists());
    let nearest = nearest.unwrap_or(Path::new("."));
    if let Err(error) = tempfile::NamedTempFile::new_in(nearest) {
        return Finding::bad(about, error.to_string(), mend);
    }
    match mode(data_dir) {
        Some(mode) if mode & 0o002 != 0 => Finding::bad(
            about,
            format!("everybody may write there (mode {mode:o})"),
            format!("chmod o-w {}", data_dir.display()),
        ),
        Some(_) => Finding::good(about, "writable"),
        None => Finding::good(about, "not there yet, and can be made"),
    }
}

/// Keys, accounts and orders that others on this host may read: an edge writes none so, but copying may.
fn keys(data_dir: &Path) -> Vec<Finding> {
    let mut open = Vec::new();
    let mut folders = vec![data_dir.join("certificates"), data_dir.join("acme")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let Ok(found) = path.symlink_metadata() else {
                continue;
            };
            let secret = path.extension().is_some_and(|end| end == "key" || end == "json");
            if found.is_dir() {
                folders.push(path);
            } else if secret && found.is_file() && found.permissions().mode() & 0o077 != 0 {
                open.push(path);
            }
        }
    }
    let told = open.iter().map(|path| {
        let path = path.display();
        Finding::bad(
            format!("secret {path}"),
            "others than its owner may read it",
            format!("chmod 600 {path}"),
        )
    });
    told.collect()
}

fn exposed(source: &SecretSource) -> Option<Finding> {
    let SecretSource::File(path) = source else {
        return None;
    };
    let mode = mode(path).filter(|mode| mode & 0o004 != 0)?;
    Some(Finding::doubtful(
        format!("secret {}", path.display()),
        format!("everybody on this host may read it (mode {mode:o})"),
        format!("chmod o-r {}", path.display()),
    ))
}

fn mode(path: &Path) -> Option<u32> {
    let found = std::fs::metadata(path).ok()?;
    Some(found.permissions().mode() & 0o7777)
}

/// Whether something listens, or could. What a router does with connections from outside cannot be seen from inside.
async fn ports(config: &Config) -> Vec<Finding> {
    let all = config.listen.https.iter().chain(&config.listen.http);
    let bound = all.filter(|address| address.port() != 0).map(|address| {
        let about = format!("port {}", address.port());
        match std::net::TcpListener::bind(address) {
            Ok(_) => Finding::good(about, "free for the edge to listen on"),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                Finding::good(about, "something listens on it: the edge, if it runs")
            }
            Err(error) => Finding::bad(
                about,
                error.to_string(),
                "give the edge CAP_NET_BIND_SERVICE, or a port above 1023 that the router maps to",
            ),
        }
    });
    bound.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn certificates_storage_that_cannot_be_written_or_that_all_can_write_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(storage(folder.path()).verdict, Verdict::Good);
        let later = folder.path().join("later/data");
        assert_eq!(storage(&later).verdict, Verdict::Good);
        assert!(!folder.path().join("later").exists());
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let open = storage(folder.path());
        assert_eq!(open.verdict, Verdict::Bad);
        assert!(open.mend.unwrap().starts_with("chmod o-w "));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(storage(&file.join("data")).verdict, Verdict::Bad);
    }

    #[test]
    fn certificates_keys_that_others_can_read_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let version = folder.path().join("certificates/example.com/versions/1");
        std::fs::create_dir_all(&version).unwrap();
        assert_eq!(keys(folder.path()), []);
        for (file, mode) in [("tls.crt", 0o644), ("tls.key", 0o600)] {
            let path = version.join(file);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }
        assert_eq!(keys(folder.path()), []);
        let key = version.join("tls.key");
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
        let found = keys(folder.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].mend, Some(format!("chmod 600 {}", key.display())));
    }

    #[test]
    fn dns_a_token_that_all_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "t").unwrap();
        for (mode, told) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(
                exposed(&SecretSource::File(path.clone())).is_some(),
                told,
                "{mode:o}"
            );
        }
        assert_eq!(exposed(&SecretSource::Env("TOKEN".to_owned())), None);
    }
}
