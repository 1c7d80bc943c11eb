//! What the README and the guides promise is run as it stands there.

use std::path::Path;

use crate::support::{Run, Sandbox, program};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of shell commands that are meant to be run in order.
fn shell_blocks(name: &str) -> Vec<String> {
    let text = file(name);
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Runs shell commands as after an installation: git finds the program on
/// PATH.
#[cfg(unix)]
fn run_in_shell(s: &Sandbox, commands: &str, what: &str) -> Run {
    let bin = s.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(program(), bin.join("git-comm")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut shell = s.bare_command("sh", s.repo());
    shell.args(["-eu", "-c", commands]).env("PATH", format!("{}:{path}", bin.display()));
    Run::of(&shell.output().unwrap(), what)
}

#[test]
#[cfg(unix)]
fn the_guide_to_a_fleet_works_as_it_is_told() {
    let blocks = shell_blocks("docs/agents.md");
    assert!(blocks.len() >= 6, "{blocks:?}");
    let s = Sandbox::with_init(&[]);
    // The worktree's configuration, not the environment, says who commits.
    let commands = format!(
        "unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL\ngit config user.name 'Kai Conductor'\ngit config user.email kai@example.com\n{}",
        blocks.join("\n")
    );
    let run = run_in_shell(&s, &commands, "the guide").succeeds();
    assert!(run.stdout.contains("Comm-Task: bd-1\nComm-Fence: 1:"), "{}", run.stdout);
    assert!(run.stdout.contains("refused\n"), "{}", run.stdout);
    assert!(run.stderr.contains("web/page.txt: domain web, owner Bob"), "{}", run.stderr);
    assert_eq!(s.task("bd-1")["state"], "done");
    let ready = s.comm("ready --json").json();
    assert_eq!(ready["tasks"][0]["id"], "bd-2");
    assert!(!s.root().join("repo.worktrees/api-1").exists(), "removed: its work is in the trunk");
    let other = s.root().join("repo.worktrees/web-1");
    assert!(other.exists(), "kept: {}", run.stdout);
    for told in ["AGENTS.md", ".claude/settings.json", ".gemini/settings.json", "comm.toml"] {
        assert!(other.join(told).is_file(), "{told} was committed before the worktree was made");
    }
    assert!(run.stdout.contains("claim  pass  2 commits  0 findings"), "{}", run.stdout);
}

#[test]
#[cfg(unix)]
fn the_first_five_minutes_work_in_a_fresh_repository() {
    let blocks = shell_blocks("README.md");
    let [block] = &blocks[..] else { panic!("one block is run: {blocks:?}") };
    let s = Sandbox::with_init(&[]);
    let run = run_in_shell(&s, block, "the README").succeeds();

    assert!(run.stdout.contains("exit code 1\n"), "{}", run.stdout);
    assert!(run.stdout.contains("> Take the longest match\n"), "{}", run.stdout);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{}", run.stderr);
    assert_eq!(s.task("bd-1")["state"], "done");
    let second = s.task("bd-2");
    assert_eq!((&second["state"], &second["claim"]["agent"]), (&"claimed".into(), &"ada".into()));
    assert_eq!(s.git("status --porcelain").stdout, "");
}

/// In a clone without the board the first command of the workflow brings it.
#[test]
#[cfg(unix)]
fn the_workflow_of_ci_judges_a_clone() {
    let blocks = shell_blocks("docs/ci.md");
    let [block] = &blocks[..] else { panic!("one block is run: {blocks:?}") };
    let s = crate::commits::guarded(crate::hooks_support::RULES);
    crate::commits::write(&s, "web/w.txt", "smuggled");
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_AUTHOR_NAME", "ada").args(["commit", "-q", "-a", "--no-verify", "-m", "skipped"]);
    Run::of(&command.output().unwrap(), "skipped").succeeds();
    let clone = "git clone -q . ../clone && cd ../clone";
    let run = run_in_shell(&s, &format!("{clone}\nBASE=HEAD~1 HEAD=HEAD\n{block}"), "the workflow").exits(1);
    assert!(run.stdout.contains("web/w.txt: domain web, agent bob"), "{}", run.stdout);
    assert!(run.stdout.contains("it names no claim, and ada <kai@example.com> is not among"), "{}", run.stdout);
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
