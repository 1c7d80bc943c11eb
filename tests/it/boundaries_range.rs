//! A range is judged by the rules of its base, and what weakens them is told.

use crate::boundaries_rules::{stage, staged, told};
use crate::commits::{git_as, write};
use crate::support::Sandbox;

const RULES: &str = "[domains.api]\npath = 'api'\npublic = ['x.ts']\n[domains.web]\npath = 'web'\nallowed_imports = ['api/x.ts']\nforbidden_imports = ['pkg:moment']\n";

fn committed(rules: &str) -> Sandbox {
    let s = staged(rules, &[("api/x.ts", ""), ("api/y.ts", ""), ("web/a.ts", "")]);
    git_as(&s, None, "commit -q -m start").succeeds();
    s
}

/// Commits without the hooks, as somebody who skips them does.
fn commit(s: &Sandbox, path: &str, text: &str) {
    write(s, path, text);
    stage(s);
    git_as(s, None, "commit -q --no-verify --allow-empty -m change").succeeds();
}

#[test]
fn every_commit_of_a_range_is_judged_by_the_rules_of_its_base() {
    let s = committed(RULES);
    commit(&s, "web/a.ts", "import '../api/y'\n");
    commit(&s, "web/a.ts", "import '../api/x'\n");
    commit(&s, "comm.toml", &RULES.replace("'api/x.ts'", "'api/**'").replace("public = ['x.ts']\n", ""));
    commit(&s, "web/b.ts", "import '../api/y'\n");
    let run = s.comm("boundary check --range HEAD~4..HEAD --json").exits(1);
    assert_eq!(
        told(&run, "violations"),
        ["B002 web/a.ts:1 api/y.ts", "B002 web/b.ts:1 api/y.ts", "B013 comm.toml:0", "B013 comm.toml:5"],
        "{}",
        run.stdout
    );
    let object = run.json();
    assert_eq!((&object["commits"], &object["files_checked"]), (&4.into(), &4.into()));
    let found = object["violations"].as_array().unwrap();
    let whats: Vec<&str> = found.iter().filter_map(|f| f["what"].as_str()).collect();
    assert!(whats.contains(&"weakens the rules: all of api is public (it was comm.toml:3)"), "{whats:?}");
    assert!(whats.contains(&"weakens the rules: web may import `api/**`"), "{whats:?}");
    let first = s.git("rev-parse HEAD~3").stdout;
    assert_eq!(found[0]["commit"], first.trim());
    // Since the rules are what they are now, nothing is wrong.
    s.comm("boundary check --range HEAD~1..HEAD").succeeds();
    s.comm("boundary check --rev HEAD").succeeds();
    s.comm("boundary check --rev HEAD~3").exits(1);
    let narrowed = s.comm("boundary check --range HEAD~4..HEAD web/b.ts --json").exits(1);
    assert_eq!(told(&narrowed, "violations"), ["B002 web/b.ts:1 api/y.ts"]);
}

#[test]
fn a_person_of_the_base_may_weaken_rules_and_it_is_said() {
    let rules = format!("{RULES}[commit]\npeople = ['kai@example.com']\n");
    let s = committed(&rules);
    commit(&s, "comm.toml", &rules.replace("forbidden_imports = ['pkg:moment']\n", ""));
    let run = s.comm("boundary check --range HEAD~1.. --json").succeeds();
    assert_eq!(told(&run, "warnings"), ["B013 comm.toml:0"]);
    let ci = s.comm("ci --base HEAD~1").succeeds();
    assert!(ci.stdout.contains("warning: "), "{}", ci.stdout);
    assert!(
        ci.stdout.contains("`pkg:moment` is no longer forbidden to web (it was comm.toml:7)"),
        "{}",
        ci.stdout
    );
}

