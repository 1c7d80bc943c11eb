//! What lets a violation pass: a comment with a reason, the baseline. And
//! rules that nothing needs.

use crate::boundaries_rules::{stage, staged, told};
use crate::commits::{git_as, write};
use crate::support::Sandbox;

const RULES: &str = "[domains.api]\npath = 'api'\n[domains.web]\npath = 'web'\nallowed_imports = []\n";

fn with(text: &str) -> Sandbox {
    staged(RULES, &[("api/x.ts", ""), ("api/y.ts", ""), ("web/a.ts", text)])
}

#[track_caller]
fn check(text: &str, violations: &[&str], suppressed: &[&str], warnings: &[&str]) {
    let run = with(text).comm("boundary check --json");
    assert_eq!(told(&run, "violations"), violations, "{text}");
    assert_eq!(told(&run, "suppressed"), suppressed, "{text}");
    assert_eq!(told(&run, "warnings"), warnings, "{text}");
    assert_eq!(run.code, i32::from(!violations.is_empty()), "{text}");
}

#[test]
fn a_comment_with_a_reason_suppresses_a_finding() {
    let found = &["B002 web/a.ts:1 api/x.ts"];
    check("import '../api/x' // comm:allow(B002) moves in May\n", &[], found, &[]);
    check("// comm:allow(B002) moves in May\nimport '../api/x'\n", &[], &["B002 web/a.ts:2 api/x.ts"], &[]);
    check("import {\n  a, // comm:allow(B002) no\n} from '../api/x'\n", found, &[], &["B012 web/a.ts:2"]);
    let listed = with("import '../api/x' // comm:allow(B002) moves in May\n").comm("boundary check");
    assert!(listed.stdout.contains("suppressed: web/a.ts:1: B002 moves in May\n"), "{}", listed.stdout);
}

#[test]
fn a_line_of_a_string_suppresses_nothing() {
    let found = &["B002 web/a.ts:3 api/x.ts"];
    check("f(`\n// comm:allow(B002) a string`)\nimport '../api/x'\n", found, &[], &[]);
    check("f(`\n// comm:allow(B002) a string\n`); import '../api/x'\n", found, &[], &[]);
    check("g(`\n`)\nimport '../api/x' // comm:allow(B002) none\n", &[], found, &[]);
    let text = "x = \"\"\"\n# comm:allow(B002) a string\"\"\"\nimport api.y\n";
    let s = staged(RULES, &[("api/__init__.py", ""), ("api/y.py", ""), ("web/a.py", text)]);
    // What was found out is kept for the second time.
    for _ in 0..2 {
        let run = s.comm("boundary check --json").exits(1);
        assert_eq!(told(&run, "suppressed"), [""; 0], "{}", run.stdout);
    }
}

#[test]
fn a_bare_suppression_is_a_violation_and_suppresses_nothing() {
    let found = "B002 web/a.ts:1 api/x.ts";
    check("import '../api/x' // comm:allow(B002)\n", &[found, "B011 web/a.ts:1"], &[], &[]);
    check("import '../api/x' // comm:allow(B999) why\n", &[found, "B011 web/a.ts:1"], &[], &[]);
    check("import '../api/x' // comm:allow because\n", &[found, "B011 web/a.ts:1"], &[], &[]);
    check("// comm:allow(B005) it is odd\nimport {\n", &["B005 web/a.ts:0", "B011 web/a.ts:1"], &[], &[]);
}

#[test]
fn a_suppression_that_nothing_needs_is_told() {
    check("// comm:allow(B002) old\nimport './a'\n", &[], &[], &["B012 web/a.ts:1"]);
    check(
        "import '../api/x' // comm:allow(B001) another code\n",
        &["B002 web/a.ts:1 api/x.ts"],
        &[],
        &["B012 web/a.ts:1"],
    );
    let s = with("// comm:allow(B002) old\n");
    write(&s, "comm.toml", &format!("{RULES}[boundary]\nunused = 'forbid'\n"));
    stage(&s);
    assert_eq!(told(&s.comm("boundary check --json").exits(1), "violations"), ["B012 web/a.ts:1"]);
    git_as(&s, None, "commit -q -m x").exits(1);
    write(&s, "comm.toml", &format!("{RULES}[boundary]\nunused = 'ignore'\n"));
    stage(&s);
    assert!(told(&s.comm("boundary check --json").succeeds(), "warnings").is_empty());
}

