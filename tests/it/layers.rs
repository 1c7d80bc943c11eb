//! The code keeps to its layers, and what is deliberately absent is absent.
//!
//! `comm.toml` says which domain each file belongs to and what a domain may
//! import; `docs/architecture.md` says why.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use globset::Glob;

use crate::support::rust;

/// From low to high: nothing imports what stands behind it.
const ORDER: [&str; 14] = [
    "text", "env", "model", "syntax", "gate", "boundary", "config", "git", "store", "exec", "ops", "render",
    "cli", "main",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the repository that git does not ignore.
fn tracked() -> Vec<String> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]);
    let out = git.arg("--exclude-standard").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let names = String::from_utf8(out.stdout).unwrap();
    let mut names: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    names.retain(|name| root().join(name).exists());
    assert!(names.len() > 50, "{names:?}");
    names
}

/// A file of `src/`: its path, its module, its code without tests.
struct Source {
    path: String,
    module: Vec<String>,
    code: String,
}

fn sources() -> Vec<Source> {
    let files: Vec<String> =
        tracked().into_iter().filter(|f| f.starts_with("src/") && f.ends_with(".rs")).collect();
    let text = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let mut only_for_tests = Vec::new();
    for path in &files {
        let (dir, name) = path.rsplit_once('/').unwrap();
        // `a/mod.rs` has its modules beside it, `a.rs` below `a/`.
        let dir = match name {
            "mod.rs" | "lib.rs" | "main.rs" => dir,
            _ => path.trim_end_matches(".rs"),
        };
        only_for_tests.extend(rust::test_modules(&text(path)).iter().map(|name| format!("{dir}/{name}.rs")));
    }
    let source = |path: &String| {
        let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
        module.retain(|name| !["mod", "lib", "main"].contains(&name.as_str()));
        Source { path: path.clone(), module, code: rust::code(&text(path)) }
    };
    // Modules of test modules lie in a folder of that name.
    let is_for_tests = |file: &str| {
        let is_below = |test: &String| {
            test.strip_suffix(".rs")
                .and_then(|folder| file.strip_prefix(folder))
                .is_some_and(|rest| rest.starts_with('/'))
        };
        only_for_tests.iter().any(|test| test == file || is_below(test))
    };
    files.iter().filter(|file| !is_for_tests(file)).map(source).collect()
}

/// A domain of `comm.toml`.
#[derive(Debug, Default)]
struct Domain {
    scope: Vec<String>,
    allowed: Vec<String>,
}

fn domains() -> BTreeMap<String, Domain> {
    let text = std::fs::read_to_string(root().join("comm.toml")).unwrap();
    let text: String =
        text.lines().filter(|l| !l.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
    let mut domains = BTreeMap::new();
    for section in text.split("\n[domains.").skip(1) {
        let (name, body) = section.split_once(']').unwrap();
        let mut domain = Domain::default();
        for (key, rest) in body.split(']').filter_map(|part| part.split_once('[')) {
            let values = rest.split('"').skip(1).step_by(2).map(str::to_owned).collect();
            match key.trim().trim_end_matches('=').trim() {
                "scope" => domain.scope = values,
                "allowed_imports" => domain.allowed = values,
                other => panic!("domain {name}: {other}"),
            }
        }
        domains.insert(name.to_owned(), domain);
    }
    domains
}

fn matches(patterns: &[String], what: &str) -> bool {
    patterns.iter().any(|pattern| Glob::new(pattern).unwrap().compile_matcher().is_match(what))
}

fn domain_of<'d>(domains: &'d BTreeMap<String, Domain>, path: &str) -> &'d str {
    let mut owners = domains.iter().filter(|(_, domain)| matches(&domain.scope, path));
    let owner = owners.next().unwrap_or_else(|| panic!("{path} is in no domain of comm.toml"));
    assert!(owners.next().is_none(), "{path} is in two domains of comm.toml");
    owner.0
}

/// What a file imports: files of `src/`, and packages as `pkg:name`.
fn imports(source: &Source, packages: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for path in rust::paths(&source.code, &source.module) {
        match path[0].as_str() {
            "crate" | "git_comm" => found.push(file_of(&path[1..])),
            word => {
                let package = packages.iter().find(|p| p.replace('-', "_") == word);
                found.extend(package.map(|name| format!("pkg:{name}")));
            }
        }
    }
    found
}

/// The file of the innermost module that the path names.
fn file_of(path: &[String]) -> String {
    for len in (1..=path.len()).rev() {
        let stem = format!("src/{}", path[..len].join("/"));
        for file in [format!("{stem}.rs"), format!("{stem}/mod.rs")] {
            if root().join(&file).is_file() {
                return file;
            }
        }
    }
    "src/lib.rs".to_owned()
}

/// The direct dependencies.
fn packages() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let sections = manifest.split("\n[").filter(|s| s.split(']').any(|head| head.ends_with("dependencies")));
    let lines = sections.flat_map(|section| section.lines().skip(1));
    lines.filter_map(|line| line.split_once(" = ").map(|(name, _)| name.to_owned())).collect()
}

