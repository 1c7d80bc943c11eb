//! The commit gate and its check in CI, through real commits.

use std::process::Command;

use crate::hooks_support::RULES;
use crate::support::{Run, Sandbox, split};

/// A repository with two domains and the hooks that init installs.
pub(crate) fn guarded(rules: &str) -> Sandbox {
    let s = Sandbox::new();
    guarded_in(&s, rules);
    s
}

pub(crate) fn guarded_in(s: &Sandbox, rules: &str) {
    write(s, "comm.toml", rules);
    write(s, "api/a.txt", "a");
    write(s, "web/w.txt", "w");
    git_as(s, None, "add -A").succeeds();
    git_as(s, None, "commit -q -m rules").succeeds();
}

pub(crate) fn write(s: &Sandbox, path: &str, text: &str) {
    let path = s.repo().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// git as a person runs it, or as an agent does.
pub(crate) fn git_as(s: &Sandbox, agent: Option<&str>, words: &str) -> Run {
    let mut command: Command = s.bare_command("git", s.repo());
    if let Some(agent) = agent {
        command.env("GIT_COMM_AGENT", agent);
        command.env("GIT_AUTHOR_NAME", agent).env("GIT_AUTHOR_EMAIL", format!("{agent}@agents.example"));
    }
    Run::of(&command.args(split(words)).output().unwrap(), words)
}

#[test]
fn an_agent_commits_inside_its_scope_only() {
    let s = guarded(RULES);
    write(&s, "api/b.txt", "b");
    git_as(&s, Some("ada"), "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m inside").succeeds();
    write(&s, "web/b.txt", "b");
    git_as(&s, Some("ada"), "add -A").succeeds();
    let refused = git_as(&s, Some("ada"), "commit -q -m outside").exits(1);
    assert!(refused.stderr.contains("web/b.txt: domain web, agent bob"), "{}", refused.stderr);
    assert!(refused.stderr.contains("git comm add TITLE --domain web"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("--no-verify"), "{}", refused.stderr);
    let log = s.comm("log --kind refused --json").json();
    assert_eq!(log["events"][0]["agent"], "ada");
    assert_eq!(log["events"][0]["event"]["findings"][0]["path"], "web/b.txt");
    assert_eq!(log["events"][0]["event"]["findings"][0]["owner"], "web");
    git_as(&s, Some("bob"), "commit -q -m bobs").succeeds();
}

#[test]
fn every_form_of_commit_is_judged() {
    let s = guarded(RULES);
    write(&s, "web/w.txt", "changed");
    git_as(&s, Some("ada"), "commit -q -a -m all").exits(1);
    git_as(&s, Some("ada"), "commit -q -m path web/w.txt").exits(1);
    git_as(&s, Some("ada"), "checkout -q web/w.txt").succeeds();
    git_as(&s, Some("ada"), "rm -q web/w.txt").succeeds();
    git_as(&s, Some("ada"), "commit -q -m removed").exits(1);
    git_as(&s, Some("ada"), "reset -q --hard").succeeds();
    git_as(&s, Some("ada"), "mv web/w.txt api/w.txt").succeeds();
    git_as(&s, Some("ada"), "commit -q -m moved").exits(1);
    git_as(&s, Some("ada"), "reset -q --hard").succeeds();
    write(&s, "api/a.txt", "good");
    git_as(&s, Some("ada"), "commit -q -a -m good").succeeds();
    write(&s, "web/w.txt", "smuggled");
    git_as(&s, Some("ada"), "commit -q -a --amend --no-edit").exits(1);
    git_as(&s, None, "checkout -q web/w.txt").succeeds();
    write(&s, "api/a.txt", "better");
    git_as(&s, Some("ada"), "commit -q -a --amend --no-edit").succeeds();
    write(&s, "web/w.txt", "smuggled");
    // Nor is another's commit taken over, to be ada's from then on.
    git_as(&s, None, "checkout -q web/w.txt").succeeds();
    write(&s, "web/w.txt", "bob's");
    git_as(&s, Some("bob"), "commit -q -a -m bobs").succeeds();
    for words in [
        "commit -q --amend --no-edit",
        "commit -q --amend --no-edit --reset-author",
        "commit -q -C HEAD --amend",
        "commit -q --amend -m mine",
        "commit -q --am -C @ --allow-empty",
        "-c alias.again='commit -q --amend --reset-author' again -m mine",
    ] {
        let refused = git_as(&s, Some("ada"), words).exits(1);
        assert!(refused.stderr.contains("web/w.txt: domain web, agent bob"), "{}", refused.stderr);
    }
    git_as(&s, Some("bob"), "commit -q --amend -m 'still bobs'").succeeds();
    git_as(&s, Some("bob"), "commit -q --amend --no-edit").succeeds();
    write(&s, "web/w.txt", "smuggled");
    // From a folder below, with GIT_DIR set as git sets it for hooks.
    let mut command = s.bare_command("git", &s.repo().join("api"));
    command.env("GIT_COMM_AGENT", "ada").args(["commit", "-q", "-a", "-m", "below"]);
    Run::of(&command.output().unwrap(), "below").exits(1);
    // What is staged counts, not what lies in the working tree.
    git_as(&s, Some("ada"), "add web/w.txt").succeeds();
    write(&s, "web/w.txt", "bob's");
    git_as(&s, Some("ada"), "commit -q -m staged").exits(1);
}

#[test]
fn rules_loosened_together_with_their_violation_do_not_help() {
    let s = guarded(RULES);
    write(&s, "comm.toml", &RULES.replace("path = 'api'", "scope = ['**']"));
    write(&s, "web/b.txt", "b");
    git_as(&s, Some("ada"), "add -A").succeeds();
    let refused = git_as(&s, Some("ada"), "commit -q -m loosened").exits(1);
    assert!(refused.stderr.contains("comm.toml: the rules are in no agent's scope"), "{}", refused.stderr);
    assert!(refused.stderr.contains("web/b.txt: domain web"), "{}", refused.stderr);
    git_as(&s, None, "commit -q -m 'a person may'").succeeds();
    write(&s, "comm.toml", "[domains.api]\nscop = 'x'\n");
    let refused = git_as(&s, None, "commit -q -a -m broken").exits(1);
    assert!(
        refused.stderr.contains("comm.toml:2:1: unknown key `scop`; did you mean `scope`?"),
        "{}",
        refused.stderr
    );
}

#[test]
fn where_a_claim_is_required_there_is_no_commit_without_one() {
    let s = guarded(&format!("{RULES}require_claim = true\n"));
    s.add("one");
    write(&s, "api/a.txt", "1");
    let refused = git_as(&s, Some("ada"), "commit -q -a -m early").exits(1);
    assert!(refused.stderr.contains("`ada` holds no task"), "{}", refused.stderr);
    s.as_agent("ada", "claim bd-1").succeeds();
    git_as(&s, Some("ada"), "commit -q -a -m held").succeeds();
    let message = git_as(&s, None, "log -1 --format=%B").stdout;
    assert!(message.contains("\nComm-Task: bd-1\nComm-Fence: 1:"), "{message}");
    git_as(&s, Some("ada"), "commit -q --amend -m 'said better'").succeeds();
    assert_eq!(git_as(&s, None, "log -1 --format=%B").stdout.matches("Comm-Fence").count(), 1);
}

#[test]
fn a_message_with_a_rule_across_it_still_names_its_claim() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "ruled");
    git_as(&s, Some("ada"), "commit -q -a -m subject -m above -m '---' -m below").succeeds();
    let trailers = git_as(&s, None, "log -1 --format=%(trailers)").stdout;
    assert!(trailers.contains("Comm-Fence: 1:"), "{trailers}");
    s.comm("ci --base HEAD~1").succeeds();
}

