//! The documents say what the program does.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs` writes the generated ones anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Sandbox, copy_program, has_tool};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file below `dir` with this extension.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry, extension));
        } else if entry.extension().is_some_and(|e| e == extension) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// All code and all tests.
fn code() -> String {
    let files = ["src", "tests"].iter().flat_map(|dir| files(&root().join(dir), "rs"));
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// What stands between `before` and the next `after`, wherever `before` is.
fn between<'t>(text: &'t str, before: &str, after: char) -> BTreeSet<&'t str> {
    text.match_indices(before).filter_map(|(i, _)| text[i + before.len()..].split(after).next()).collect()
}

/// The words in backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[track_caller]
fn check_generated(path: &str, fresh: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|v| v == "1") {
        std::fs::write(&file, fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(fresh.lines()).position(|(a, b)| a != b);
    let hint = "write it anew: UPDATE_DOCS=1 cargo test --test it docs";
    assert!(kept == fresh, "{path} is behind the program from line {:?}; {hint}", differs.map(|n| n + 1));
}

#[test]
fn the_reference_is_that_of_the_program() {
    let manual = git_comm::cli::manual();
    check_generated("docs/cli.md", &git_comm::render::markdown::page(&manual));
    check_generated("docs/git-comm.1", &git_comm::render::roff::page(&manual));
}

#[test]
fn the_reference_names_what_the_program_reads() {
    let reference = read("docs/cli.md");
    let mut checked = 0;
    for file in files(&root().join("src"), "rs") {
        let source = std::fs::read_to_string(&file).unwrap();
        let source = source.split("#[cfg(debug_assertions)]").next().unwrap();
        let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        let names = ["var(\"", "config(\"", "config_all(\""].map(|read| between(source, read, '"'));
        for name in names.into_iter().flatten() {
            assert!(reference.contains(name), "{} reads {name}", file.display());
            checked += 1;
        }
    }
    assert!(checked >= 15, "only {checked} names were found");
}

#[test]
fn the_reference_names_every_field_of_the_json() {
    let s = Sandbox::new();
    let mut printed = BTreeSet::new();
    let mut see = |run: crate::support::Run| names(&run.json(), &mut printed);
    see(s.comm("init --json"));
    see(s.comm("add one -d text -l ui --domain web --json"));
    see(s.comm("add two --dep bd-1 --parent bd-1 --json"));
    see(s.comm("comment bd-2 word --json"));
    see(s.as_agent("ada", "agent register --domain web --json"));
    see(s.as_agent("bob", "agent register --json"));
    see(s.as_agent("ada", "claim bd-1 --json"));
    for words in ["status", "list", "show bd-2", "agent list", "dep tree bd-2", "dep shape", "whoami", "log"]
    {
        see(s.comm(&format!("{words} --json")));
    }
    see(s.as_agent("ada", "agent heartbeat --json"));
    see(s.as_agent("bob", "claim bd-1 --json"));
    see(s.as_agent("ada", "close --reason fine --json"));
    see(s.comm("show bd-1 --json"));
    see(s.as_agent("ada", "next --json"));
    see(s.comm("msg send --to ada word --json"));
    see(s.as_agent("ada", "inbox --json"));
    see(s.comm("log note word --json"));
    see(s.comm("setup man --dir pages --json"));
    see(s.comm("worktree add cy --agent cy --json"));
    std::fs::write(s.root().join("repo.worktrees/cy/new"), "x").unwrap();
    for words in ["worktree list", "worktree remove cy", "worktree prune", "worktree remove cy --keep wip"] {
        see(s.comm(&format!("{words} --json")));
    }
    for words in ["hook status", "hook install", "doctor", "ci --base HEAD", "prime", "setup harness claude"]
    {
        see(s.comm(&format!("{words} --json")));
    }
    std::fs::write(s.repo().join(".git/refs/comm-node/tasks/bd-1"), "").unwrap();
    see(s.comm("list --json"));

    let reference = read("docs/cli.md");
    let section = reference.split("## JSON output").nth(1).unwrap().split("\n## ").next().unwrap();
    let documented: BTreeSet<&str> = quoted(section).into_iter().flat_map(|q| q.split(", ")).collect();
    let missing: Vec<_> = printed.iter().filter(|name| !documented.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in docs/cli.md: {missing:?}");
    assert!(printed.len() > 60, "only {} names were printed", printed.len());
}

/// The names of all fields, but those of stored events and of counts, which
/// are described elsewhere.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|v| names(v, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                if name != "event" && name != "counts" {
                    names(value, found);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn the_man_page_is_set_without_a_warning() {
    if !has_tool("groff", &["--version"]) {
        return;
    }
    let s = Sandbox::new();
    let page = root().join("docs/git-comm.1");
    let out =
        s.bare_command("groff", s.root()).args(["-man", "-Tutf8", "-ww", "-z"]).arg(page).output().unwrap();
    assert!(out.status.success());
    assert_eq!(String::from_utf8_lossy(&out.stderr), "");
}

/// Installs the page for a user whose programs are in `bin` below the home
/// directory, and asks git for it.
#[track_caller]
fn check_help(bin: &str) {
    let s = Sandbox::new();
    let bin = s.root().join("home").join(bin);
    std::fs::create_dir_all(&bin).unwrap();
    copy_program(&bin.join("git-comm"));
    let mut path = vec![bin];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths(path).unwrap();
    let git = |words: &[&str]| {
        let mut command = s.bare_command("git", s.repo());
        command.args(words).env("PATH", &path).env("MANPAGER", "cat").env("MANWIDTH", "100");
        let out = command.output().unwrap();
        assert!(out.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    git(&["comm", "setup", "man"]);
    for words in [["help", "comm"], ["comm", "--help"]] {
        let shown = git(&words);
        assert!(shown.starts_with("GIT-COMM(1)"), "{words:?}: {shown:.200}");
        assert!(shown.contains("git comm steal [OPTIONS] --reason REASON ID"), "{words:?}");
    }
}

#[test]
fn git_help_finds_the_man_page_after_cargo_install() {
    if has_tool("man", &["--version"]) {
        check_help(".cargo/bin");
    }
}

#[test]
fn git_help_finds_the_man_page_in_the_usual_place() {
    if has_tool("man", &["--version"]) {
        check_help(".local/bin");
    }
}

#[test]
fn where_man_does_not_look_the_line_for_it_is_told() {
    let s = Sandbox::new();
    let installed = s.comm("setup man --dir pages --json").succeeds().json();
    let base = s.repo().join("pages");
    assert_eq!(installed["path"], base.join("man1/git-comm.1").to_str().unwrap());
    assert_eq!(installed["next"], format!("export MANPATH=\"{}:$MANPATH\"", base.display()));
    let page = std::fs::read_to_string(base.join("man1/git-comm.1")).unwrap();
    assert!(page == read("docs/git-comm.1"), "another page was installed");
}

#[test]
fn the_code_map_has_every_file_once() {
    let architecture = read("docs/architecture.md");
    let map = architecture.split("## Code map").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut mapped: Vec<String> = map
        .lines()
        .filter_map(|line| line.strip_prefix("- ")?.split_once(": "))
        .flat_map(|(files, _)| quoted(files))
        .map(str::to_owned)
        .collect();
    let src = root().join("src");
    let mut there: Vec<String> = files(&src, "rs")
        .iter()
        .map(|f| f.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    mapped.sort();
    there.sort();
    let (missing, gone): (Vec<_>, Vec<_>) = (
        there.iter().filter(|f| !mapped.contains(f)).collect(),
        mapped.iter().filter(|f| !there.contains(f)).collect(),
    );
    assert!(missing.is_empty() && gone.is_empty(), "missing {missing:?}, gone {gone:?}");
    mapped.dedup();
    assert_eq!(mapped.len(), there.len(), "a file is there twice");
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let architecture = read("docs/architecture.md");
    let reasons = architecture.split("## Dependencies").nth(1).unwrap().split("\n## ").next().unwrap();
    let manifest = read("Cargo.toml");
    let mut direct = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once(" = ")) {
            direct.push(name.to_owned());
        }
    }
    assert!(direct.len() > 10, "{direct:?}");
    let code = code();
    for name in &direct {
        let line = format!("- `{name}`: ");
        assert!(reasons.lines().any(|l| l.starts_with(&line)), "no reason for {name}");
        let path = name.replace('-', "_");
        let before = [" ", "(", "<", "&", "use "];
        let named =
            before.map(|before| format!("{before}{path}{}", if before == "use " { "" } else { "::" }));
        let is_used = named.iter().any(|named| code.contains(named.as_str()));
        assert!(is_used, "{name} is not used");
    }
    for line in reasons.lines().filter_map(|l| l.strip_prefix("- `")) {
        let name = line.split('`').next().unwrap();
        assert!(direct.iter().any(|d| d == name), "{name} is no dependency");
    }
}

#[test]
fn what_the_documents_point_at_exists() {
    let tests = code();
    for document in files(&root().join("docs"), "md") {
        let text = std::fs::read_to_string(&document).unwrap();
        for word in quoted(&text) {
            let is_path = ["src/", "tests/", "docs/", ".ci/"].iter().any(|dir| word.starts_with(dir));
            let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path && is_plain {
                assert!(root().join(word).exists(), "{}: {word}", document.display());
            }
            // A sentence with underscores is the name of a test.
            let is_test =
                word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if is_test {
                assert!(tests.contains(&format!("fn {word}()")), "{}: {word}", document.display());
            }
        }
    }
}