#[test]
fn every_import_stays_in_its_layer() {
    let (domains, packages) = (domains(), packages());
    let rank = |domain: &str| ORDER.iter().position(|name| *name == domain).unwrap();
    let (mut seen, mut wrong) = (0, Vec::new());
    for source in sources() {
        let own = domain_of(&domains, &source.path);
        for import in imports(&source, &packages) {
            seen += 1;
            let is_own = !import.starts_with("pkg:") && domain_of(&domains, &import) == own;
            let is_above = !import.starts_with("pkg:") && rank(domain_of(&domains, &import)) > rank(own);
            if is_above || !(is_own || matches(&domains[own].allowed, &import)) {
                wrong.push(format!("{} imports {import}", source.path));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 400, "only {seen} imports were seen");
}

#[test]
fn the_registry_allows_nothing_upwards() {
    let domains = domains();
    let scope_of = |name: &str| domains[name].scope.clone();
    for (i, name) in ORDER.iter().enumerate() {
        for above in &ORDER[i + 1..] {
            for scope in scope_of(above) {
                let example = scope.replace("**", "mod.rs");
                assert!(!matches(&domains[*name].allowed, &example), "{name} may import {example}");
            }
        }
    }
    assert_eq!(domains.len(), ORDER.len());
    let pure: Vec<&String> = domains["model"].allowed.iter().filter(|p| !p.starts_with("pkg:")).collect();
    assert_eq!(pure, ["src/text/**"], "rules know no git, no records, no clock");
}

/// No file but those below `places` may contain any of `words`, in its text
/// or (`std::env::var`) as an item imported from a group.
#[track_caller]
fn check_only_in(places: &[&str], words: &[&str]) {
    for source in sources() {
        if places.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        let paths = rust::paths(&source.code, &source.module);
        let spread: String = paths.iter().map(|path| format!("{}\n", path.join("::"))).collect();
        for word in words {
            for text in [&source.code, &spread] {
                let at = text.match_indices(word).find(|(i, _)| {
                    // `println!` is not `print!`, but `std::env::var` is `env::var`.
                    word.starts_with('.') || !text[..*i].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                });
                assert!(at.is_none(), "{} has `{word}`", source.path);
            }
        }
    }
}

#[test]
fn only_env_reads_the_surroundings() {
    let reads = [
        "env::var",
        "env::vars",
        "env::args",
        "env::current_dir",
        "env::current_exe",
        "env::temp_dir",
        "env::home_dir",
        "env::set_var",
        "SystemTime::now",
        "Instant::now",
        ".elapsed(",
        "thread::sleep",
        "getrandom",
        "process::id",
        "is_terminal(",
        "IsTerminal",
        "clock_gettime",
        "uname(",
    ];
    let in_main: Vec<&str> = reads.into_iter().filter(|word| *word != "env::args").collect();
    check_only_in(&["src/env.rs", "src/main.rs"], &reads);
    check_only_in(&["src/env.rs"], &in_main);
}

#[test]
fn only_git_and_exec_start_processes() {
    check_only_in(&["src/git/", "src/exec/"], &["std::process::Command", "process::Command"]);
}

#[test]
fn rules_and_texts_touch_nothing_outside() {
    let outside = ["std::fs", "std::io", "std::process", "std::env", "std::thread", "SystemTime", "Instant"];
    let others: Vec<String> = sources().into_iter().map(|s| s.path).collect();
    let others: Vec<&str> = others
        .iter()
        .map(String::as_str)
        .filter(|path| !path.starts_with("src/model/") && !path.starts_with("src/text/"))
        .collect();
    check_only_in(&others, &outside);
}

#[test]
fn there_is_no_server_and_no_daemon() {
    check_only_in(
        &[],
        &[
            "std::net",
            "os::unix::net",
            "TcpListener",
            "UnixListener",
            "UdpSocket",
            "setsid",
            "daemon",
            "fork(",
        ],
    );
}

#[test]
fn refs_are_never_moved_by_gix() {
    check_only_in(
        &[],
        &[
            ".edit_reference",
            "edit_references",
            ".set_target_id",
            ".tag_reference",
            "gix::refs",
            "gix_ref",
            "PreviousValue",
            "RefEdit",
            "index::write",
            "gix::worktree",
        ],
    );
}

#[test]
fn nothing_panics_and_nothing_is_unsafe() {
    check_only_in(
        &[],
        &[
            ".unwrap()",
            ".expect(",
            ".unwrap_unchecked(",
            "panic!",
            "unreachable!",
            "todo!",
            "unimplemented!",
            "assert!",
            "assert_eq!",
            "assert_ne!",
            "unsafe ",
            "process::exit",
            "process::abort",
        ],
    );
    check_only_in(&[], &["println!", "print!", "eprintln!", "eprint!", "dbg!"]);
    check_only_in(
        &[],
        &[
            "allow(clippy::unwrap_used",
            "allow(clippy::expect_used",
            "allow(clippy::panic",
            "allow(unsafe_code",
        ],
    );
    check_only_in(&["src/env.rs"], &["allow(clippy::disallowed_methods"]);
}

#[test]
fn files_stay_small() {
    for path in tracked().iter().filter(|f| f.ends_with(".rs")) {
        let lines = std::fs::read_to_string(root().join(path)).unwrap().lines().count();
        assert!(lines < 500, "{path} has {lines} lines");
    }
}

#[test]
fn the_top_level_holds_what_it_should() {
    let allowed =
        ["Cargo.toml", "Cargo.lock", "README.md", "comm.toml", "src", "hooks", "tests", "fixtures", "docs"];
    for path in tracked() {
        let top = path.split('/').next().unwrap();
        let is_allowed = allowed.contains(&top) || top.starts_with("LICENSE-") || top.starts_with('.');
        assert!(is_allowed, "{top} is at the top level");
    }
}

#[test]
fn nothing_names_a_machine() {
    // In parts, so that this file does not name them.
    let homes = [("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/"), ("/ho", "me/"), ("C:", "\\Users")];
    for path in tracked() {
        let bytes = std::fs::read(root().join(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for (a, b) in homes {
            let home = format!("{a}{b}");
            let at = text.find(&home).map(|at| text[..at].lines().count());
            assert!(at.is_none(), "{path}:{} names {home}", at.unwrap_or_default());
        }
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let official = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        assert_eq!(line, official, "every package comes from crates.io");
    }
}
