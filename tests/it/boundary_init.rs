//! Rules that are derived from code which nobody wrote for that: the first
//! check finds nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::boundary_graph::this_project;
use crate::commits::{git_as, write};
use crate::hooks_support::{cache, once};
use crate::support::{Sandbox, has_tool, split};

/// Derives rules, stages them and checks; the rules.
#[track_caller]
fn check_green(s: &Sandbox) -> String {
    if s.repo().join("comm.toml").exists() {
        git_as(s, None, "rm -q -f comm.toml").succeeds();
    }
    let printed = s.comm("boundary init").succeeds();
    assert_eq!(printed.stderr, "");
    let written = s.comm("boundary init --write").succeeds();
    assert!(
        written.stdout.contains("next: git add comm.toml && git comm boundary check"),
        "{}",
        written.stdout
    );
    let rules = std::fs::read_to_string(s.repo().join("comm.toml")).unwrap();
    assert_eq!(rules, printed.stdout);
    git_as(s, None, "add comm.toml").succeeds();
    let checked = s.comm("boundary check");
    assert_eq!(checked.code, 0, "{}\n{rules}", checked.stdout);
    assert!(checked.stdout.contains(", 0 findings"), "{}", checked.stdout);
    rules
}

/// What a rule is for: an import that was not there before is found.
#[track_caller]
fn check_shut(s: &Sandbox, file: &str, import: &str) {
    let path = s.repo().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n{import}\n")).unwrap();
    git_as(s, None, "add -A").succeeds();
    let found = s.comm("boundary check").exits(1);
    assert!(found.stdout.contains("B002"), "{}", found.stdout);
}

#[test]
fn this_project_has_an_order_from_low_to_high() {
    let s = this_project();
    let rules = check_green(&s);
    assert!(rules.contains("# From low to high"), "{rules}");
    assert!(rules.lines().count() < 120, "{rules}");
    for domain in ["[domains.text]\npath = \"src/text\"\n", "[domains.env]\nscope = [\"src/env.rs\"]\n"] {
        assert!(rules.contains(domain), "{rules}");
    }
    check_shut(&s, "src/text/name.rs", "use crate::git::Repo;");
}

#[test]
fn rules_that_are_there_stay() {
    let s = Sandbox::with_init(&[]);
    write(&s, "web/a.ts", "");
    write(&s, "comm.toml", "# mine\n");
    git_as(&s, None, "add -A").succeeds();
    let run = s.comm("boundary init --write").exits(1);
    assert!(run.stderr.contains("there is a comm.toml already"), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(s.repo().join("comm.toml")).unwrap(), "# mine\n");
    // Nor is a link followed that leads elsewhere.
    std::fs::remove_file(s.repo().join("comm.toml")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("elsewhere.toml", s.repo().join("comm.toml")).unwrap();
        let _ = s.comm("boundary init --write").exits(1);
        assert!(!s.repo().join("elsewhere.toml").exists());
    }
}

#[test]
fn without_sources_there_is_nothing_to_derive() {
    let run = Sandbox::with_init(&[]).comm("boundary init").exits(1);
    assert!(run.stderr.contains("no file in a language that imports are read in"), "{}", run.stderr);
}

#[test]
fn names_that_mean_something_to_toml_and_globs_are_taken_literally() {
    let s = Sandbox::with_init(&[]);
    for folder in ["[id]", "{a,b}", "w\"q\\x", "*", "ä é"] {
        write(&s, &format!("app/{folder}/one.ts"), "import '../shared/all'\nimport './two'\n");
        write(&s, &format!("app/{folder}/two.ts"), "");
    }
    write(&s, "app/shared/all.ts", "import '../[id]/two'\nimport '../{a,b}/two'\nimport '../*/two'\n");
    git_as(&s, None, "add -A").succeeds();
    let rules = check_green(&s);
    assert_eq!(rules.matches("[domains.").count(), 6, "{rules}");
    check_shut(&s, "app/[id]/two.ts", "import '../ä é/two'");
}

/// A package as its registry has it, unpacked.
struct Package {
    name: &'static str,
    /// How it is downloaded, by version and hash.
    fetch: &'static [&'static str],
    /// Folders that are no sources of its own.
    without: &'static [&'static str],
}

fn unpacked(package: &Package) -> Option<PathBuf> {
    let root = cache().join(format!("init-{}", package.name));
    let made = once(&root, &package.fetch.join("\n"), || {
        package.fetch.iter().all(|words| {
            let words = split(words);
            let out = Command::new(&words[0]).args(&words[1..]).current_dir(&root).output();
            let is_done = out.as_ref().is_ok_and(|out| out.status.success());
            if !is_done {
                eprintln!("{words:?}: {out:?}");
            }
            is_done
        })
    });
    made.then_some(root)
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-R").arg(from).arg(to).status().unwrap().success());
}

#[track_caller]
fn check_package(package: &Package, inside: &str, domain: &str) {
    let Some(root) = unpacked(package) else { return };
    let s = Sandbox::with_init(&[]);
    for entry in std::fs::read_dir(root.join(inside)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let is_wanted =
            !package.without.iter().any(|left| name == *left) && !name.to_string_lossy().starts_with('.');
        if is_wanted {
            copied(&entry.path(), &s.repo().join(name));
        }
    }
    git_as(&s, None, "add -A").succeeds();
    let rules = check_green(&s);
    assert!(rules.contains(domain), "{rules}");
    assert!(rules.lines().count() < 200, "{rules}");
}

#[test]
fn a_package_of_npm() {
    if !has_tool("npm", &["--version"]) {
        return;
    }
    let package = Package {
        name: "redux",
        fetch: &[
            "npm pack --silent redux@5.0.1",
            "sh -c 'echo \"adacd4f8a377e638a3feb568e45e8b8ff22c926516941db25b1acfc34d94398b  redux-5.0.1.tgz\" | sha256sum -c'",
            "tar -xzf redux-5.0.1.tgz",
        ],
        without: &["dist"],
    };
    check_package(
        &package,
        "package",
        "[domains.utils]\npath = \"src/utils\"\nallowed_imports = [\"domain:types\"]\n",
    );
}

#[test]
fn a_package_of_pypi() {
    if !has_tool("python3", &["-m", "pip", "--version"]) {
        return;
    }
    let package = Package {
        name: "httpx",
        fetch: &[
            "sh -c 'echo \"httpx==0.28.1 --hash=sha256:d909fcccc110f8c7faf814ca82a9a4d816bc5a6dbfea25d6591d6985b8ba59ad\" > pin'",
            "python3 -m pip download -q --no-deps --only-binary :all: --require-hashes -r pin",
            "python3 -m zipfile -e httpx-0.28.1-py3-none-any.whl wheel",
        ],
        without: &[],
    };
    check_package(&package, "wheel", "[domains.transports]\npath = \"httpx/_transports\"\n");
}
