//! Which coding a client would have (RFC 9110 section 12.5.3). Pure.

use http::{HeaderMap, header};

use crate::config::Coding;

/// Its name in Accept-Encoding and Content-Encoding.
pub(super) fn name(coding: Coding) -> &'static str {
    match coding {
        Coding::Zstd => "zstd",
        Coding::Brotli => "br",
        Coding::Gzip => "gzip",
    }
}

/// Of `ours`, best first, the one that the client likes most; none where it takes none, or likes the plain body more.
pub(super) fn preferred(headers: &HeaderMap, ours: &[Coding]) -> Option<Coding> {
    let wishes = wishes(headers);
    let named = |name: &str| {
        wishes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, weight)| *weight)
    };
    let any = named("*");
    let weight = |coding: Coding| {
        let alias = (coding == Coding::Gzip).then(|| named("x-gzip")).flatten();
        named(name(coding)).or(alias).or(any).unwrap_or(0)
    };
    // Unnamed it is acceptable, and never in front of what is named.
    let plain = named("identity").unwrap_or(0);
    let mut best: Option<(Coding, u16)> = None;
    for coding in ours {
        let weight = weight(*coding);
        if weight > 0 && weight >= plain && best.is_none_or(|(_, other)| weight > other) {
            best = Some((*coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// Names in lower case and their weights in thousandths; what is malformed is no wish.
fn wishes(headers: &HeaderMap) -> Vec<(String, u16)> {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    let items = texts.flat_map(|line| line.split(','));
    items.filter_map(wish).collect()
}

fn wish(item: &str) -> Option<(String, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => super::super::accept::thousandths(parameter)?,
    };
    Some((name, weight))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::config::Coding::*;

    #[test]
    fn the_client_has_the_say_and_then_our_order() {
        let ours = [Zstd, Brotli, Gzip];
        for (line, expected) in [
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip, deflate, br", Some(Brotli)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("gzip;q=1.0, br;q=0.5", Some(Gzip)),
            ("br;q=0, gzip;q=0.001", Some(Gzip)),
            ("*", Some(Zstd)),
            ("*;q=0.5, zstd;q=0", Some(Brotli)),
            ("identity", None),
            ("identity;q=0.5, gzip;q=0.4", None),
            ("identity;q=0.5, gzip;q=0.5", Some(Gzip)),
            ("deflate", None),
            ("gzip;q=0", None),
            ("gzip;q=2", None),
            ("gzip;q=-1", None),
            ("gzip;q=x", None),
            ("gzip;level=9", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(line).unwrap());
            assert_eq!(preferred(&headers, &ours), expected, "{line}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &ours), None);
    }
}
