//! What options of background services look like.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::host;
use crate::config::decode::Fault;
use crate::config::ready::{Detection, DnsTarget, HostId, SecretSource, Whoami};

/// What [`parse_url`] reads.
pub(in crate::config) const URL: &str = "a URL such as \"https://api.example.com/v4\"";
/// What [`parse_directory`] reads.
pub(in crate::config) const DIRECTORY: &str =
    "\"letsencrypt\", \"letsencrypt-staging\", \"zerossl\", \"google\" or the URL of an ACME directory";
/// What [`parse_email`] reads.
pub(in crate::config) const EMAIL: &str = "an e-mail address";
/// What [`parse_word`] reads.
pub(in crate::config) const WORD: &str = "a word without white space";
/// What [`parse_common_name`] reads.
pub(in crate::config) const COMMON_NAME: &str = "the common name of a certificate such as \"ISRG Root X1\"";
/// What [`parse_owner`] reads.
pub(in crate::config) const OWNER: &str = "a word without white space, `,`, `=` and `\"`";
/// What [`parse_affix`] reads.
pub(in crate::config) const AFFIX: &str =
    "letters, digits, `-`, `_` and `.`, with `%{record_type}` for the type of the record";
/// What [`parse_label`] reads.
pub(in crate::config) const LABEL: &str = "letters, digits, `-` and `_`";
/// What [`parse_target`] reads.
pub(in crate::config) const TARGET: &str = "an IP address or a hostname";
/// What [`parse_server`] reads.
pub(in crate::config) const SERVER: &str = "an address, with a port if it is not 53";
/// What [`parse_whoami`] reads.
pub(in crate::config) const WHOAMI: &str =
    "\"cloudflare@1.1.1.1\", \"opendns@208.67.222.222\" or \"cloudflare@\" and the URL of a DNS server";
/// What [`parse_host_id`] reads.
pub(in crate::config) const HOST_ID: &str = "the lower half of an IPv6 address such as \"::a1:b2:c3:d4\"";
/// What [`parse_detection`] reads.
pub(in crate::config) const DETECTION: &str =
    "\"https\", \"dns\", \"router\", \"interface\", \"interface:NAME\" or an IP address";

/// An http or https URL, without a trailing slash.
pub(in crate::config) fn parse_url(text: &str) -> Result<String, Fault> {
    let url: http::Uri = text.parse().map_err(|_| Fault::new("not a URL"))?;
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        (Some("http" | "https"), Some(_)) => Err(Fault::new("a URL with credentials ends up in logs")),
        (None, _) if !text.contains("://") => {
            Err(Fault::new("no scheme").suggesting(format!("https://{text}")))
        }
        _ => Err(Fault::new("neither http nor https")),
    }
}

/// The same as it is written: what stands at its end may matter to who is asked.
pub(in crate::config) fn parse_whole_url(text: &str) -> Result<String, Fault> {
    parse_url(text).map(|_| text.to_owned())
}

/// The URL of an ACME directory, or the name of a CA that is known.
pub(in crate::config) fn parse_directory(text: &str) -> Result<String, Fault> {
    let known = match text {
        "letsencrypt" => "https://acme-v02.api.letsencrypt.org/directory",
        "letsencrypt-staging" => "https://acme-staging-v02.api.letsencrypt.org/directory",
        "zerossl" => "https://acme.zerossl.com/v2/DV90",
        "google" => "https://dv.acme-v02.api.pki.goog/directory",
        url if url.starts_with("https://") => return parse_url(url),
        _ => return Err(Fault::new("neither a known CA nor an https URL")),
    };
    Ok(known.to_owned())
}

/// An address for the account; the CA is who judges it.
pub(in crate::config) fn parse_email(text: &str) -> Result<String, Fault> {
    let bare = text.strip_prefix("mailto:").unwrap_or(text);
    match bare.split_once('@') {
        Some((user, domain))
            if !user.is_empty() && domain.contains('.') && !bare.contains(char::is_whitespace) =>
        {
            Ok(bare.to_owned())
        }
        _ => Err(Fault::new("not an e-mail address")),
    }
}

/// A word.
pub(in crate::config) fn parse_word(text: &str) -> Result<String, Fault> {
    match text {
        "" => Err(Fault::new("empty")),
        text if text.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            Err(Fault::new("white space"))
        }
        text => Ok(text.to_owned()),
    }
}