#[test]
fn a_holder_that_lost_its_claim_commits_no_more() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1 --ttl 1s").succeeds();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    s.as_agent("bob", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "late");
    let refused = git_as(&s, Some("ada"), "commit -q -a -m late").exits(1);
    assert!(refused.stderr.contains("taken over by bob"), "{}", refused.stderr);
}

#[test]
fn the_example_of_the_guide_is_accepted() {
    let guide = include_str!("../../docs/comm-toml.md");
    let example = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let s = guarded(example);
    s.comm("doctor").succeeds();
}

/// Whatever the environment leaves out or says otherwise, an agent's worktree
/// is the agent's.
#[test]
fn a_bound_worktree_commits_as_its_agent() {
    let s = guarded(RULES);
    s.comm("worktree add wt --agent cy --domain api").succeeds();
    let dir = s.root().join("repo.worktrees/wt");
    std::fs::write(dir.join("web/w.txt"), "smuggled").unwrap();
    let commit = |vars: &[(&str, &str)], words: &str| {
        let mut command = s.bare_command("git", &dir);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env_remove(format!("GIT_{role}_NAME")).env_remove(format!("GIT_{role}_EMAIL"));
        }
        Run::of(&command.envs(vars.iter().copied()).args(split(words)).output().unwrap(), words)
    };
    let outside = "web/w.txt: domain web, agent bob";
    let cleared = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "comm.agent"), ("GIT_CONFIG_VALUE_0", "")];
    let widened =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "comm.domain"), ("GIT_CONFIG_VALUE_0", "web")];
    for (vars, words, says) in [
        (&[][..], "commit -q -a -m x", outside),
        (&cleared[..], "commit -q -a -m x", outside),
        (&widened[..], "commit -q -a -m x", outside),
        (&[], "-c comm.agent= commit -q -a -m x", outside),
        (&[], "-c comm.domain=web commit -q -a -m x", outside),
        (
            &[("GIT_AUTHOR_NAME", "Somebody")],
            "-c comm.agent= -c user.name=Somebody commit -q -a -m x",
            outside,
        ),
        (&[("GIT_COMM_AGENT", "bob")], "commit -q -a -m x", "this worktree is `cy`'s, and you are `bob`"),
        (&[], "-c comm.agent=bob commit -q -a -m x", "this worktree is `cy`'s, and you are `bob`"),
    ] {
        let run = commit(vars, words).exits(1);
        assert!(run.stderr.contains(says), "{vars:?} {words}: {}", run.stderr);
    }
    // Its own file, which it can write, is all that names it.
    git_as(&s, None, "-C ../repo.worktrees/wt config --worktree --unset comm.agent").succeeds();
    let run = commit(&[("GIT_AUTHOR_NAME", "Somebody")], "commit -q -a -m x").exits(1);
    assert!(run.stderr.contains("bound to an agent's work, and no agent is named"), "{}", run.stderr);
}

