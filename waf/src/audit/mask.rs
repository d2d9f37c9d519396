//! What must not stand in a log in clear.

use std::sync::LazyLock;

use regex::Regex;

use crate::transaction::MatchedVariable;
use crate::variables::Variable;

/// What stands for a secret.
pub(super) const MASK: &str = "[masked]";

const SECRET_HEADERS: [&str; 6] = [
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
];

/// Parts of an argument's name that tell of a secret.
const SECRET_PARTS: [&str; 13] = [
    "passwd",
    "password",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "private_key",
    "credential",
    "authorization",
];

/// Whole names that do: parts of them stand in too many harmless ones (`pin` in `shipping`). The last
/// component counts, as in `json.user.pin`.
const SECRET_NAMES: [&str; 8] = ["pass", "pin", "otp", "cvv", "cvc", "ssn", "auth", "jwt"];

/// Whether the header's value is a secret.
pub(super) fn is_secret_header(name: &[u8]) -> bool {
    SECRET_HEADERS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

/// Whether the value of a matched variable is a secret.
pub(super) fn is_secret(matched: &MatchedVariable) -> bool {
    let key = matched.key.as_deref().unwrap_or_default();
    match matched.variable {
        Variable::Args | Variable::ArgsGet | Variable::ArgsPost | Variable::ResponseArgs => {
            is_secret_argument(key)
        }
        Variable::RequestHeaders | Variable::ResponseHeaders => is_secret_header(key),
        Variable::RequestCookies | Variable::FullRequest => true,
        Variable::MatchedVars => is_secret_match(key),
        _ => false,
    }
}

/// Whether a variable can hold what another one held.
pub(super) fn may_carry_another(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Tx | Variable::MatchedVar | Variable::MatchedVars
    )
}

/// The text with the values of secret arguments masked, wherever it looks like a query, a form or JSON.
pub(super) fn text(text: &str) -> String {
    let Some(arguments) = ARGUMENTS.as_ref() else {
        return MASK.to_owned();
    };
    let masked = arguments.replace_all(text, |found: &regex::Captures<'_>| {
        let part = |name| found.name(name).map_or("", |part| part.as_str());
        let name = [part("name"), part("field")].concat();
        match is_secret_argument(name.as_bytes()) {
            true => [part("before"), part("before2"), MASK].concat(),
            false => found[0].to_owned(),
        }
    });
    masked.into_owned()
}

/// `name=value` up to the next separator, or `"name": "value"`.
static ARGUMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x) (?P<before> (?P<name>[\w.%\[\]-]{1,128}) = ) [^&;\s"']*
         | (?P<before2> "(?P<field>[^"]{1,128})" \s*:\s* ) "(?:[^"\\]|\\.)*"? "#,
    )
    .ok()
});

fn is_secret_match(name: &[u8]) -> bool {
    let Some(colon) = name.iter().position(|&byte| byte == b':') else {
        return false;
    };
    let (variable, key) = (&name[..colon], &name[colon + 1..]);
    match variable {
        b"REQUEST_COOKIES" => true,
        b"REQUEST_HEADERS" | b"RESPONSE_HEADERS" => is_secret_header(key),
        _ => variable.starts_with(b"ARGS") && !variable.ends_with(b"NAMES") && is_secret_argument(key),
    }
}

fn is_secret_argument(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let last = name
        .rsplit(['.', '[', ':'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(']');
    SECRET_PARTS.iter().any(|part| name.contains(part)) || SECRET_NAMES.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(variable: Variable, key: &str) -> MatchedVariable {
        MatchedVariable {
            link: 0,
            variable,
            key: Some(key.as_bytes().to_vec()),
            value: b"x".to_vec(),
        }
    }

    #[test]
    fn names_tell_of_secrets() {
        for name in [
            "password",
            "user[Password]",
            "json.login.pwd",
            "new_passwd",
            "csrfToken",
            "API_KEY",
            "json.card.pin",
            "pass",
        ] {
            assert!(is_secret_argument(name.as_bytes()), "{name}");
        }
        for name in ["q", "shipping", "compass", "author", "description", "opinion", ""] {
            assert!(!is_secret_argument(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn queries_forms_and_json_lose_their_secrets_and_nothing_else() {
        for (clear, masked) in [
            (
                "GET /?q=1&password=a%20b&x=2 HTTP/1.1",
                "GET /?q=1&password=[masked]&x=2 HTTP/1.1",
            ),
            ("token=abc", "token=[masked]"),
            (
                r#"{"user": "u", "password": "a\"b", "n": 1}"#,
                r#"{"user": "u", "password": [masked], "n": 1}"#,
            ),
            ("nothing to see = here", "nothing to see = here"),
        ] {
            assert_eq!(text(clear), masked);
        }
    }

    #[test]
    fn cookies_and_credentials_are_secret_whatever_their_name() {
        assert!(is_secret(&matched(Variable::RequestCookies, "lang")));
        assert!(is_secret(&matched(Variable::RequestHeaders, "AUTHORIZATION")));
        assert!(is_secret(&matched(Variable::MatchedVars, "ARGS:password")));
        assert!(!is_secret(&matched(Variable::MatchedVars, "ARGS_NAMES:password")));
        assert!(!is_secret(&matched(Variable::RequestHeaders, "User-Agent")));
    }
}
