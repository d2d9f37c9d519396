use super::*;
use crate::body::fuzzing::mutate_all;
use crate::body::work::spent;

/// A document, what is wrong with it, and what is read all the same.
type Wrong<'a> = (&'a str, fn(&XmlErrorKind) -> bool, &'a [&'a str]);

fn read(body: &str) -> XmlText {
    parse(body.as_bytes(), 100, 100).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn fails(body: &str) -> XmlError {
    parse(body.as_bytes(), 100, 100).expect_err(body)
}

fn texts(found: &XmlText) -> Vec<String> {
    shown(&found.texts)
}

fn attributes(found: &XmlText) -> Vec<String> {
    shown(&found.attributes)
}

fn shown(values: &[Vec<u8>]) -> Vec<String> {
    values
        .iter()
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

#[test]
fn texts_and_attribute_values_of_an_ordinary_document() {
    let found = read(
        "<?xml version=\"1.0\"?>\n<order id=\"7\">\n  <!-- a comment -->\n  <item sku='a-1' note=''>Two\r\nlines</item>\n  \
         <empty/>\n  <?php a processing instruction ?>\n  <item sku=\"a-2\"> trimmed </item>\n</order>\n",
    );
    assert_eq!(texts(&found), ["Two\nlines", "trimmed"]);
    assert_eq!(attributes(&found), ["7", "a-1", "", "a-2"]);
    assert!(!found.truncated);
    assert_eq!(read(""), XmlText::default());
    assert_eq!(read("<a/>"), XmlText::default());
}

#[test]
fn a_text_is_what_the_application_reads() {
    let table: &[(&str, &[&str])] = &[
        ("<a>&lt;script&gt; &amp;&quot;&apos;</a>", &["<script> &\"'"]),
        ("<a>&#60;&#x3c;&#x1F600;</a>", &["<<😀"]),
        ("<a><![CDATA[<b>&lt;]]></a>", &["<b>&lt;"]),
        ("<a>un<!-- -->ion <![CDATA[sel]]>ect</a>", &["union select"]),
        ("<a>un<?x y?>ion</a>", &["union"]),
        ("<a><b>1</b><b>2</b></a>", &["1", "2"]),
        ("<a> \n <b>1</b> \n </a>", &["1"]),
        ("<x:a xmlns:x='urn:x'><x:b>1</x:b></x:a>", &["1"]),
    ];
    for (body, expected) in table {
        assert_eq!(texts(&read(body)), *expected, "{body}");
    }
}

#[test]
fn mixed_content_also_counts_as_a_whole() {
    assert_eq!(
        texts(&read("<a>un<b>ion</b> sel<c/>ect</a>")),
        ["un", "ion", "sel", "ect", "union select"]
    );
    assert_eq!(texts(&read("<a><b/>x</a>")), ["x", "x"]);
    assert_eq!(
        texts(&read("<a><b>x</b> </a>")),
        ["x"],
        "white space mixes nothing"
    );
}

#[test]
fn attribute_values_are_those_of_the_application_too() {
    let table: &[(&str, &[&str])] = &[
        ("<a b='&lt;&#x27;&quot;'/>", &["<'\""]),
        ("<a b='x\n\ty'/>", &["x  y"]),
        ("<a b = \"it's\" c='\"'/>", &["it's", "\""]),
        ("<a b='>'/>", &[">"]),
        (
            "<a xmlns='urn:a' xmlns:b='urn:b' b:c='1'/>",
            &["urn:a", "urn:b", "1"],
        ),
    ];
    for (body, expected) in table {
        assert_eq!(attributes(&read(body)), *expected, "{body}");
    }
}

#[test]
fn entities_of_a_dtd_are_shown_and_not_expanded() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;&x;&x;\"><!ENTITY z \"&y;&y;&y;&y;\">]><a b='&z;'>&z;</a>";
    let found = read(bomb);
    assert_eq!(attributes(&found), ["&z;"]);
    let [dtd, text] = texts(&found).try_into().unwrap();
    assert!(dtd.starts_with("a [<!ENTITY x \"ha\">"), "{dtd}");
    assert_eq!(text, "&z;");
}

#[test]
fn an_external_entity_is_there_for_rules_to_see() {
    let found = read("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///somewhere/secret\">]><a>&x;</a>");
    assert!(texts(&found)[0].contains("file:///somewhere/secret"));
    let found = read("<!DOCTYPE a SYSTEM \"http://example.test/a.dtd\"><a/>");
    assert_eq!(texts(&found), ["a SYSTEM \"http://example.test/a.dtd\""]);
    assert_eq!(
        read("<!DOCTYPE a><a/>"),
        XmlText::default(),
        "a bare name says nothing"
    );
}

#[test]
fn an_error_is_told_and_what_stands_around_it_is_read() {
    use XmlErrorKind as Kind;
    let table: &[Wrong<'_>] = &[
        (" ", |kind| *kind == Kind::NoRoot, &[]),
        ("a=1", |kind| *kind == Kind::OutsideRoot, &["a=1"]),
        ("<a>1</a>2", |kind| *kind == Kind::OutsideRoot, &["1", "2"]),
        ("<a>1</a><b>2</b>", |kind| *kind == Kind::OutsideRoot, &["1", "2"]),
        ("<a><b>1</b>", |kind| *kind == Kind::UnclosedElement, &["1"]),
        ("<a>1", |kind| *kind == Kind::UnclosedElement, &["1"]),
        (
            "<a><b>1</a>2</b>",
            |kind| matches!(kind, Kind::EndTag(_)),
            &["1", "2", "12"],
        ),
        ("<a>1</a></b>", |kind| matches!(kind, Kind::EndTag(_)), &["1"]),
        ("<a>1 & 2</a>", |kind| *kind == Kind::InvalidReference, &["1 & 2"]),
        ("<a>&amp</a>", |kind| *kind == Kind::InvalidReference, &["&amp"]),
        (
            "<a>&#0;&#xD800;&#9999999;</a>",
            |kind| *kind == Kind::InvalidReference,
            &["&#0;&#xD800;&#9999999;"],
        ),
        (
            "<a>&#X3c;</a>",
            |kind| *kind == Kind::InvalidReference,
            &["&#X3c;"],
        ),
        (
            "<a>x&#1;y</a>",
            |kind| *kind == Kind::InvalidReference,
            &["x\u{1}y"],
        ),
        ("<a>&x;1</a>", |kind| *kind == Kind::UndeclaredEntity, &["&x;1"]),
        ("<a>x\0y</a>", |kind| *kind == Kind::InvalidCharacter, &["x\0y"]),
        (
            "<a>1<1>2</1></a>",
            |kind| *kind == Kind::ElementName,
            &["1", "2", "12"],
        ),
        (
            "<a><![CDATA[attack</a>",
            |kind| matches!(kind, Kind::Markup(_)),
            &["<![CDATA[attack</a>"],
        ),
        (
            "<a>1<b c=\"attack</a>",
            |kind| matches!(kind, Kind::Markup(_)),
            &["1", "<b c=\"attack</a>"],
        ),
        (
            "<a>1<!-- attack</a>",
            |kind| matches!(kind, Kind::Markup(_)),
            &["1", "<!-- attack</a>"],
        ),
        (
            "<a>1<!x>2</a>",
            |kind| matches!(kind, Kind::Markup(_)),
            &["1", "<!x>2</a>"],
        ),
        ("<a>1<", |kind| matches!(kind, Kind::Markup(_)), &["1", "<"]),
    ];
    for (body, is_kind, expected) in table {
        let error = fails(body);
        assert!(is_kind(&error.kind), "{body}: {error:?}");
        assert_eq!(texts(&error.partial), *expected, "{body}");
    }
}

#[test]
fn a_wrong_attribute_is_told_and_read() {
    use XmlErrorKind as Kind;
    let table: &[Wrong<'_>] = &[
        (
            "<a b=1 c='2'/>",
            |kind| matches!(kind, Kind::Attribute(_)),
            &["1", "2"],
        ),
        (
            "<a b c='2'/>",
            |kind| matches!(kind, Kind::Attribute(_)),
            &["", "2"],
        ),
        (
            "<a b='1' b='2'/>",
            |kind| *kind == Kind::DuplicateAttribute,
            &["1", "2"],
        ),
        (
            "<a b='<script>'/>",
            |kind| *kind == Kind::UnescapedLess,
            &["<script>"],
        ),
        (
            "<a b='1&2' c='&;'/>",
            |kind| *kind == Kind::InvalidReference,
            &["1&2", "&;"],
        ),
        ("<a b='&x;'/>", |kind| *kind == Kind::UndeclaredEntity, &["&x;"]),
    ];
    for (body, is_kind, expected) in table {
        let error = fails(body);
        assert!(is_kind(&error.kind), "{body}: {error:?}");
        assert_eq!(attributes(&error.partial), *expected, "{body}");
    }
}

#[test]
fn errors_begin_like_those_of_modsecurity() {
    assert_eq!(
        fails("<a>").to_string(),
        "XML: Failed parsing document: unclosed element."
    );
    assert!(
        fails("<a")
            .to_string()
            .starts_with("XML: Failed parsing document: tag not closed")
    );
}

#[test]
fn other_encodings_are_read() {
    let body: Vec<u8> = "<a b='é'>attack</a>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let found = parse(&body, 9, 9).unwrap();
    assert_eq!(
        (texts(&found), attributes(&found)),
        (vec!["attack".into()], vec!["é".into()])
    );
    let found = parse(b"<?xml version='1.0' encoding='latin1'?><a>\xe9</a>", 9, 9).unwrap();
    assert_eq!(texts(&found), ["é"]);
    let error = parse(b"<?xml version='1.0' encoding='UTF-7'?><a>attack</a>", 9, 9).unwrap_err();
    assert_eq!(error.kind, XmlErrorKind::UnknownEncoding("UTF-7".into()));
    assert_eq!(texts(&error.partial), ["attack"]);
}

#[test]
fn depth_is_bounded_and_what_is_too_deep_is_shown_raw() {
    let nested = |depth: usize| format!("{}x{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(parse(nested(512).as_bytes(), 512, 9).is_ok());
    let error = parse(nested(513).as_bytes(), 512, 9).unwrap_err();
    assert_eq!(error.kind, XmlErrorKind::TooDeep);
    assert!(texts(&error.partial)[0].contains('x'));
    assert!(parse(nested(200_000).as_bytes(), usize::MAX, 9).is_ok());
}

#[test]
fn past_the_limit_of_nodes_the_text_is_still_there_as_a_whole() {
    let found = parse(b"<a b='1'><c>2</c><c>3</c><c d='4'>5</c></a>", 9, 2).unwrap();
    assert!(found.truncated);
    assert_eq!(
        (texts(&found), attributes(&found)),
        (vec!["2".into(), "235".into()], vec!["1".into()])
    );
    assert!(!parse(b"<a b='1'><c>2</c></a>", 9, 2).unwrap().truncated);
}

#[test]
fn a_hostile_document_costs_work_in_proportion_to_its_size() {
    let many = |text: &str| text.repeat(1_000_000 / text.len());
    let attributes: String = (0..100_000).map(|index| format!(" a{index}=''")).collect();
    for (what, body) in [
        ("elements", format!("<a>{}</a>", many("<b/>"))),
        ("ampersands", format!("<a>{}</a>", many("&"))),
        ("references", format!("<a>{}</a>", many("&x;"))),
        ("ampersands in a value", format!("<a b='{}'/>", many("&"))),
        ("attributes", format!("<a{attributes}/>")),
        ("end tags", format!("<a>{}", many("</b>"))),
        ("mixed content", format!("<a>{}</a>", many("x<b>y</b>"))),
        ("depth", many("<a>")),
        ("text and depth", many("<a>x")),
        ("comments", format!("<a>{}</a>", many("<!---->"))),
        (
            "declarations",
            format!("<!DOCTYPE a [{}]><a/>", many("<!ENTITY a 'b'>")),
        ),
    ] {
        let mut size = 0;
        let work = spent(|| {
            let found = match parse(body.as_bytes(), 512, 1000) {
                Ok(found) => found,
                Err(error) => error.partial,
            };
            size = found.texts.iter().chain(&found.attributes).map(Vec::len).sum();
        });
        assert!(
            work <= 2 * body.len(),
            "{what}: {work} bytes looked at in {}",
            body.len()
        );
        assert!(
            size <= 3 * body.len(),
            "{what}: {size} bytes out of {}",
            body.len()
        );
    }
}

#[test]
fn no_mutation_of_a_document_panics_or_escapes_the_limits() {
    let documents: [&[u8]; 3] = [
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE a [<!ENTITY x SYSTEM 'y'><!ELEMENT a (b)*> ]>\
         <a b='1' é=\"&lt;&#65;\"><!-- c --><b>x&amp;<![CDATA[<]]></b>é<c/></a>"
            .as_bytes(),
        b"<?xml version='1.0' encoding='utf-16'?><a xmlns:b='c'><b:d>1</b:d></a>",
        b"\xff\xfe<\0a\0 \0b\0=\0'\x001\0'\0>\0x\0<\0/\0a\0>\0",
    ];
    mutate_all(&documents, 20_000, |body| {
        let found = match parse(body, 4, 6) {
            Ok(found) => found,
            Err(error) => error.partial,
        };
        assert!(
            found.texts.len() + found.attributes.len() <= 6 + 1,
            "the whole text comes on top"
        );
    });
}
