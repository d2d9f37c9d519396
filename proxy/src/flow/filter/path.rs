//! Another path for a request. Pure.

use crate::config::{PathChange, PathMatch, RoutePath, normalized_path};

/// The changed path, and the prefix that was taken away without another in its place.
pub(super) fn rewritten(change: &PathChange, paths: &[RoutePath], sent: &str) -> (String, Option<String>) {
    let path = normalized_path(sent);
    match change {
        PathChange::Full(full) => (full.clone(), None),
        PathChange::Prefix(with) => {
            let prefix = longest_prefix(paths, &path);
            // A prefix is the whole path, or ends in front of a slash.
            let rest = path.get(prefix.len()..).unwrap_or_default();
            let stripped = (with.is_empty() && !prefix.is_empty()).then(|| prefix.to_owned());
            (rooted(format!("{with}{rest}")), stripped)
        }
        PathChange::Regex(pattern, with) => {
            let changed = pattern.regex().replace_all(&path, with.as_str());
            (rooted(changed.into_owned()), None)
        }
    }
}

/// The path with the query of the request.
pub(super) fn with_query(path: String, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

/// The prefix that the route was chosen by, without a trailing slash: empty for `/`.
fn longest_prefix<'p>(paths: &'p [RoutePath], path: &str) -> &'p str {
    let prefixes = paths.iter().filter_map(|known| match known {
        RoutePath::Plain(PathMatch::Prefix(prefix)) if prefix != "/" => Some(prefix.as_str()),
        _ => None,
    });
    let holds = |prefix: &&str| {
        let rest = path.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    prefixes
        .filter(holds)
        .max_by_key(|prefix| prefix.len())
        .unwrap_or("")
}

/// Two slashes in front would be a host to many readers.
fn rooted(path: String) -> String {
    match path.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => path,
        _ => format!("/{}", path.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pattern;

    fn prefixes(paths: &[&str]) -> Vec<RoutePath> {
        let prefix = |path: &&str| PathMatch::Prefix(path.to_string()).into();
        paths.iter().map(prefix).collect()
    }

    /// The table of the Gateway API's HTTPPathModifier; what ends with a slash in the file does not when it is read.
    #[test]
    fn a_prefix_is_replaced_by_segments() {
        for (path, prefix, with, expected) in [
            ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
            ("/foo", "/foo", "/xyz", "/xyz"),
            ("/foo/", "/foo", "/xyz", "/xyz/"),
            ("/foo/bar", "/foo", "", "/bar"),
            ("/foo/", "/foo", "", "/"),
            ("/foo", "/foo", "", "/"),
            ("/foo/bar", "/", "/xyz", "/xyz/foo/bar"),
            ("/foo/bar", "/", "", "/foo/bar"),
            ("/%66oo//bar", "/foo", "/xyz", "/xyz/bar"),
            ("/x/../foo/%2Fevil.example", "/foo", "", "/%2Fevil.example"),
        ] {
            let change = PathChange::Prefix(with.to_owned());
            let (changed, _) = rewritten(&change, &prefixes(&[prefix]), path);
            assert_eq!(changed, expected, "{path} {prefix} {with}");
        }
        let change = PathChange::Prefix(String::new());
        let paths = prefixes(&["/a", "/a/b", "/"]);
        assert_eq!(
            rewritten(&change, &paths, "/a/b/c"),
            ("/c".to_owned(), Some("/a/b".to_owned()))
        );
        assert_eq!(rewritten(&change, &paths, "/c"), ("/c".to_owned(), None));
    }

    #[test]
    fn what_an_expression_matches_is_replaced() {
        let pattern = Pattern::new(regex::Regex::new("^/v([0-9]+)/|\\.php").unwrap());
        for (path, with, expected) in [
            ("/v2/a.php", "/$1/", "/2/a//"),
            ("/v2//x", "/api/", "/api/x"),
            ("/other", "/api/", "/other"),
            ("/v2//x", "", "/x"),
        ] {
            let change = PathChange::Regex(pattern.clone(), with.to_owned());
            assert_eq!(rewritten(&change, &[], path).0, expected, "{path} {with}");
        }
    }
}
