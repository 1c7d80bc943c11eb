//! What the README promises is run as it stands there.

use std::path::Path;

use crate::support::{Run, Sandbox, program};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The README's blocks of shell commands that are meant to be run in order.
fn shell_blocks() -> Vec<String> {
    let readme = file("README.md");
    let blocks = readme.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
#[cfg(unix)]
fn the_first_five_minutes_work_in_a_fresh_repository() {
    let blocks = shell_blocks();
    let [block] = &blocks[..] else { panic!("one block is run: {blocks:?}") };
    let s = Sandbox::with_init(&[]);
    // As after an installation: git finds the program on PATH.
    let bin = s.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(program(), bin.join("git-comm")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut shell = s.bare_command("sh", s.repo());
    shell.args(["-eu", "-c", block]).env("PATH", format!("{}:{path}", bin.display()));
    let run = Run::of(&shell.output().unwrap(), "the README").succeeds();

    assert!(run.stdout.contains("exit code 1\n"), "{}", run.stdout);
    assert!(run.stdout.contains("> Take the longest match\n"), "{}", run.stdout);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{}", run.stderr);
    assert_eq!(s.task("bd-1")["state"], "done");
    let second = s.task("bd-2");
    assert_eq!((&second["state"], &second["claim"]["agent"]), (&"claimed".into(), &"ada".into()));
    assert_eq!(s.git("status --porcelain").stdout, "");
}

#[test]
fn it_names_the_versions_that_the_package_needs() {
    let (readme, package) = (file("README.md"), file("Cargo.toml"));
    let rust = package.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    assert!(readme.contains(&format!("Rust {}", rust.trim_end_matches('"'))));
}

#[test]
fn files_that_it_points_to_are_there() {
    let readme = file("README.md");
    let targets = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    for target in targets.filter(|target| !target.contains("://")) {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(target).exists(), "{target}");
    }
}
