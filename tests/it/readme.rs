//! What the README and the guides promise is run as it stands there.

use std::path::Path;

use crate::support::{Run, Sandbox, program};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The commands of a section that are not run in the order of the whole.
fn section_commands(name: &str, section: &str) -> Vec<String> {
    let text = file(name);
    let section = text.split(&format!("\n## {section}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```shell\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
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
    // A neighbour with a worktree of the same name.
    std::fs::create_dir_all(s.root().join("another.worktrees/api-1")).unwrap();
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

/// In a clone of an empty remote, as a newcomer has it.
#[cfg(unix)]
const CLONED: &str = "git clone -q --bare . ../hub.git
git remote add origin ../hub.git
git push -q -u origin main
unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
git config user.name 'Kai Conductor'
git config user.email kai@example.com
";

#[test]
#[cfg(unix)]
fn the_guide_works_with_a_remote_too() {
    let s = Sandbox::with_init(&[]);
    let guide = shell_blocks("docs/agents.md").join("\n");
    let run = run_in_shell(&s, &format!("{CLONED}{guide}"), "the guide").succeeds();
    assert!(run.stderr.contains("web/page.txt: domain web, owner Bob"), "{}", run.stderr);
    assert!(!run.stderr.contains("it lacks"), "{}", run.stderr);
}

/// The fleet of the README, in a repository whose trunk is a remote's.
#[test]
#[cfg(unix)]
fn the_fleet_works_with_a_remote() {
    let readme = file("README.md");
    let section = readme.split("## A fleet\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let commands: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    let s = Sandbox::with_init(&[]);
    let rules = "git comm init
cat > comm.toml <<TOML
[domains.api]
path = 'api'

[commit]
people = ['kai@example.com']
TOML
";
    let run = run_in_shell(&s, &format!("{CLONED}{rules}{}", commands.join("\n")), "the fleet").succeeds();
    assert!(!run.stderr.contains("it lacks"), "{}", run.stderr);
    for told in ["comm.toml", "AGENTS.md", ".claude/settings.json"] {
        assert!(s.root().join("repo.worktrees/api-1").join(told).is_file(), "{told}");
    }
    assert!(!s.comm("doctor").stdout.contains("neither its HEAD"));
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
    assert!(
        run.stdout.contains("it names no claim, and ada <kai@example.com> is not among"),
        "{}",
        run.stdout
    );
}

/// The fleet's clone pushes, another one adopts, and fetches what came later.
#[test]
#[cfg(unix)]
fn the_board_goes_to_the_remote_and_comes_from_there() {
    let told = section_commands("docs/agents.md", "The board and the remote");
    let [sync] = &told[..] else { panic!("how to share it: {told:?}") };
    let s = Sandbox::with_init(&[]);
    let commands = format!(
        "{CLONED}git config --global user.name Kai\ngit config --global user.email kai@example.com\ngit comm init --no-hooks\ngit comm add one\n{sync}
git clone -q ../hub.git ../clone
git -C ../clone comm init --no-hooks
git comm add two\n{sync}
cd ../clone
{sync}
git comm show bd-2
git comm edit bd-1 --title mine
cd - > /dev/null
git comm edit bd-1 --priority 0\n{sync}
cd ../clone
{sync}
git comm show bd-1"
    );
    let run = run_in_shell(&s, &commands, "the board").succeeds();
    assert!(run.stdout.contains("adopted the board of `origin`"), "{}", run.stdout);
    assert!(run.stdout.contains("bd-2  two\n"), "{}", run.stdout);
    assert!(run.stdout.contains("bd-1  mine\n") && run.stdout.contains("task  p0"), "{}", run.stdout);
}

/// After the guide and its way to leave only what it names is left, and the
/// commands that are printed with that take it away.
#[test]
#[cfg(unix)]
fn leaving_leaves_what_it_says() {
    let told = section_commands("docs/agents.md", "Leave");
    let [leave] = &told[..] else { panic!("one block: {told:?}") };
    let by_person = leave.replace("git comm init --remove", "git comm --as-person init --remove");
    assert_ne!(*leave, by_person);
    let s = Sandbox::with_init(&[]);
    let guide = shell_blocks("docs/agents.md").join("\n");
    let [sync] = &section_commands("docs/agents.md", "The board and the remote")[..] else { panic!() };
    // On a terminal the first `init` leaves the secret.
    let secret = "script -qec 'git comm init' /dev/null > /dev/null";
    let commands = format!("{CLONED}{secret}\n{guide}{sync}{by_person}");
    let run = run_in_shell(&s, &commands, "leaving").succeeds();
    let left: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix("left: ")).collect();
    let [board, extension] = &left[..] else { panic!("{left:?}") };
    assert!(run.stdout.contains(", and the person's secret "), "{}", run.stdout);
    let secrets = s.root().join("home/.local/state/git-comm/person");
    assert_eq!(std::fs::read_dir(secrets).unwrap().count(), 0);
    assert_eq!(s.git("for-each-ref refs/comm-node refs/comm-node-remote").stdout, "");
    assert_eq!(s.git("status --porcelain").stdout, "");
    for file in ["AGENTS.md", ".claude/settings.json", ".gemini/settings.json", "comm.toml"] {
        assert!(!s.repo().join(file).exists(), "{file}");
    }
    let board = board.strip_prefix("the board on origin, if it is there: ").unwrap();
    assert_ne!(s.git("ls-remote origin refs/comm-node/*").stdout, "");
    Run::of(&s.bare_command("sh", s.repo()).args(["-ec", board]).output().unwrap(), board).succeeds();
    assert_eq!(s.git("ls-remote origin refs/comm-node/*").stdout, "");
    let (_, extension) = extension.rsplit_once(": ").unwrap();
    s.git(extension.strip_prefix("git ").unwrap()).succeeds();
    assert!(!std::fs::read_to_string(s.repo().join(".git/config")).unwrap().contains("worktreeConfig"));
}

#[test]
fn it_names_the_versions_that_the_package_needs() {
    let (readme, package) = (file("README.md"), file("Cargo.toml"));
    let rust = package.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    assert!(readme.contains(&format!("Rust {}", rust.trim_end_matches('"'))));
}

#[test]
fn how_to_get_the_program_is_said_in_one_way() {
    let (readme, package) = (file("README.md"), file("Cargo.toml"));
    for told in ["git clone URL git-comm", "cd git-comm", "cargo install --path ."] {
        assert!(readme.contains(&format!("\n    {told}")), "{told}");
    }
    assert!(package.contains("name = \"git-comm\""));
    // It is in no registry.
    for name in ["src/ops/error.rs", "src/ops/hooks/shim.rs", "README.md", "docs/ci.md", "docs/hooks.md"] {
        assert!(!file(name).contains("cargo install git-comm"), "{name}");
    }
}

/// What a text puts between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The line of the README that starts so; the reference has the same words.
fn shared(start: &str) -> String {
    let (readme, reference) = (file("README.md"), file("docs/cli.md"));
    let line = readme.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}"));
    assert!(reference.contains(line), "the reference says otherwise than: {line}");
    line.to_owned()
}

#[test]
fn what_it_says_of_who_may_do_what_holds_and_is_in_the_reference() {
    for start in ["Coordination writes", "Verbs whose job", "Verbs need a", "Without a board", "`ci` without"]
    {
        shared(start);
    }
    shared("Under a known agent harness");
    shared("A session is one agent");
    let s = Sandbox::new();
    s.add("one");
    s.add("two");
    s.as_agent("bob", "claim bd-2").succeeds();
    let whole = |verb: &str| match verb {
        "claim" => "claim bd-1".to_owned(),
        "renew" | "release" => format!("{verb} bd-2"),
        "handover" => "handover bd-2 --to ada".into(),
        "steal" => "steal bd-2 --reason urgent".into(),
        "setup harness" => "setup harness claude".into(),
        "worktree add --domain" => "worktree add web --domain web".into(),
        other => other.to_owned(),
    };
    let needs_name = shared("A script may read and write");
    let verbs = quoted(&needs_name);
    assert!(verbs.len() >= 7, "{verbs:?}");
    for verb in verbs.into_iter().map(whole).chain(["close bd-2".into()]) {
        s.comm(&verb).exits(5);
    }
    let persons = shared("`steal`");
    for verb in quoted(&persons).into_iter().take_while(|word| !word.starts_with("--")) {
        s.comm(&whole(verb)).exits(5);
        s.as_agent("ada", &whole(verb)).exits(5);
    }
    for verb in quoted(&shared("`setup agents-md`")) {
        s.as_agent("ada", &whole(verb)).exits(5);
    }
    assert_eq!(s.git("status --porcelain").stdout, "");
}

#[test]
fn without_a_board_it_goes_as_it_says() {
    let s = Sandbox::with_init(&[]);
    assert!(s.comm("list").succeeds().stdout.starts_with("0 tasks"), "reading finds nothing");
    s.comm("ci --base HEAD").exits(6);
    s.git("remote add origin ../hub.git").succeeds();
    s.comm("add one").exits(128);
    s.git("remote remove origin").succeeds();
    s.comm("add one").succeeds();
    for verb in ["prime", "hook pre-edit", "setup completions bash"] {
        let run = s.bare_command(program(), s.root()).args(crate::support::split(verb)).output().unwrap();
        let run = Run::of(&run, verb).succeeds();
        assert!(verb.starts_with("setup") || run.stdout.is_empty(), "{verb}: {}", run.stdout);
    }
    Run::of(&s.bare_command(program(), s.root()).arg("doctor").output().unwrap(), "doctor").exits(1);
    Run::of(&s.bare_command(program(), s.root()).arg("list").output().unwrap(), "list").exits(128);
}

#[test]
fn what_documents_point_to_is_there() {
    for name in ["README.md", "docs/agents.md", "docs/ci.md"] {
        let (text, folder) = (file(name), Path::new(name).parent().unwrap());
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, section) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { name.into() } else { folder.join(path) };
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).exists(), "{name}: {target}");
            let titled = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            let is_there = section.is_empty()
                || file(path.to_str().unwrap()).lines().any(|l| l.starts_with('#') && titled(l) == section);
            assert!(is_there, "{name}: {target}");
        }
    }
}