/// A certificate's common name.
pub(in crate::config) fn parse_common_name(text: &str) -> Result<String, Fault> {
    match text.trim() {
        "" => Err(Fault::new("empty")),
        text if text.contains(char::is_control) => Err(Fault::new("a control character")),
        text => Ok(text.to_owned()),
    }
}

/// Who we are in ownership records: a value between `=` and `,`.
pub(in crate::config) fn parse_owner(text: &str) -> Result<String, Fault> {
    match parse_word(text)? {
        word if word.contains([',', '=', '"', '\\']) => Err(Fault::new("it would break the record's text")),
        word => Ok(word),
    }
}

/// A prefix or suffix of ownership records' names.
pub(in crate::config) fn parse_affix(text: &str) -> Result<String, Fault> {
    let rest = text.replace("%{record_type}", "");
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match text {
        "" => Err(Fault::new("empty")),
        _ if rest.bytes().all(fits) => Ok(text.to_ascii_lowercase()),
        _ => Err(Fault::new("not part of a name")),
    }
}

/// What stands for `*`.
pub(in crate::config) fn parse_label(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match text.len() {
        1..=63 if text.bytes().all(fits) => Ok(text.to_ascii_lowercase()),
        _ => Err(Fault::new("not a label of a name")),
    }
}

/// An address or a name.
pub(in crate::config) fn parse_target(text: &str) -> Result<DnsTarget, Fault> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(DnsTarget::Address(address)),
        Err(_) => host::parse_name(text).map(DnsTarget::Name),
    }
}

/// An address of a name server; port 53 if none is written.
pub(in crate::config) fn parse_server(text: &str) -> Result<SocketAddr, Fault> {
    let with_port = text.parse::<SocketAddr>();
    with_port
        .or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| Fault::new("not an address"))
}

/// A server that tells who asks, and in which way.
pub(in crate::config) fn parse_whoami(text: &str) -> Result<Whoami, Fault> {
    let (kind, server) = text.split_once('@').ok_or_else(|| Fault::new("no `@`"))?;
    if kind == "cloudflare" && server.contains("://") {
        return parse_url(server).map(Whoami::CloudflareHttps);
    }
    let server = parse_server(server)?;
    match kind {
        "cloudflare" => Ok(Whoami::Cloudflare(server)),
        "opendns" => Ok(Whoami::OpenDns(server)),
        _ => Err(Fault::new("unknown kind")),
    }
}

/// Which host it is behind a prefix of 64 bits.
pub(in crate::config) fn parse_host_id(text: &str) -> Result<HostId, Fault> {
    let address: Ipv6Addr = text.parse().map_err(|_| Fault::new("not an IPv6 address"))?;
    match u64::try_from(u128::from(address)) {
        Ok(0) => Err(Fault::new("it names no host")),
        Ok(id) => Ok(HostId(id)),
        Err(_) => Err(Fault::new(
            "the upper half is the prefix, which the provider changes",
        )),
    }
}

/// How an address is found.
pub(in crate::config) fn parse_detection(text: &str) -> Result<Detection, Fault> {
    match text.split_once(':') {
        Some(("interface", name)) if !name.is_empty() => Ok(Detection::Interface(Some(name.to_owned()))),
        _ => match text {
            "https" => Ok(Detection::Https),
            "dns" => Ok(Detection::Dns),
            "router" => Ok(Detection::Router),
            "interface" => Ok(Detection::Interface(None)),
            address => address
                .parse()
                .map(Detection::Fixed)
                .map_err(|_| Fault::new("unknown method")),
        },
    }
}

/// A file, by its path, or an environment variable. A text that is neither may be the secret itself.
pub(in crate::config) fn parse_secret(text: &str) -> Result<SecretSource, Fault> {
    match text.strip_prefix("env:") {
        Some(name) if is_variable(name) => Ok(SecretSource::Env(name.to_owned())),
        Some(_) => Err(Fault::new("not the name of a variable")),
        None if text.contains('/') && !text.contains(['\0', '\n']) => Ok(SecretSource::File(text.into())),
        None => Err(Fault::new(
            "neither a path (with a `/`) nor `env:NAME`; a secret itself has no place here",
        )),
    }
}

fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(fits)
}
