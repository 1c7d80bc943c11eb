//! A change is judged by what it does to every file, not only to those that
//! it touches; and what is kept between runs never changes an answer.

use std::path::PathBuf;

use crate::commits::{git_as, write};
use crate::support::Sandbox;

/// `a` must not use `b`.
const RULES: &str = "[domains.a]\nscope = ['a/**', 'a.*']\nforbidden_imports = ['b/**', 'b.*', '**/b.rs']\n[domains.b]\nscope = ['b/**', '**/b.rs']\n";

fn with(files: &[(&str, &str)]) -> Sandbox {
    let s = Sandbox::new();
    write(&s, "comm.toml", RULES);
    for (name, text) in files {
        write(&s, name, text);
    }
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m start --no-verify").succeeds();
    s
}

/// Stages what was done and commits it: refused with this, or not at all.
#[track_caller]
fn check(s: &Sandbox, says: &[&str]) {
    git_as(s, None, "add -A").succeeds();
    let run = git_as(s, None, "commit -q -m change");
    assert_eq!(run.code, i32::from(!says.is_empty()), "{}", run.stderr);
    for says in says {
        assert!(run.stderr.contains(says), "{says}\n{}", run.stderr);
    }
    // A range is judged the same.
    if run.code == 1 {
        git_as(s, None, "commit -q --no-verify -m change").succeeds();
        let ci = s.comm("ci --base HEAD~1");
        assert_eq!(ci.code, 1, "{}", ci.stdout);
        for says in says {
            assert!(ci.stdout.contains(says), "{says}\n{}", ci.stdout);
        }
    } else {
        let ci = s.comm("ci --base HEAD~1");
        assert!(!ci.stdout.contains("B00"), "{}", ci.stdout);
    }
}

#[test]
fn a_file_that_moves_into_another_domain_breaks_who_imports_it() {
    let s = with(&[("a/user.ts", "import '../c/thing'\n"), ("c/thing.ts", "")]);
    git_as(&s, None, "mv c/thing.ts c/other.ts").succeeds();
    check(&s, &["a/user.ts:1: B004 imports `../c/thing`"]);
}

