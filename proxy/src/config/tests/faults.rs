use super::one;

const ROUTE: &str = "[[routes]]\nname = \"blog\"\nhosts = [\"blog.example\"]\necho = true\n";

#[test]
fn faults_are_told_with_their_places() {
    for (text, expected) in [(
        "[server]\ngraec = \"25s\"\n",
        "p.toml:2:1: unknown key in server; found `graec`; did you mean `grace`?",
    )] {
        assert_eq!(one(&format!("{text}{ROUTE}")), Err(expected.to_owned()));
    }
}
