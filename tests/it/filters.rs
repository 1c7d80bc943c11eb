//! Which tasks a list shows.

use crate::support::Sandbox;

fn ids(s: &Sandbox, words: &str) -> Vec<String> {
    let tasks = s.comm(&format!("{words} --json")).json()["tasks"].clone();
    tasks.as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn labels_are_matched_by_patterns() {
    let s = Sandbox::new();
    s.add("one -l ui-forms,urgent");
    s.add("two -l ui-menu");
    s.add("three -l api");
    for verb in ["list", "ready"] {
        assert_eq!(ids(&s, &format!("{verb} -l ui-*")), ["bd-1", "bd-2"]);
        assert_eq!(ids(&s, &format!("{verb} -l ui-* -l urgent")), ["bd-1"]);
        assert_eq!(ids(&s, &format!("{verb} -l ui")), [""; 0], "a name matches only itself");
    }
    let refused = s.comm("list -l UI").exits(129);
    assert!(refused.stderr.contains("`UI` is no name and no pattern"), "{}", refused.stderr);
}
