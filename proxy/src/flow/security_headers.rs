//! Headers of answers that tell browsers what not to do, as the route has them.

use http::{HeaderMap, HeaderName, header};
use pingora_error::Result;
use pingora_http::ResponseHeader;

use super::context::RequestContext;
use crate::config::SecurityHeaders;

/// Puts them into the application's answer. What the application says itself stays, unless the route says otherwise.
pub(super) fn complete(context: &RequestContext, answer: &mut ResponseHeader) -> Result<()> {
    match context
        .route
        .as_deref()
        .map(|route| &route.route.security_headers)
    {
        Some(headers) if !headers.is_empty() => apply(headers, answer),
        _ => Ok(()),
    }
}

/// The same for any answer.
pub(super) fn apply(headers: &SecurityHeaders, answer: &mut ResponseHeader) -> Result<()> {
    for name in &headers.remove {
        answer.remove_header(name);
    }
    let stays =
        |answer: &ResponseHeader, name: &HeaderName| !headers.overwrite && answer.headers.contains_key(name);
    for (name, value) in &headers.set {
        if !stays(answer, name) {
            answer.insert_header(name.clone(), value.clone())?;
        }
    }
    let Some(frames) = &headers.frames else {
        return Ok(());
    };
    if headers.overwrite || !says_who_may_frame(&answer.headers) {
        answer.insert_header(header::X_FRAME_OPTIONS, frames.options.clone())?;
        // Beside a policy of the application's own: browsers hold to both.
        answer.append_header(header::CONTENT_SECURITY_POLICY, frames.policy.clone())?;
    }
    Ok(())
}

fn says_who_may_frame(headers: &HeaderMap) -> bool {
    let says = |policy: &str| policy.to_ascii_lowercase().contains("frame-ancestors");
    let mut policies = headers.get_all(header::CONTENT_SECURITY_POLICY).iter();
    headers.contains_key(header::X_FRAME_OPTIONS) || policies.any(|policy| policy.to_str().is_ok_and(says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::config;

    /// What an application's answer with these headers becomes.
    fn answer(lines: &str, sent: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let text = format!(
            "[[routes]]\nname = \"app\"\nhosts = [\"app.test\"]\necho = true\n[routes.security_headers]\n{lines}\n"
        );
        let headers = config(&text).routes[0].security_headers.clone();
        let mut answer = ResponseHeader::build(200, None).unwrap();
        for (name, value) in sent {
            answer.append_header(*name, *value).unwrap();
        }
        apply(&headers, &mut answer).unwrap();
        let pair = |(name, value): (&HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let mut pairs: Vec<_> = answer.headers.iter().map(pair).collect();
        pairs.sort();
        pairs
    }

    fn of<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        let named = pairs.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn the_recommended_ones() {
        let sent = [("server", "Apache/2.4.1 (Unix)"), ("x-powered-by", "PHP/5.3")];
        let pairs = answer("preset = \"recommended\"", &sent);
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("content-security-policy", "frame-ancestors 'self'"),
                ("permissions-policy", "browsing-topics=()"),
                ("referrer-policy", "strict-origin-when-cross-origin"),
                ("strict-transport-security", "max-age=31536000"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "SAMEORIGIN"),
            ]
        );
    }

    #[test]
    fn what_the_application_says_stays_unless_told_otherwise() {
        let sent = [
            ("strict-transport-security", "max-age=1"),
            (
                "content-security-policy",
                "default-src 'self'; Frame-Ancestors https://portal.example",
            ),
        ];
        let kept = answer("preset = \"recommended\"", &sent);
        assert_eq!(of(&kept, "strict-transport-security"), ["max-age=1"]);
        assert!(of(&kept, "x-frame-options").is_empty());
        assert_eq!(of(&kept, "content-security-policy").len(), 1);
        let lines = "preset = \"recommended\"\noverwrite = true\nhsts_include_subdomains = true\nhsts_preload = true\n\
                     frames = \"nobody\"";
        let overwritten = answer(lines, &sent);
        let hsts = of(&overwritten, "strict-transport-security");
        assert_eq!(hsts, ["max-age=31536000; includeSubDomains; preload"]);
        assert_eq!(of(&overwritten, "x-frame-options"), ["DENY"]);
        assert_eq!(of(&overwritten, "content-security-policy").len(), 2);
    }

    #[test]
    fn a_policy_of_the_application_is_joined_by_ours() {
        let pairs = answer(
            "frames = \"same-origin\"",
            &[("content-security-policy", "default-src 'self'")],
        );
        let policies = ["default-src 'self'", "frame-ancestors 'self'"];
        assert_eq!(of(&pairs, "content-security-policy"), policies);
        assert_eq!(pairs.len(), 3);
    }

    #[test]
    fn off_is_off() {
        assert_eq!(
            answer("", &[("server", "x")]),
            [("server".to_owned(), "x".to_owned())]
        );
        let nothing = "preset = \"recommended\"\nhsts_max_age = \"0s\"\ncontent_type_options = false\nframes = \"any\"\n\
                       referrer_policy = \"\"\npermissions_policy = \"\"\nremove = []";
        assert!(answer(nothing, &[]).is_empty());
    }
}
