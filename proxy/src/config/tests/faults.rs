use super::all;
use crate::config::testing::MemoryFiles;

const CASES: &str = include_str!("faults.txt");
const ROUTE: &str = "[[routes]]\nname = \"blog\"\nhosts = [\"blog.example\"]\necho = true\n";

struct Case {
    title: String,
    files: MemoryFiles,
    expected: Vec<String>,
}

#[test]
fn every_fault_is_told_with_its_place() {
    let cases: Vec<Case> = CASES.split("\n===").skip(1).map(case).collect();
    assert!(cases.len() > 20);
    for Case {
        title,
        files,
        expected,
    } in cases
    {
        let told = all(files).expect_err(&title);
        let told: Vec<&str> = told.lines().collect();
        assert_eq!(told, expected, "{title}");
    }
}

fn case(text: &str) -> Case {
    let (title, body) = text.split_once('\n').unwrap_or((text, ""));
    let (mut file, mut texts, mut expected) = ("p.toml", Vec::<(&str, String)>::new(), Vec::new());
    for line in body.lines() {
        match (line.strip_prefix("! "), line.strip_prefix("@ ")) {
            (Some(message), _) => expected.push(message.to_owned()),
            (_, Some(name)) => file = name,
            _ => match texts.iter_mut().find(|(name, _)| *name == file) {
                Some((_, text)) => text.push_str(&format!("{line}\n")),
                None => texts.push((file, format!("{line}\n"))),
            },
        }
    }
    if !body.contains("routes") {
        texts[0].1.push_str(ROUTE);
    }
    let add = |files: MemoryFiles, (name, text): (&str, String)| match text.trim() {
        "!" => files.with(name, "!"),
        _ => files.with(name, &text),
    };
    let files = texts.into_iter().fold(MemoryFiles::default(), add);
    Case {
        title: title.trim().to_owned(),
        files,
        expected,
    }
}
