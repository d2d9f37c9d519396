//! `tar.gz` archives, bounded: read into memory, never unpacked to names that the archive chose.

use std::io::Read;
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use tar::EntryType;

use super::error::RulesError;
use super::tree::{MAX_FILE_BYTES, MAX_FILES, MAX_TREE_BYTES, Tree, is_kept};

/// What comes out of the decompressor at most, kept or not: a bound on bombs.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The files of a `tar.gz` that may be part of a rule set. `origin` is for messages.
pub(super) fn read(bytes: &[u8], origin: &str) -> Result<Tree, RulesError> {
    let fail = |reason: String| RulesError::Archive {
        origin: origin.to_owned(),
        reason,
    };
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Err(fail(
            "not a gzip file; expected a .tar.gz of a CRS release".to_owned(),
        ));
    }
    let unpacked = GzDecoder::new(bytes).take(MAX_UNPACKED_BYTES);
    let mut archive = tar::Archive::new(unpacked);
    let mut tree = Tree::new();
    let mut kept_bytes = 0u64;
    let entries = archive.entries().map_err(|error| fail(error.to_string()))?;
    for (index, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| fail(format!("damaged archive: {error}")))?;
        if index >= MAX_FILES {
            return Err(fail(format!("more than {MAX_FILES} entries")));
        }
        let path = entry
            .path()
            .map_err(|error| fail(error.to_string()))?
            .into_owned();
        let Some(name) = plain_name(&path).map_err(|()| fail(format!("{}: unsafe name", path.display())))?
        else {
            continue;
        };
        if !is_kept(&name) || entry.header().entry_type() == EntryType::Directory {
            continue;
        }
        if !entry.header().entry_type().is_file() {
            return Err(fail(format!("{name}: links and special files are refused")));
        }
        kept_bytes = kept_bytes.saturating_add(entry.size());
        if entry.size() > MAX_FILE_BYTES || kept_bytes > MAX_TREE_BYTES {
            return Err(fail(format!("{name}: more data than any rule set has")));
        }
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .map_err(|error| fail(format!("{name}: {error}")))?;
        tree.insert(name, content);
    }
    Ok(tree)
}

/// The name without the release's top folder (`coreruleset-4.28.0/`), if there is one; `None` for an entry
/// that has no name of its own, an error for one that leads out of the archive.
fn plain_name(path: &Path) -> Result<Option<String>, ()> {
    let mut components = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => components.push(name.to_str().ok_or(())?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(()),
        }
    }
    let whole = components.join("/");
    let inner = components.get(1..).unwrap_or_default().join("/");
    let name = if is_kept(&whole) || inner.is_empty() {
        whole
    } else {
        inner
    };
    Ok((!name.is_empty()).then_some(name))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// A `tar.gz` of these entries; a name is written as it is, safe or not.
    pub(crate) fn tar_gz(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn reason(entries: &[(&str, EntryType, &[u8])]) -> String {
        read(&tar_gz(entries), "x.tar.gz").unwrap_err().to_string()
    }

    #[test]
    fn the_top_folder_is_left_out_and_other_files_are_not_kept() {
        let bytes = tar_gz(&[
            ("coreruleset-4.28.0/", EntryType::Directory, b""),
            (
                "coreruleset-4.28.0/rules/a.conf",
                EntryType::Regular,
                b"SecMarker A",
            ),
            ("coreruleset-4.28.0/regex-assembly/a.ra", EntryType::Regular, b"x"),
            ("./LICENSE", EntryType::Regular, b"Apache"),
        ]);
        let tree = read(&bytes, "x").unwrap();
        assert_eq!(tree.keys().collect::<Vec<_>>(), ["LICENSE", "rules/a.conf"]);
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../rules/a.conf", "/rules/a.conf", "top/../../rules/a.conf"] {
            assert!(
                reason(&[(name, EntryType::Regular, b"x")]).contains("unsafe name"),
                "{name}"
            );
        }
    }

    #[test]
    fn links_and_large_files_are_refused() {
        assert!(reason(&[("rules/a.conf", EntryType::Symlink, b"")]).contains("links and special files"));
        let large = vec![b'x'; MAX_FILE_BYTES as usize + 1];
        assert!(reason(&[("rules/a.conf", EntryType::Regular, &large)]).contains("more data"));
    }

    #[test]
    fn what_is_no_archive_is_said_so() {
        assert!(
            read(b"PK\x03\x04", "x.zip")
                .unwrap_err()
                .to_string()
                .contains("not a gzip file")
        );
        assert!(
            read(&GZIP_MAGIC, "x")
                .unwrap_err()
                .to_string()
                .contains("damaged")
        );
    }
}