#[test]
fn an_author_by_an_agents_name_is_that_agent() {
    let s = guarded(RULES);
    write(&s, "web/w.txt", "smuggled");
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_AUTHOR_NAME", "Ada").args(["commit", "-q", "-a", "-m", "x"]);
    let run = Run::of(&command.output().unwrap(), "as Ada").exits(1);
    assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{}", run.stderr);
    git_as(&s, None, "commit -q -a -m 'a person'").succeeds();
}

/// git hands its `-c` down in a variable of its own.
#[test]
fn settings_given_to_git_count() {
    let s = guarded(RULES);
    write(&s, "web/w.txt", "smuggled");
    let run = git_as(&s, None, "-c comm.agent=ada commit -q -a -m x").exits(1);
    assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{}", run.stderr);
    let mut command = s.command();
    command.env("GIT_CONFIG_PARAMETERS", "'comm.agent'='ada'").args(["whoami", "--json"]);
    assert_eq!(Run::of(&command.output().unwrap(), "whoami").succeeds().json()["name"], "ada");
}

/// A name is bytes: nothing in it makes a file another domain's, or nobody's.
#[test]
fn hostile_names_are_judged_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    let put = |name: &[u8]| {
        let path = s.repo().join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
        git_as(&s, None, "add -A").succeeds();
    };
    let names: [&[u8]; 8] = [
        b"new\nline",
        b"\xff\xfe",
        b"-x",
        b"--no-verify",
        b" ",
        b"\"quoted\"",
        b"\x1b[31mred",
        b"tab\t*?[x]",
    ];
    for name in names {
        put(&[b"api/", name].concat());
        git_as(&s, Some("ada"), "commit -q -m inside").succeeds();
        for outside in [&b"web/"[..], b"", b"API/", b"api", b"api /", b"api\n/"] {
            put(&[outside, name].concat());
            let refused = git_as(&s, Some("ada"), "commit -q -m outside").exits(1);
            assert!(
                refused.stderr.contains("1 of 1 staged file outside the scope of `ada`"),
                "{}",
                refused.stderr
            );
            assert!(
                !refused.stderr.contains('\x1b') && !refused.stderr.contains('\u{fffd}'),
                "{}",
                refused.stderr
            );
            git_as(&s, None, "reset -q --hard").succeeds();
        }
    }
    s.comm("ci --base main~8").succeeds();
    // A link is the file that it is, wherever it points; so is a submodule.
    std::os::unix::fs::symlink("../web/w.txt", s.repo().join("api/link")).unwrap();
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m link").succeeds();
    std::os::unix::fs::symlink("/etc", s.repo().join("web/out")).unwrap();
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m link").exits(1);
    git_as(&s, None, "reset -q --hard").succeeds();
    let head = s.git("rev-parse HEAD").stdout.trim().to_owned();
    for (path, code) in [("web/sub", 1), ("api/sub", 0)] {
        git_as(&s, None, &format!("update-index --add --cacheinfo 160000,{head},{path}")).succeeds();
        git_as(&s, Some("ada"), "commit -q -m sub").exits(code);
        git_as(&s, None, "reset -q").succeeds();
    }
    let log = s.comm("log --kind refused --json -n 0").succeeds().json();
    assert!(log["events"].as_array().unwrap().len() > 40);
}

#[test]
fn what_was_handed_over_is_committed_under_the_hand_over() {
    let s = guarded(&format!("{RULES}require_claim = true\n"));
    s.add("one");
    s.as_agent("bob", "claim bd-1").succeeds();
    s.as_agent("ada", "agent register").succeeds();
    write(&s, "api/a.txt", "ada's");
    git_as(&s, Some("ada"), "commit -q -a -m early").exits(1);
    s.as_agent("bob", "handover --to ada").succeeds();
    git_as(&s, Some("ada"), "commit -q -a -m handed").succeeds();
    let message = git_as(&s, None, "log -1 --format=%B").stdout;
    assert!(message.contains("\nComm-Task: bd-1\nComm-Fence: 2:"), "{message}");
    s.comm("ci --base HEAD~1").succeeds();
}
