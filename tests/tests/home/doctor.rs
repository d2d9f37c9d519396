//! `palisade doctor`: it finds what is wrong before anything is ordered or written, and changes nothing.

use palisade_tests::cloudflare::Access;
use palisade_tests::harness::EdgeFiles;
use palisade_tests::pebble;
use serde_json::json;

use crate::desk::{Told, changes, palisade, token_is_nowhere};
use crate::house::{House, ZONE};

/// What it finds.
async fn findings(files: &EdgeFiles) -> (Told, Vec<String>) {
    let told = palisade(files, "doctor").await;
    let bad = told.text.lines().filter(|line| line.starts_with("FAIL"));
    let bad = bad.map(str::to_owned).collect();
    (told, bad)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_doctor_finds_all_well() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    house.fake.seed(
        ZONE,
        json!({"type": "A", "name": "mail.example.com", "content": "198.51.100.1", "ttl": 300}),
    );
    let before = house.fake.records(ZONE);
    let files = house.builder("", "").write();
    let (told, bad) = findings(&files).await;
    assert_eq!(bad, [""; 0], "{}", told.text);
    told.expect(
        0,
        &[
            "ok    storage ",
            "ok    CA: https://127.0.0.1:",
            "ok    zone example.com, token: valid",
            "ok    zone example.com, access: the token sees it, and it is active",
            "ok    zone example.com, editing: the token may change records",
            "ok    zone example.com, acme.nameservers: 127.0.0.1:",
        ],
    );
    assert_eq!(changes(&house.fake), 0, "{:#?}", house.fake.calls());
    assert_eq!(house.fake.records(ZONE), before);
    assert!(!files.folder().join("data").exists(), "the storage was made");
    assert!(!house.pebble.log().contains("account"), "an account was made");
    token_is_nowhere(&files, house.fake.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_doctor_finds_what_is_wrong_with_zone_and_token() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let before = house.fake.records(ZONE);
    let files = house.builder("", "").write();

    let wrong = "wrong-token_0123456789abcdefghijklmnopqr";
    files.write("token", wrong);
    let (told, bad) = findings(&files).await;
    assert!(
        bad.iter().any(|line| line.contains("zone example.com, ")),
        "{}",
        told.text
    );
    told.expect(1, &["-> the token is wrong, expired or may not do this"]);

    house.fake.add_token(wrong, &[ZONE], Access::Read);
    let (told, bad) = findings(&files).await;
    assert_eq!(bad.len(), 1, "{}", told.text);
    told.expect(
        1,
        &[
            "ok    zone example.com, token: valid",
            "FAIL  zone example.com, editing: ",
            "-> give the token Zone / DNS / Edit for this zone",
        ],
    );

    // A token that sees another zone alone.
    house.fake.add_zone("example.org");
    house.fake.add_token(wrong, &["example.org"], Access::Edit);
    let (told, bad) = findings(&files).await;
    assert_eq!(
        bad,
        ["FAIL  zone example.com, access: the token sees no zone example.com"]
    );
    told.expect(1, &["-> add the zone at Cloudflare, or give the token"]);

    house.fake.add_token(wrong, &[ZONE], Access::Edit);
    house.fake.set_zone_status(ZONE, "pending");
    let (told, bad) = findings(&files).await;
    assert_eq!(bad, ["FAIL  zone example.com, access: it is pending"]);
    told.expect(1, &["-> set the name servers at the registrar: ns1.example.com"]);

    // Resolvers that are not there; and none, where those of the zone (that are on no port 53 here) are looked for.
    house.fake.set_zone_status(ZONE, "active");
    let named = format!("nameservers = [\"{}\"]", house.fake.dns());
    files.edit(&named, "nameservers = [\"127.0.0.1:1\"]");
    let (told, bad) = findings(&files).await;
    assert_eq!(bad.len(), 1, "{}", told.text);
    told.expect(
        1,
        &[
            "FAIL  zone example.com, acme.nameservers: ",
            "-> a challenge has to be seen at all of them: name resolvers that can be reached",
            "error: 1 thing will not work: see above",
        ],
    );
    files.edit("nameservers = [\"127.0.0.1:1\"]", "");
    let (told, bad) = findings(&files).await;
    assert_eq!(bad.len(), 1, "{}", told.text);
    told.expect(1, &["FAIL  zone example.com, name servers: ns1.example.com: "]);
    files.edit("[acme]\n", &format!("[acme]\n{named}\n"));

    std::fs::remove_file(files.folder().join("token")).unwrap();
    let (told, bad) = findings(&files).await;
    assert_eq!(bad.len(), 1, "{}", told.text);
    told.expect(
        1,
        &["FAIL  zone example.com, token: ", "-> make a token at Cloudflare"],
    );

    assert_eq!(changes(&house.fake), 0, "{:#?}", house.fake.calls());
    assert_eq!(house.fake.records(ZONE), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_doctor_finds_what_is_wrong_with_the_ca_and_the_storage() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let files = house.builder("", "").write();

    files.edit("[acme]\n", "[acme]\nprofile = \"tiny\"\n");
    let (told, bad) = findings(&files).await;
    assert_eq!(bad, ["FAIL  CA: it has no profile tiny"]);
    told.expect(1, &["-> set [acme].profile to one of default, shortlived"]);
    files.edit("profile = \"tiny\"", "profile = \"shortlived\"");
    let (_, bad) = findings(&files).await;
    assert_eq!(bad, [""; 0]);

    // A file where a folder should be: even root cannot write there.
    files.edit("/data\"", "/token/data\"");
    let (told, bad) = findings(&files).await;
    assert_eq!(bad.len(), 1, "{}", told.text);
    assert!(bad[0].starts_with("FAIL  storage "), "{}", told.text);
    told.expect(
        1,
        &["-> make the folder, owned by the user that the edge runs as"],
    );
    files.edit("/token/data\"", "/data\"");

    let House { fake, pebble, .. } = house;
    drop(pebble);
    let (told, bad) = findings(&files).await;
    assert_eq!(bad.len(), 1, "{}", told.text);
    assert!(
        bad[0].starts_with("FAIL  CA: https://127.0.0.1:"),
        "{}",
        told.text
    );
    told.expect(1, &["-> look at [acme].directory and [acme].root"]);
    assert_eq!(changes(&fake), 0, "{:#?}", fake.calls());
}