#[test]
fn a_file_that_is_added_takes_an_import_over() {
    let s = with(&[
        ("a/user.ts", "import 'x/thing'\n"),
        ("tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"x/*\": [\"b/*\", \"c/*\"]}}}"),
        ("c/thing.ts", ""),
        ("b/other.ts", ""),
    ]);
    write(&s, "b/thing.ts", "");
    check(&s, &["a/user.ts:1: B001 imports b/thing.ts"]);
}

#[test]
fn a_setting_changes_what_imports_lead_to() {
    let s = with(&[
        ("a/user.ts", "import 'x/thing'\n"),
        ("tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"x/*\": [\"c/*\"]}}}"),
        ("c/thing.ts", ""),
        ("b/thing.ts", ""),
    ]);
    write(&s, "tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"x/*\": [\"b/*\"]}}}");
    check(&s, &["a/user.ts:1: B001 imports b/thing.ts"]);
}

#[test]
fn a_module_that_is_declared_changes_where_paths_lead() {
    let s = with(&[
        ("Cargo.toml", "[package]\nname = 'x'\n[lib]\npath = 'lib.rs'\n"),
        ("lib.rs", "mod a;\n"),
        ("a.rs", "use crate::b::Thing;\n"),
        ("b.rs", "pub struct Thing;\n"),
    ]);
    write(&s, "lib.rs", "mod a;\nmod b;\n");
    check(&s, &["a.rs:1: B001 imports b.rs"]);
}

#[test]
fn a_file_that_goes_is_missed_by_other_languages_too() {
    let s = with(&[
        ("Cargo.toml", "[package]\nname = 'x'\n[lib]\npath = 'lib.rs'\n"),
        ("lib.rs", "mod a;\n"),
        ("a.rs", "const T: &str = include_str!(\"c/x.ts\");\n"),
        ("a/user.ts", "import '../c/y.py?raw'\n"),
        ("c/x.ts", ""),
        ("c/y.py", ""),
        ("c/stays.ts", ""),
    ]);
    git_as(&s, None, "rm -q c/x.ts").succeeds();
    check(&s, &["a.rs:1: B004"]);
    git_as(&s, None, "rm -q c/y.py").succeeds();
    check(&s, &["a/user.ts:1: B004"]);
}

#[test]
fn a_folder_that_comes_is_a_module_to_some() {
    let s = with(&[("a/user.py", "import b\n"), ("b.py", ""), ("a/old.py", "")]);
    git_as(&s, None, "commit -q --allow-empty -m none").succeeds();
    git_as(&s, None, "rm -q b.py").succeeds();
    git_as(&s, None, "commit -q --no-verify -m gone").succeeds();
    write(&s, "b/__init__.py", "");
    check(&s, &["a/user.py:1: B001 imports b/__init__.py"]);
}

#[test]
fn what_was_wrong_before_is_not_the_change() {
    let s = with(&[("a/user.ts", ""), ("b/thing.ts", ""), ("a/other.ts", "")]);
    write(&s, "a/user.ts", "import '../b/thing'\n");
    git_as(&s, None, "commit -qam wrong --no-verify").succeeds();
    // An edit elsewhere, and a new file, for which everything is judged.
    write(&s, "a/other.ts", "export const x = 1\n");
    check(&s, &[]);
    write(&s, "a/new.ts", "import './other'\n");
    check(&s, &[]);
    // Whoever touches the file mends it.
    write(&s, "a/user.ts", "import '../b/thing'\nexport const y = 2\n");
    check(&s, &["a/user.ts:1: B001"]);
}

#[test]
fn two_branches_that_break_together_are_found_in_the_merge() {
    let s = with(&[("a/user.ts", "export const x = 1\n"), ("c/thing.ts", ""), ("c/more.ts", "")]);
    git_as(&s, None, "checkout -q -b side").succeeds();
    write(&s, "a/user.ts", "import '../c/thing'\nexport const x = 1\n");
    git_as(&s, None, "commit -qam uses").succeeds();
    git_as(&s, None, "checkout -q main").succeeds();
    git_as(&s, None, "rm -q c/thing.ts").succeeds();
    git_as(&s, None, "commit -qm removes").succeeds();
    let run = git_as(&s, None, "merge -q --no-edit side");
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("a/user.ts:1: B004"), "{}", run.stderr);
}

#[test]
fn linked_worktrees_and_submodules_are_judged_by_their_own_index() {
    let s = with(&[("a/user.ts", "export const x = 1\n"), ("b/thing.ts", "")]);
    git_as(&s, None, "worktree add -q -b other ../other").succeeds();
    let other = s.root().join("other");
    std::fs::write(other.join("a/user.ts"), "import '../b/thing'\n").unwrap();
    let mut command = s.bare_command("git", &other);
    let out = command.args(["commit", "-q", "-a", "-m", "there"]).output().unwrap();
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.code() == Some(1) && told.contains("a/user.ts:1: B001"), "{told}");
    write(&s, "a/user.ts", "export const x = 2\n");
    check(&s, &[]);
    // What is in a submodule is not in this repository.
    let head = s.git("rev-parse HEAD").stdout.trim().to_owned();
    git_as(&s, None, &format!("update-index --add --cacheinfo 160000,{head},c/sub")).succeeds();
    write(&s, "a/user.ts", "import '../c/sub/x'\n");
    git_as(&s, None, "add a/user.ts").succeeds();
    let run = git_as(&s, None, "commit -q -m sub").exits(1);
    assert!(run.stderr.contains("a/user.ts:1: B004 imports `../c/sub/x`"), "{}", run.stderr);
}

#[test]
fn an_agent_may_merge_rules_that_a_person_loosened() {
    let s = with(&[("a/user.ts", "export const x = 1\n"), ("b/thing.ts", "")]);
    git_as(&s, None, "checkout -q -b work").succeeds();
    write(&s, "a/more.ts", "export const y = 1\n");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m more").succeeds();
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "comm.toml", &RULES.replace("'b/**', 'b.*', ", ""));
    write(&s, "a/user.ts", "import '../b/thing'\n");
    git_as(&s, None, "commit -q -a -m loosened").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    git_as(&s, Some("ada"), "merge -q --no-edit main").succeeds();
    // What the merge itself breaks is nobody's excuse.
    write(&s, "a/more.ts", "import '../b/gone'\n");
    git_as(&s, None, "add -A").succeeds();
    let run = git_as(&s, Some("ada"), "commit -q --amend --no-edit").exits(1);
    assert!(run.stderr.contains("a/more.ts:1: B004"), "{}", run.stderr);
}

/// More sources than are worth reading again.
fn many() -> Sandbox {
    let files: Vec<(String, String)> = (0..80)
        .map(|n| match n % 3 {
            0 => (format!("a/f{n}.ts"), format!("import '../b/f{}'\n", n + 1)),
            1 => (format!("b/f{n}.ts"), format!("import 'left-pad/{n}'\n")),
            _ => (format!("a/f{n}.py"), format!("import os, a.f2\nfrom . import f5, x{n}\n")),
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    with(&files)
}

fn kept(s: &Sandbox) -> PathBuf {
    s.repo().join(".git/comm-node/cache/imports")
}

#[test]
fn what_is_kept_between_runs_changes_no_answer() {
    let s = many();
    std::fs::remove_file(kept(&s)).ok();
    let first = s.comm("boundary check --json");
    assert_eq!(first.code, 1);
    let whole = std::fs::read(kept(&s)).unwrap();
    let check = |what: &str| {
        let again = s.comm("boundary check --json");
        assert_eq!((again.code, &again.stdout), (1, &first.stdout), "{what}");
    };
    check("as it was kept");
    for at in (0..whole.len()).step_by(whole.len() / 60) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x11;
        std::fs::write(kept(&s), &damaged).unwrap();
        check(&format!("byte {at} of {} differs", whole.len()));
        std::fs::write(kept(&s), &whole[..at]).unwrap();
        check(&format!("cut at {at}"));
    }
    // It was mended on the way, and is what it was.
    assert_eq!(std::fs::read(kept(&s)).unwrap(), whole);
    std::fs::remove_file(kept(&s)).unwrap();
    std::fs::create_dir(kept(&s)).unwrap();
    check("a folder in its place");
}

#[test]
fn what_is_kept_is_used() {
    let s = many();
    assert_eq!(s.comm("boundary check").code, 1);
    // A kept answer outlives the content that it is about.
    let entry = s.git("ls-files -s a/f0.ts").succeeds().stdout;
    let oid = entry.split_whitespace().nth(1).unwrap();
    let object = s.repo().join(format!(".git/objects/{}/{}", &oid[..2], &oid[2..]));
    std::fs::remove_file(object).unwrap();
    let run = s.comm("boundary check");
    assert!(run.stdout.contains("a/f0.ts:1: B001"), "{}", run.stdout);
    std::fs::remove_file(kept(&s)).unwrap();
    let run = s.comm("boundary check");
    assert!(run.stdout.contains("a/f0.ts: B005 what it imports is not known"), "{}", run.stdout);
}
