//! A zone: its token, what the token may do, and who answers for the zone.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;

use super::Finding;
use crate::acme::Authorities;
use crate::cloudflare::{ApiError, Client, RecordPatch};
use crate::config::{Acme, Zone};
use crate::nameserver::ask;
use crate::secret::Secret;
use hickory_proto::op::Query;
use hickory_proto::rr::{Name, RecordType};

/// No record has it: asking to change it tells whether the token could.
const NO_RECORD: &str = "00000000000000000000000000000000";

const PATIENCE: Duration = Duration::from_secs(5);

/// Everything about one zone; stops where the rest depends on what failed.
pub(super) async fn examine(zone: &Zone, acme: &Acme) -> Vec<Finding> {
    let about = |what: &str| format!("zone {}, {what}", zone.name);
    let mut findings = Vec::new();
    let client = match Secret::read(&zone.token) {
        Ok(token) => Client::new(&zone.api, token),
        Err(error) => {
            let mend =
                "make a token at Cloudflare (Zone / Zone / Read and Zone / DNS / Edit) and put it there";
            findings.push(Finding::bad(about("token"), error.to_string(), mend));
            return findings;
        }
    };
    findings.push(token(&client, about("token")).await);
    let found = match client.zone(&zone.name).await {
        Ok(found) => found,
        Err(error) => {
            findings.push(refused(about("access"), &error));
            return findings;
        }
    };
    findings.push(match found.status.as_str() {
        "active" => Finding::good(about("access"), "the token sees it, and it is active"),
        status => Finding::bad(
            about("access"),
            format!("it is {status}"),
            format!(
                "set the name servers at the registrar: {}",
                found.name_servers.join(", ")
            ),
        ),
    });
    findings.push(editing(&client, &found.id, about("editing")).await);
    findings.push(match acme.nameservers.as_slice() {
        [] => servers(&zone.name, &found.name_servers, about("name servers")).await,
        instead => resolvers(&zone.name, instead, about("acme.nameservers")).await,
    });
    let told = Authorities::new(Vec::new()).delegation(&zone.name).await;
    findings.push(match told {
        Ok(told) => horizon(&told, &found.name_servers, about("split horizon")),
        Err(error) => Finding::doubtful(
            about("split horizon"),
            error.to_string(),
            "look at /etc/resolv.conf; without resolvers, name some in acme.nameservers",
        ),
    });
    let quota = client.quota();
    findings.extend(calls(quota.remaining, quota.limit, about("calls")));
    findings
}

/// Whether this network's resolvers lead to the servers that the world asks.
fn horizon(told: &[String], named: &[String], about: String) -> Finding {
    let plain = |names: &[String]| -> BTreeSet<String> {
        let names = names
            .iter()
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        names.collect()
    };
    if plain(told) == plain(named) {
        return Finding::good(about, "this network's resolvers lead to the same name servers");
    }
    let (told, named) = (told.join(", "), named.join(", "));
    Finding::doubtful(
        about,
        format!("this network's resolvers name {told}, Cloudflare {named}"),
        "if this network answers for the zone itself, hosts in it see other addresses than the world does; challenges \
         are looked for where the world looks, unless acme.nameservers says otherwise. If not: set Cloudflare's name \
         servers at the registrar",
    )
}

/// The API's limit of calls, if it told one.
fn calls(remaining: Option<u64>, limit: Option<u64>, about: String) -> Option<Finding> {
    let remaining = remaining?;
    let seen = match limit {
        Some(limit) => format!("{remaining} of {limit} are left in this window"),
        None => format!("{remaining} are left in this window"),
    };
    // A round takes two or three for a zone.
    let few = remaining < limit.map_or(20, |limit| limit / 20);
    Some(match few {
        true => Finding::doubtful(
            about,
            seen,
            "something else spends this token's calls, or the user's: give the edge a token of its own",
        ),
        false => Finding::good(about, seen),
    })
}

async fn token(client: &Client, about: String) -> Finding {
    match client.verify_token().await {
        Ok(token) if token.status == "active" => Finding::good(about, "valid"),
        Ok(token) => Finding::bad(
            about,
            format!("it is {}", token.status),
            "make a new one at Cloudflare",
        ),
        // Tokens of an account are verified elsewhere: what counts is whether the zone can be seen.
        Err(error) if error.is_auth() => Finding::doubtful(
            about,
            error.to_string(),
            "unless it is a token of an account and what follows is well, make a new one",
        ),
        Err(error) => refused(about, &error),
    }
}