#[test]
fn rules_that_nothing_needs_are_told_with_their_line() {
    let rules = "[domains.api]\nscope = ['api/**', 'gone/**']\npublic = ['api/x.ts', 'api/z.ts']\n\n[domains.web]\npath = 'web'\nallowed_imports = [\n  'api/**',\n  'pkg:left-pad',\n]\nforbidden_imports = ['old/**', 'pkg:never']\n\n[domains.empty]\npath = 'empty'\n\n[[independent]]\nmembers = ['web', 'empty']\n\n[[exceptions]]\nfrom = 'web/**'\nto = 'api/y.ts'\nreason = 'once'\n";
    let s = staged(rules, &[("api/x.ts", ""), ("api/y.ts", ""), ("web/a.ts", "import '../api/x'\n")]);
    let run = s.comm("boundary check --json").succeeds();
    let expected = [2, 3, 9, 11, 14, 17, 19];
    let lines: Vec<u64> =
        run.json()["warnings"].as_array().unwrap().iter().filter_map(|w| w["line"].as_u64()).collect();
    assert_eq!(lines, expected, "{}", run.stdout);
}

#[test]
fn a_baseline_is_written_once_and_only_shrinks() {
    let s = with("import '../api/x'\nimport '../api/y'\nimport '../api/x'\n");
    s.comm("boundary check").exits(1);
    let wrote = s.comm("boundary baseline").succeeds();
    assert!(wrote.stdout.contains("wrote comm.baseline with 2 known violations\n"), "{}", wrote.stdout);
    let text = std::fs::read_to_string(s.repo().join("comm.baseline")).unwrap();
    assert!(text.ends_with("\nstatic\tweb/a.ts\tapi/x.ts\nstatic\tweb/a.ts\tapi/y.ts\n"), "{text}");
    stage(&s);
    let run = s.comm("boundary check --json").succeeds();
    assert_eq!(run.json()["known"], 2);
    git_as(&s, None, "commit -q -m adopted").succeeds();

    // One goes, another comes: the list gets shorter, and the new one is told.
    write(&s, "web/a.ts", "\nimport '../api/x'\n");
    write(&s, "web/b.ts", "import '../api/y'\n");
    stage(&s);
    let run = s.comm("boundary check --json").exits(1);
    assert_eq!(told(&run, "violations"), ["B002 web/b.ts:1 api/y.ts"]);
    assert_eq!(told(&run, "warnings"), ["B012 comm.baseline:3"]);
    let again = s.comm("boundary baseline").succeeds();
    assert!(
        again.stdout.contains("took 1 out of comm.baseline, 1 known violation left\n"),
        "{}",
        again.stdout
    );
    assert!(again.stdout.contains("1 finding not in it"), "{}", again.stdout);
    // Nor is it made anew where it was deleted.
    std::fs::remove_file(s.repo().join("comm.baseline")).unwrap();
    stage(&s);
    s.comm("boundary baseline").succeeds();
    let text = std::fs::read_to_string(s.repo().join("comm.baseline")).unwrap();
    assert!(text.ends_with("baseline\nstatic\tweb/a.ts\tapi/x.ts\n"), "{text}");
}

#[test]
fn an_entry_stands_for_one_kind_of_import_between_two_files() {
    let s = with("import '../api/x'\n");
    s.comm("boundary baseline").succeeds();
    stage(&s);
    git_as(&s, None, "commit -q -m adopted").succeeds();
    for (text, expected) in [
        ("\n\nimport '../api/x'\nexport * from '../api/x'\n", &[][..]),
        ("import '../api/x'\nimport type { T } from '../api/x'\n", &["B002 web/a.ts:2 api/x.ts"]),
        ("import '../api/x'\nimport('../api/x')\n", &["B002 web/a.ts:2 api/x.ts"]),
        ("import '../api/x'\nimport '../api/y'\n", &["B002 web/a.ts:2 api/y.ts"]),
    ] {
        write(&s, "web/a.ts", text);
        stage(&s);
        assert_eq!(told(&s.comm("boundary check --json"), "violations"), expected, "{text}");
        assert_eq!(git_as(&s, None, "commit -q -m change").code, i32::from(!expected.is_empty()), "{text}");
    }
}

