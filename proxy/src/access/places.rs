//! Where a client may be: addresses and countries.

use std::net::IpAddr;

use crate::config::{AddressPolicy, Country};

/// Why a client may not come from where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Its address.
    Address,
    /// Its country.
    Country,
}

/// Whether a client may come from `address`; `country` is asked only where it matters.
pub fn may_come(
    policy: &AddressPolicy,
    address: IpAddr,
    country: impl Fn() -> Option<Country>,
) -> Result<(), Refused> {
    if policy.deny.contains(address) {
        return Err(Refused::Address);
    }
    let country = if policy.asks_for_countries() {
        country()
    } else {
        None
    };
    if country.is_some_and(|country| policy.deny_countries.contains(&country)) {
        return Err(Refused::Country);
    }
    let of_allowed = |allowed: &Vec<Country>| country.is_some_and(|country| allowed.contains(&country));
    match (&policy.allow, &policy.allow_countries) {
        (None, None) => Ok(()),
        (Some(allow), _) if allow.contains(address) => Ok(()),
        (_, Some(allowed)) if of_allowed(allowed) => Ok(()),
        (_, Some(_)) => Err(Refused::Country),
        (Some(_), None) => Err(Refused::Address),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::config::load;
    use crate::config::testing::MemoryFiles;

    fn policy(lines: &str) -> Arc<AddressPolicy> {
        let text = format!(
            "[access]\ncountry_database = \"a.mmdb\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.test\"]\n\
             echo = true\n[routes.access]\n{lines}\n"
        );
        let files = MemoryFiles::default().with("p.toml", &text).with("a.mmdb", "");
        let config = load(Path::new("p.toml"), &files).unwrap();
        config.routes[0].access.addresses.clone().unwrap()
    }

    #[test]
    fn a_denial_counts_more_than_a_permission() {
        let home = "allow = [\"192.168.0.0/16\", \"2001:db8::/32\"]";
        let but_one = &format!("{home}\ndeny = [\"192.168.1.7\"]");
        let germany = "allow_countries = [\"de\"]";
        let both = &format!("{home}\n{germany}\ndeny_countries = [\"XX\"]");
        let address = Err(Refused::Address);
        let country = Err(Refused::Country);
        for (lines, client, code, expected) in [
            (home, "192.168.1.7", None, Ok(())),
            (home, "2001:db8::1", None, Ok(())),
            (home, "::ffff:192.168.1.7", None, Ok(())),
            (home, "203.0.113.1", None, address),
            (but_one, "192.168.1.7", None, address),
            (but_one, "192.168.1.8", None, Ok(())),
            ("deny = [\"203.0.113.0/24\"]", "203.0.113.1", None, address),
            ("deny = [\"203.0.113.0/24\"]", "203.0.114.1", None, Ok(())),
            (germany, "203.0.113.1", Some("DE"), Ok(())),
            (germany, "203.0.113.1", Some("FR"), country),
            (germany, "203.0.113.1", None, country),
            ("deny_countries = [\"FR\"]", "203.0.113.1", Some("FR"), country),
            ("deny_countries = [\"FR\"]", "203.0.113.1", None, Ok(())),
            (both, "192.168.1.7", None, Ok(())),
            (both, "203.0.113.1", Some("DE"), Ok(())),
            (both, "192.168.1.7", Some("XX"), country),
        ] {
            let code = code.map(|code: &str| Country([code.as_bytes()[0], code.as_bytes()[1]]));
            assert_eq!(
                may_come(&policy(lines), client.parse().unwrap(), || code),
                expected,
                "{lines} {client}"
            );
        }
    }
}