/// Asks to change nothing in a record that is not there.
async fn editing(client: &Client, zone: &str, about: String) -> Finding {
    let nothing = RecordPatch {
        ttl: Some(1),
        ..RecordPatch::default()
    };
    match client.patch(zone, NO_RECORD, &nothing).await {
        Err(error) if error.is_absent() => Finding::good(about, "the token may change records"),
        Err(error) if error.is_auth() => Finding::bad(
            about,
            error.to_string(),
            "give the token Zone / DNS / Edit for this zone",
        ),
        Err(error) => refused(about, &error),
        Ok(_) => Finding::doubtful(
            about,
            "the API changed a record that cannot be there",
            "look at the zone",
        ),
    }
}

fn refused(about: String, error: &ApiError) -> Finding {
    let unreachable =
        "look whether names resolve here and HTTPS goes out; else Cloudflare's status page knows";
    let mend = error.advice().unwrap_or(unreachable);
    Finding::bad(about, error.to_string(), mend)
}

/// Whether the servers that Cloudflare names answer for the zone, and whether this network asks the same ones.
async fn servers(zone: &str, named: &[String], about: String) -> Finding {
    let mut silent = Vec::new();
    for server in named {
        if let Err(why) = answers_for(zone, server).await {
            silent.push(format!("{server}: {why}"));
        }
    }
    match (silent.len(), named.len()) {
        (_, 0) => Finding::doubtful(about, "Cloudflare names none", "look at the zone"),
        (0, _) => Finding::good(about, named.join(", ")),
        (some, all) if some < all => Finding::doubtful(
            about,
            silent.join("; "),
            "a challenge has to be seen at all of them: look whether this network lets DNS out",
        ),
        _ => Finding::bad(
            about,
            silent.join("; "),
            "let this host ask name servers directly (port 53, UDP and TCP), or set acme.nameservers to resolvers \
             outside",
        ),
    }
}

/// Whether those that the configuration names instead know the zone.
async fn resolvers(zone: &str, named: &[SocketAddr], about: String) -> Finding {
    let mut silent = Vec::new();
    for server in named {
        if let Err(why) = knows(zone, *server).await {
            silent.push(why);
        }
    }
    if silent.is_empty() {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        return Finding::good(about, named.join(", "));
    }
    Finding::bad(
        about,
        silent.join("; "),
        "a challenge has to be seen at all of them: name resolvers that can be reached, or leave acme.nameservers out",
    )
}

async fn knows(zone: &str, server: SocketAddr) -> Result<(), String> {
    let answer = ask(server, &authority(zone)?, true, PATIENCE).await;
    match answer {
        Ok(answer) if !answer.answers.is_empty() => Ok(()),
        Ok(_) => Err(format!("{server} knows no such zone")),
        Err(error) => Err(error.to_string()),
    }
}

fn authority(zone: &str) -> Result<Query, String> {
    let name = Name::from_ascii(format!("{zone}.")).map_err(|error| error.to_string())?;
    Ok(Query::query(name, RecordType::SOA))
}

async fn answers_for(zone: &str, server: &str) -> Result<(), String> {
    let found = lookup_host((server, 53))
        .await
        .map_err(|error| error.to_string())?;
    let addresses: BTreeSet<_> = found.collect();
    let question = authority(zone)?;
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match ask(address, &question, false, PATIENCE).await {
            // Something in between that answers everything (split horizon) is no authority.
            Ok(answer) if answer.metadata.authoritative && !answer.answers.is_empty() => return Ok(()),
            Ok(_) => last = format!("{address} does not answer for the zone"),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn dns_another_world_behind_this_networks_resolvers_is_told() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let named = names(&["Ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]);
        let same = names(&["bob.ns.cloudflare.com.", "ada.ns.cloudflare.com"]);
        assert_eq!(horizon(&same, &named, String::new()).verdict, Verdict::Good);
        let other = horizon(&names(&["fritz.box"]), &named, String::new());
        assert_eq!(other.verdict, Verdict::Doubtful);
        assert!(other.seen.contains("fritz.box"), "{other}");
    }

    #[test]
    fn dns_calls_that_run_out_are_told() {
        let verdict = |remaining, limit| Some(calls(remaining, limit, String::new())?.verdict);
        assert_eq!(verdict(None, Some(1200)), None);
        assert_eq!(verdict(Some(1000), Some(1200)), Some(Verdict::Good));
        assert_eq!(verdict(Some(59), Some(1200)), Some(Verdict::Doubtful));
        assert_eq!(verdict(Some(19), None), Some(Verdict::Doubtful));
    }
}
