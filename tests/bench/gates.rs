//! What the gates cost: each commit, and each edit of an agent.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::board::{self, Pair};
use crate::measure::{Effort, compare};
use crate::report::Row;
use crate::support::{Sandbox, split};

/// Files in the index, in folders of forty.
const FILES: usize = 10_000;
/// Files of a commit.
const CHANGED: usize = 10;

const RULES: &str = "\
[domains.api]
scope = ['folder-1*/**']
[domains.web]
scope = ['folder-[23]*/**']
owner = 'Team Web'
[domains.docs]
scope = ['docs/**', '**/*.md']
[commit]
require_claim = true
people = ['kai@example.com']
";

/// A repository of many files with rules and hooks, in which ada is of the
/// domain `api` and holds a task.
fn guarded(sandbox: &Sandbox) {
    fs::write(sandbox.repo().join("comm.toml"), RULES).unwrap();
    for n in 0..FILES {
        let path = file(sandbox, n);
        if n % 40 == 0 {
            fs::create_dir(path.parent().unwrap()).unwrap();
        }
        fs::write(path, format!("The content of file {n}.\n")).unwrap();
    }
    sandbox.git("add .").succeeds();
    sandbox.git("commit -q -m files").succeeds();
    sandbox.as_agent("ada", "agent register --domain api").succeeds();
    sandbox.as_agent("ada", "claim bd-1").succeeds();
}

fn file(sandbox: &Sandbox, n: usize) -> PathBuf {
    sandbox.repo().join(format!("folder-{}/file-{n}.txt", n / 40 + 100))
}

/// The hook as git runs it for `git commit`, by an agent.
fn pre_commit_hook(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.agent_command("ada");
    command.env("GIT_INDEX_FILE", ".git/index").env("GIT_PREFIX", "").env("GIT_EDITOR", ":");
    command.args(["hook", "pre-commit"]);
    command
}

/// Whoever commits waits for it. git lists the same files without judging
/// them.
pub(crate) fn pre_commit(effort: &Effort) -> Vec<Row> {
    let sandbox = board::with_tasks(20);
    guarded(&sandbox);
    for n in (0..FILES).step_by(FILES / 3 / CHANGED).take(CHANGED) {
        fs::write(file(&sandbox, n), "changed\n").unwrap();
    }
    sandbox.git("add -u").succeeds();
    let passed = pre_commit_hook(&sandbox).arg("--json").output().unwrap();
    let passed: serde_json::Value = serde_json::from_slice(&passed.stdout).unwrap();
    assert_eq!((&passed["files"], &passed["task"]), (&CHANGED.into(), &"bd-1".into()), "{passed}");
    let listed = "diff --cached --name-only";
    assert_eq!(sandbox.git(listed).succeeds().stdout.lines().count(), CHANGED);
    // What is judged is refused where it is somebody else's.
    let foreign = FILES - 1;
    fs::write(file(&sandbox, foreign), "changed\n").unwrap();
    sandbox.git("add -u").succeeds();
    let refused = pre_commit_hook(&sandbox).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("domain web, owner Team Web"), "{refused:?}");
    sandbox.git(&format!("reset -q -- {}", file(&sandbox, foreign).display())).succeeds();

    let compared = compare(
        effort.of(20),
        |c| c.cpu,
        |_| pre_commit_hook(&sandbox),
        |_| {
            let mut command = sandbox.bare_command("git", sandbox.repo());
            command.args(split(listed));
            command
        },
        |_| (),
    );
    vec![Row::of_times("pre-commit, 10 of 10,000 files / diff --cached, CPU", &compared, 3.0)]
}

/// An agent waits for it before each edit.
pub(crate) fn pre_edit(effort: &Effort) -> Vec<Row> {
    let pair = Pair::with_tasks(20, "process");
    guarded(&pair.ours);
    let call = |n: usize| {
        let path = pair.ours.root().join(format!("call-{n}.json"));
        let call = json!({
            "session_id": "00893aaf-19fa-41d2-8238-13269b9b3ca0",
            "transcript_path": pair.ours.root().join("home/transcript.jsonl"),
            "cwd": pair.ours.repo(),
            "permission_mode": "default",
            "hook_event_name": "PreToolUse",
            "tool_name": "Edit",
            "tool_input": {
                "file_path": file(&pair.ours, n),
                "old_string": "The content",
                "new_string": "What is in it\n".repeat(20),
                "replace_all": false,
            },
        });
        fs::write(&path, call.to_string()).unwrap();
        path
    };
    let hook = |call: &PathBuf| {
        let mut command = pair.ours.agent_command("ada");
        command.args(["hook", "pre-edit"]).stdin(fs::File::open(call).unwrap());
        command
    };
    let (own, foreign) = (call(0), call(FILES - 1));
    let allowed = hook(&own).output().unwrap();
    assert!(
        allowed.status.success() && allowed.stdout.is_empty() && allowed.stderr.is_empty(),
        "{allowed:?}"
    );
    let denied = hook(&foreign).output().unwrap();
    assert!(String::from_utf8_lossy(&denied.stdout).contains("domain web, owner Team Web"), "{denied:?}");
    let compared =
        compare(effort.of(25), |c| c.cpu, |_| hook(&own), |run| pair.update_ref(run % 20 + 1, run), |_| ());
    vec![Row::of_times("hook pre-edit / update-ref, CPU", &compared, 3.0)]
}