#[test]
fn a_base_without_rules_leaves_each_commit_to_its_own() {
    let s = Sandbox::new();
    commit(&s, "web/a.ts", "import '../api/y'\n");
    commit(&s, "comm.toml", RULES);
    commit(&s, "api/y.ts", "");
    commit(&s, "web/b.ts", "import '../api/y'\n");
    let run = s.comm("boundary check --range HEAD~4..HEAD").exits(1);
    assert!(run.stdout.contains("web/b.ts:1: B002"), "{}", run.stdout);
    assert!(!run.stdout.contains("web/a.ts"), "{}", run.stdout);
    assert!(
        run.stdout.contains("has no comm.toml: each commit is judged by its own rules only"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_a_change_breaks_elsewhere_is_told_and_what_was_broken_before_is_not() {
    let rules = "[domains.web]\npath = 'web'\nforbidden_imports = [{ import = 'db/**', transitive = true }]\n[domains.lib]\npath = 'lib'\n[domains.db]\npath = 'db'\n";
    let s = staged(
        rules,
        &[
            ("web/a.ts", "import '../lib/one'\n"),
            ("web/old.ts", "import '../lib/two'\n"),
            ("lib/one.ts", ""),
            ("lib/two.ts", "import '../db/d'\n"),
            ("db/d.ts", ""),
        ],
    );
    git_as(&s, None, "commit -q --no-verify -m start").succeeds();
    write(&s, "lib/one.ts", "import '../db/d'\n");
    stage(&s);
    let refused = git_as(&s, None, "commit -q -m chain").exits(1).stderr;
    assert!(refused.contains("web/a.ts:1: B001"), "{refused}");
    assert!(refused.contains("chain: web/a.ts -> lib/one.ts -> db/d.ts"), "{refused}");
    assert!(!refused.contains("web/old.ts"), "{refused}");
    commit(&s, "README.md", "");
    let run = s.comm("boundary check --range HEAD~1..HEAD --json").exits(1);
    assert_eq!(told(&run, "violations"), ["B001 web/a.ts:1 lib/one.ts"]);
}

#[test]
fn a_merge_is_not_blamed_for_what_its_parents_broke() {
    let s = committed(RULES);
    git_as(&s, None, "checkout -q -b side").succeeds();
    commit(&s, "web/side.ts", "import '../api/y'\n");
    git_as(&s, None, "checkout -q main").succeeds();
    commit(&s, "web/main.ts", "import '../api/x'\n");
    git_as(&s, None, "merge -q --no-edit side").succeeds();
    let run = s.comm("boundary check --range HEAD~1..HEAD --json").exits(1);
    let found = run.json()["violations"].as_array().unwrap().clone();
    assert_eq!(found.len(), 1, "{}", run.stdout);
    assert_eq!(found[0]["commit"], s.git("rev-parse side").stdout.trim());
}

#[test]
fn an_agent_that_stages_looser_rules_with_a_violation_is_refused() {
    let s = committed(RULES);
    write(&s, "web/a.ts", "import '../api/y'\n");
    write(&s, "comm.toml", "[domains.web]\npath = 'web'\n");
    stage(&s);
    let checked = s.as_agent("ada", "boundary check --json").exits(1);
    let found = told(&checked, "violations");
    assert_eq!(found[0], "B002 web/a.ts:1 api/y.ts");
    assert!(found[1].starts_with("B013 "), "{found:?}");
    git_as(&s, Some("ada"), "commit -q -m both").exits(1);
    // A person's own rules judge, and what they let pass is said.
    let run = s.comm("boundary check --json").succeeds();
    assert!(told(&run, "warnings").iter().any(|line| line.starts_with("B013 ")), "{}", run.stdout);
    let said = git_as(&s, None, "commit -q -m both").succeeds().stderr;
    assert!(said.contains("warning: comm.toml"), "{said}");
}

#[test]
fn what_is_no_range_is_said() {
    let s = committed(RULES);
    for (range, code) in [("HEAD", 129), ("HEAD...HEAD", 129), ("nowhere..HEAD", 4), ("HEAD..nowhere", 4)] {
        s.comm(&format!("boundary check --range {range}")).exits(code);
    }
    let empty = s.comm("boundary check --range HEAD..HEAD").exits(1);
    assert!(empty.stdout.contains("0 commits, 0 files checked"), "{}", empty.stdout);
    s.comm("boundary check --range HEAD~1.. --rev HEAD").exits(129);
}

/// What one `comm.toml` lets pass and another does not.
#[track_caller]
fn check_weaker(before: &str, after: &str, expected: &[&str]) {
    let config = |text: &str| git_comm::config::Config::parse(text.as_bytes()).unwrap();
    let (before, after) = (config(before), config(after));
    let found = git_comm::boundary::weaker::weaker(
        (&before.domains, &before.boundary),
        (&after.domains, &after.boundary),
    );
    let found: Vec<String> =
        found.iter().map(|f| f.what.trim_start_matches("weakens the rules: ").to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn rules_are_weaker_where_they_let_more_pass() {
    let web = |lines: &str| format!("[domains.web]\npath = 'web'\n{lines}\n[domains.api]\npath = 'api'\n");
    let check =
        |before: &str, after: &str, expected: &[&str]| check_weaker(&web(before), &web(after), expected);
    check("", "forbidden_imports = 'x'\nallowed_imports = []\npublic = 'x'", &[]);
    check("allowed_imports = ['a/**']", "allowed_imports = ['a/b/**', 'a/c.ts']", &[]);
    check("allowed_imports = ['a/b/**']", "allowed_imports = ['a/**']", &["web may import `a/**`"]);
    check(
        "allowed_imports = [{ import = 'a', kinds = 'type' }]",
        "allowed_imports = 'a'",
        &["web may import `a`"],
    );
    check("allowed_imports = 'a'", "allowed_imports = [{ import = 'a', kinds = 'type' }]", &[]);
    check("allowed_imports = []", "", &["web may import anything (it was comm.toml:3)"]);
    check("forbidden_imports = 'a/b/**'", "forbidden_imports = 'a/**'", &[]);
    let gone = |text: &str| format!("`{text}` is no longer forbidden to web (it was comm.toml:3)");
    check("forbidden_imports = 'a/**'", "forbidden_imports = 'a/b/**'", &[&gone("a/**")]);
    let all = "forbidden_imports = [{ import = 'a', transitive = true }]";
    check(all, "forbidden_imports = 'a'", &[&gone("a")]);
    check("forbidden_imports = 'a'", all, &[]);
    check(
        "forbidden_imports = 'a'",
        "forbidden_imports = [{ import = 'a', kinds = 'static' }]",
        &[&gone("a")],
    );
    check("public = 'a'", "public = ['a', 'b']", &["`b` of web is public"]);
    check("public = 'a'", "", &["all of web is public (it was comm.toml:3)"]);
    check(
        "public = 'a'\n[domains.new]\nscope = 'old/**'",
        "public = 'a'\n[domains.new]\nscope = ['old/**', 'web/x/**']",
        &["`web/x/**` of new takes files of web"],
    );
    check(
        "public = 'a'\nscope = ['x/**', 'y/**']",
        "public = 'a'\nscope = ['x/**']",
        &["files of `web/y/**` no longer belong to web"],
    );
    check_weaker(&web(""), "[domains.web]\npath = 'web'\n", &["domain api is gone (it was comm.toml:4)"]);
}

#[test]
fn groups_and_options_are_weaker_where_they_let_more_pass() {
    let three = "[domains.a]\npath = 'a'\n[domains.b]\npath = 'b'\n[domains.c]\npath = 'c'\n";
    let check = |before: &str, after: &str, expected: &[&str]| {
        check_weaker(&format!("{three}{before}"), &format!("{three}{after}"), expected);
    };
    let may = |one: &str, other: &str| format!("`{one}` may import `{other}` (it was comm.toml:7)");
    let layers = "[[layers]]\norder = ['a', 'b', 'c']\n";
    check(layers, "[[layers]]\norder = ['a', 'b']\n", &[&may("c", "a"), &may("c", "b")]);
    check(layers, &format!("{layers}strict = true\n"), &[]);
    check(&format!("{layers}strict = true\n"), layers, &[&may("a", "c")]);
    check(layers, "[[independent]]\nmembers = ['a', 'b', 'c']\n", &[]);
    check(
        "[[independent]]\nmembers = ['a', 'b']\ntransitive = true\n",
        "[[independent]]\nmembers = ['b', 'a']\n",
        &[&may("a", "b"), &may("b", "a")],
    );
    // A file belongs to the first part that has it.
    let globs = |order: &str| format!("[[layers]]\norder = [{order}]\n");
    let takes = |one: &str, other: &str| format!("layer `{one}` takes files of `{other}`");
    let two = globs("'x/**', 'y/**'");
    check(&two, &globs("'y/old/**', 'x/**', 'y/**'"), &[&takes("y/old/**", "y/**")]);
    check(&two, &globs("'x/**', 'y/old/**', 'y/**'"), &[&takes("y/old/**", "y/**")]);
    check(&two, &globs("'x/**', ['y/old/**', 'y/**'], 'y/older/**', 'z/**'"), &[]);
    check(&globs("'x/**', 'c/**'"), &globs("'c', 'x/**', 'c/**'"), &[&takes("c", "c/**")]);
    let cycles = "cycles are allowed where they were not (it was comm.toml:7)";
    check("[[acyclic]]\n", "[[acyclic]]\nmembers = ['a', 'b']\n", &[cycles]);
    check("[[acyclic]]\nmembers = ['a', 'b']\n", "[[acyclic]]\n", &[]);
    check("[[acyclic]]\n", "[[acyclic]]\nbetween = 'files'\n", &[cycles]);
    check(
        "",
        "[[exceptions]]\nfrom = 'a/**'\nto = 'b/**'\nreason = 'r'\n",
        &["new exception from `a/**` to `b/**`"],
    );
    check("[boundary]\nunresolved = 'forbid'\n", "[boundary]\n", &["`[boundary] unresolved` is looser"]);
    check(
        "[boundary]\nunowned = 'forbid'\npython_roots = ['x']\n",
        "[boundary]\nmocks = 'allow'\nunresolved = 'warn'\n",
        &[
            "`[boundary] unowned` is looser",
            "`[boundary] unresolved` is looser",
            "`[boundary] mocks` is looser",
            "`x` is no longer among `[boundary] python_roots`",
        ],
    );
}