#[test]
fn an_entry_that_is_added_by_hand_lets_nothing_pass() {
    let s = with("import '../api/x'\n");
    s.comm("boundary baseline").succeeds();
    stage(&s);
    git_as(&s, None, "commit -q -m adopted").succeeds();
    write(&s, "web/a.ts", "import '../api/x'\nimport '../api/y'\n");
    let more = std::fs::read_to_string(s.repo().join("comm.baseline")).unwrap();
    write(&s, "comm.baseline", &format!("{more}static\tweb/a.ts\tapi/y.ts\n"));
    stage(&s);
    let refused = git_as(&s, Some("ada"), "commit -q -m grown").exits(1).stderr;
    for says in [
        "comm.baseline:3: B014 adds web/a.ts -> api/y.ts",
        "web/a.ts:2: B002 imports api/y.ts",
        "2 findings in 2 staged files",
    ] {
        assert!(refused.contains(says), "{says}\n{refused}");
    }
    // A person overrules, and it is said.
    let said = git_as(&s, None, "commit -q -m overruled").succeeds().stderr;
    assert!(said.contains("warning: comm.baseline:3: B014 adds web/a.ts -> api/y.ts"), "{said}");
    // In a range the base's list counts, whoever it was.
    let run = s.comm("boundary check --range HEAD~1..HEAD --json").exits(1);
    assert_eq!(told(&run, "violations"), ["B002 web/a.ts:2 api/y.ts", "B014 comm.baseline:3"]);
}

#[test]
fn a_new_baseline_lists_what_is_broken_already() {
    let s = with("import '../api/x'\n");
    git_as(&s, None, "commit -q --no-verify -m broken").succeeds();
    write(&s, "comm.baseline", "static\tweb/a.ts\tapi/x.ts\nstatic\tweb/b.ts\tapi/y.ts\n");
    stage(&s);
    let room = "comm.baseline:2: B014 adds web/b.ts -> api/y.ts";
    let refused = git_as(&s, Some("ada"), "commit -q -m room").exits(1).stderr;
    assert!(refused.contains(room), "{refused}");
    let checked = s.as_agent("ada", "boundary check --json").exits(1);
    assert_eq!(told(&checked, "violations"), ["B002 web/a.ts:1 api/x.ts", "B014 comm.baseline:2"]);
    let said = git_as(&s, None, "commit -q -m room").succeeds().stderr;
    assert!(said.contains(&format!("warning: {room}")), "{said}");
    let run = s.comm("boundary check --range HEAD~1..HEAD --json").exits(1);
    assert_eq!(told(&run, "violations"), ["B014 comm.baseline:2"]);
    git_as(&s, None, "reset -q --hard HEAD~1").succeeds();
    // What is there may be adopted by anyone.
    s.comm("boundary baseline").succeeds();
    stage(&s);
    git_as(&s, Some("ada"), "commit -q -m adopted").succeeds();
}

#[test]
fn a_baseline_that_cannot_be_read_is_no_free_pass() {
    let s = with("import '../api/x'\n");
    for (text, line) in [("static web/a.ts api/x.ts\n", 1), ("# x\nstatic\tweb/a.ts\n", 2)] {
        write(&s, "comm.baseline", text);
        stage(&s);
        let run = s.comm("boundary check --json").exits(1);
        let expected = ["B002 web/a.ts:1 api/x.ts".to_owned(), format!("B005 comm.baseline:{line}")];
        assert_eq!(told(&run, "violations"), expected);
    }
}

#[test]
fn known_cycles_stay_known_and_a_further_one_is_told() {
    let rules = "[domains.a]\npath = 'a'\n[domains.b]\npath = 'b'\n[domains.c]\npath = 'c'\n[[acyclic]]\n[boundary]\nbaseline = 'known/cycles'\n";
    let s = staged(
        rules,
        &[("a/x.ts", "import '../b/x'\n"), ("b/x.ts", "import '../a/x'\n"), ("c/x.ts", "import '../a/x'\n")],
    );
    s.comm("boundary check").exits(1);
    s.comm("boundary baseline").succeeds();
    stage(&s);
    s.comm("boundary check").succeeds();
    write(&s, "b/y.ts", "import '../c/x'\n");
    write(&s, "c/y.ts", "import '../b/x'\nimport '../b/y'\n");
    stage(&s);
    let run = s.comm("boundary check --json").exits(1);
    assert_eq!(told(&run, "violations"), ["B010 b/y.ts:1 c/x.ts"]);
}
