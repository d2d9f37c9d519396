//! Requests of real applications that the CRS stops at paranoia level 1, and the exclusion that each operator
//! writes for them.

use palisade_tests::harness::Ask;

/// What it does, the exclusion's lines, and the request.
pub(crate) type FalsePositive = (&'static str, &'static str, Ask);

/// Each is stopped without its exclusion and passes with it.
pub(crate) fn all() -> Vec<FalsePositive> {
    vec![
        (
            "a comment with a semicolon in a sentence",
            "rules = [942350]\ntargets = [\"ARGS:text\"]\npath = { exact = \"/comments\" }\nreason = \"prose\"",
            Ask::form(
                "/comments",
                "text=The+trade+union+votes+on+Friday%3B+drop+by+the+office.",
            ),
        ),
        (
            "a wiki page with code in Markdown",
            "rules = [932235, 942550]\ntargets = [\"ARGS:json.content\"]\npath = \"/api/pages\"\nreason = \"code blocks\"",
            {
                let code =
                    "```rust\nfn main() {\n    let x = vec![1, 2, 3];\n    println!(\"{:?}\", x);\n}\n```\n";
                let text = format!("Use `cargo build` first:\n\n{code}");
                Ask::json(
                    "/api/pages/7",
                    serde_json::json!({"title": "Building", "content": text}).to_string(),
                )
            },
        ),
        (
            "GraphQL with variables",
            "rules = [\"932200-932299\", 942290]\ntargets = [\"ARGS:json.query\"]\npath = \"/graphql\"\nmethods = [\"POST\"]\n\
             reason = \"the language of queries\"",
            {
                let query = "query Items($first: Int!) { items(first: $first) { edges { node { id author { name } } } } }";
                Ask::json(
                    "/graphql",
                    serde_json::json!({"query": query, "variables": {"first": 20}}).to_string(),
                )
            },
        ),
        (
            "a vendor's JSON",
            "rules = [920420]\npath = \"/api/items\"\nreason = \"JSON:API\"",
            Ask::post(
                "/api/items",
                "application/vnd.api+json",
                r#"{"data":{"type":"items","attributes":{"n":1}}}"#,
            ),
        ),
        (
            "a beacon of a browser",
            "rules = [920420]\npath = { exact = \"/collect\" }\nreason = \"navigator.sendBeacon sends text/plain\"",
            Ask::post("/collect", "text/plain", "v=1&t=pageview&dl=/home&ul=en-gb"),
        ),
        (
            "git that fetches",
            "rules = [920420, 930130]\npath = \"/palisade\"\nhosts = [\"tuned.test\"]\nreason = \"repositories end in .git\"",
            {
                let body = "0014command=ls-refs\n00010009peel\n000csymrefs\n0000";
                Ask::post(
                    "/palisade/edge.git/git-upload-pack",
                    "application/x-git-upload-pack-request",
                    body,
                )
                .header("User-Agent", "git/2.47.3")
                .header("Git-Protocol", "version=2")
            },
        ),
        (
            "a list of folders over WebDAV",
            "rules = [911100]\nmethods = [\"PROPFIND\", \"PUT\", \"MKCOL\", \"MOVE\", \"DELETE\"]\npath = \"/remote.php/dav\"\n\
             reason = \"WebDAV\"",
            {
                let body = "<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\"><d:prop><d:getetag/></d:prop></d:propfind>";
                Ask::new("PROPFIND", "/remote.php/dav/files/jane/")
                    .header("Depth", "1")
                    .header("Content-Type", "application/xml; charset=utf-8")
                    .body(body)
            },
        ),
        (
            "a folder that is made over WebDAV",
            "rules = [911100]\nmethods = [\"MKCOL\"]\npath = \"/remote.php/dav\"\nreason = \"WebDAV\"",
            Ask::new("MKCOL", "/remote.php/dav/files/jane/Photos"),
        ),
        (
            "a file that is put over WebDAV",
            "rules = [911100, 920420]\nmethods = [\"PUT\"]\npath = \"/remote.php/dav\"\nreason = \"WebDAV\"",
            Ask::new("PUT", "/remote.php/dav/files/jane/notes.bin")
                .header("Content-Type", "application/x-notes")
                .body("any bytes"),
        ),
    ]
}
