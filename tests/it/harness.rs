//! The hooks of agent harnesses: an edit is judged before it is made.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Run, Sandbox, program};

const RULES: &str = "[domains.api]\npath = 'api'\nagent = 'ada'\nowner = 'Team API'\n\n[domains.web]\npath = 'web'\nagent = 'bob'\n\n[commit]\npeople = ['kai@example.com']\n";

pub(crate) fn guarded(rules: &str) -> Sandbox {
    let s = Sandbox::new();
    for (name, text) in [("comm.toml", rules), ("api/a.txt", "a"), ("web/w.txt", "w")] {
        write(s.repo(), name, text);
    }
    s.git("add -A").succeeds();
    s.git("commit -q -m rules").succeeds();
    s
}

pub(crate) fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Runs a hook with these bytes as its call.
pub(crate) fn call(s: &Sandbox, dir: &Path, agent: Option<&str>, words: &[&str], input: &[u8]) -> Run {
    let mut command = s.bare_command(program(), dir);
    if let Some(agent) = agent {
        command.env("GIT_COMM_AGENT", agent);
    }
    command.arg("hook").args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A hook that does not need its call may end before reading it.
    let _ = child.stdin.take().unwrap().write_all(input);
    Run::of(&child.wait_with_output().unwrap(), &words.join(" ")).succeeds()
}

/// An edit of `path` by `agent` in `dir`, as Claude Code calls.
fn edit(s: &Sandbox, dir: &Path, agent: Option<&str>, path: &str) -> Run {
    let input = json!({
        "session_id": "x", "cwd": dir, "hook_event_name": "PreToolUse", "tool_name": "Edit",
        "tool_input": { "file_path": path, "old_string": "a", "new_string": "b" },
    });
    call(s, dir, agent, &["pre-edit"], input.to_string().as_bytes())
}

#[track_caller]
fn allowed(run: &Run) {
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

/// Why an edit was denied.
#[track_caller]
pub(crate) fn denied(run: &Run) -> String {
    let answer = run.json();
    let output = &answer["hookSpecificOutput"];
    assert_eq!(output["hookEventName"], "PreToolUse");
    assert_eq!(output["permissionDecision"], "deny", "{answer}");
    let reason = output["permissionDecisionReason"].as_str().unwrap().to_owned();
    assert!(!reason.contains("--no-verify") && !reason.contains("onFailure"), "{reason}");
    reason
}

#[test]
fn an_agent_edits_inside_its_scope_only() {
    let s = guarded(RULES);
    let root = s.repo();
    for path in ["api/a.txt", "api/new/deep.txt", "./api/../api/x", &root.join("api/a.txt").to_string_lossy()]
    {
        allowed(&edit(&s, root, Some("ada"), path));
    }
    allowed(&edit(&s, &root.join("api"), Some("ada"), "a.txt"));
    let reason = denied(&edit(&s, root, Some("ada"), "web/w.txt"));
    assert!(reason.contains("this edit is not for `ada` (domain api)"), "{reason}");
    assert!(reason.contains("web/w.txt: domain web, agent bob"), "{reason}");
    assert!(reason.contains("git comm msg send --to domain:web TEXT"), "{reason}");
    assert!(reason.contains("git comm add TITLE --domain web"), "{reason}");
    for path in ["README.md", "api/../web/new.txt", "../repo/web/w.txt", "API/a.txt", "api\nweb/w.txt", "-x"]
    {
        denied(&edit(&s, root, Some("ada"), path));
    }
    let log = s.comm("log --kind refused --json").json();
    assert_eq!(log["events"].as_array().unwrap().len(), 7);
    let paths: Vec<&str> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["event"]["findings"][0]["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&"web/w.txt"), "{paths:?}");
    let first =
        log["events"].as_array().unwrap().iter().find(|e| e["event"]["findings"][0]["path"] == "web/w.txt");
    assert_eq!(
        (&first.unwrap()["agent"], &first.unwrap()["event"]["findings"][0]["owner"]),
        (&"ada".into(), &"web".into())
    );
}

#[test]
fn the_refusal_names_who_works_there_now() {
    let s = guarded(RULES);
    s.add("one --domain web");
    s.as_agent("bob", "agent register --domain web").succeeds();
    s.as_agent("bob", "claim bd-1").succeeds();
    let reason = denied(&edit(&s, s.repo(), Some("ada"), "web/w.txt"));
    assert!(reason.contains("ask bob, who works there: git comm msg send --to bob TEXT"), "{reason}");
}

#[test]
fn rules_git_and_the_outside_are_nobodys_to_edit() {
    let s = guarded("");
    let root = s.repo();
    for path in ["comm.toml", "Comm.TOML", "api/../comm.toml"] {
        let reason = denied(&edit(&s, root, Some("ada"), path));
        assert!(reason.contains("comm.toml: the rules are in no agent's scope"), "{reason}");
    }
    for path in
        [".git/config", ".git", ".GIT/hooks/pre-commit", "api/.git/x", ".git/../.git/HEAD", "git~1/config"]
    {
        let reason = denied(&edit(&s, root, Some("ada"), path));
        assert!(reason.contains("git's own file"), "{path}: {reason}");
    }
    for path in ["/etc/passwd", "../elsewhere", "../repo-2/x"] {
        let reason = denied(&edit(&s, root, Some("ada"), path));
        assert!(reason.contains("outside of your worktree"), "{path}: {reason}");
    }
    allowed(&edit(&s, root, Some("ada"), "anything/else"));
}

#[test]
fn links_are_followed_before_they_are_judged() {
    use std::os::unix::fs::symlink;
    let s = guarded(RULES);
    let root = s.repo();
    let outside = s.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    symlink(&outside, root.join("api/out")).unwrap();
    symlink("../web", root.join("api/web")).unwrap();
    symlink("../web/not-there-yet", root.join("api/dangling")).unwrap();
    symlink("loop", root.join("api/loop")).unwrap();
    symlink("../.git", root.join("api/dot")).unwrap();
    symlink("api", root.join("here")).unwrap();
    assert!(denied(&edit(&s, root, Some("ada"), "api/out/x")).contains("outside of your worktree"));
    assert!(denied(&edit(&s, root, Some("ada"), "api/web/w.txt")).contains("web/w.txt: domain web"));
    assert!(denied(&edit(&s, root, Some("ada"), "api/dangling")).contains("web/not-there-yet: domain web"));
    assert!(denied(&edit(&s, root, Some("ada"), "api/dot/config")).contains("git's own"));
    // Where it leads depends on who resolves it: both must be allowed.
    denied(&edit(&s, root, Some("ada"), "api/web/../api/a.txt/../../web/x"));
    denied(&edit(&s, root, Some("ada"), "api/out/../x"));
    allowed(&edit(&s, root, Some("ada"), "here/a.txt"));
    allowed(&edit(&s, root, Some("ada"), "api/loop"));
}

#[test]
fn another_worktree_is_another_agents() {
    let s = guarded(RULES);
    s.git("worktree add -q ../bobs").succeeds();
    s.git("worktree add -q nested").succeeds();
    let bobs = s.root().join("bobs");
    let mut beat = s.bare_command(program(), &bobs);
    beat.env("GIT_COMM_AGENT", "bob").args(["agent", "heartbeat"]);
    Run::of(&beat.output().unwrap(), "heartbeat").succeeds();
    let reason = denied(&edit(&s, s.repo(), Some("ada"), &bobs.join("api/a.txt").to_string_lossy()));
    assert!(reason.contains("in another worktree") && reason.contains("where bob works"), "{reason}");
    assert!(reason.contains("edit your own copy below"), "{reason}");
    assert!(denied(&edit(&s, s.repo(), Some("ada"), "nested/api/a.txt")).contains("in another worktree"));
    // From there, the first is the other.
    assert!(denied(&edit(&s, &bobs, Some("ada"), "../repo/api/a.txt")).contains("in another worktree"));
    assert!(denied(&edit(&s, &bobs, Some("ada"), "../repo/.git/config")).contains("git's own"));
    allowed(&edit(&s, &bobs, Some("ada"), "api/a.txt"));
}

#[test]
fn where_a_claim_is_demanded_there_is_no_edit_without_one() {
    let s = guarded(&format!("{RULES}require_claim = true\n"));
    s.add("one");
    s.add("two");
    let reason = denied(&edit(&s, s.repo(), Some("ada"), "api/a.txt"));
    assert!(reason.contains("`ada` holds no task") && reason.contains("git comm next"), "{reason}");
    s.as_agent("ada", "claim bd-1 --ttl 1s").succeeds();
    allowed(&edit(&s, s.repo(), Some("ada"), "api/a.txt"));
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    s.as_agent("bob", "claim bd-1").succeeds();
    let reason = denied(&edit(&s, s.repo(), Some("ada"), "api/a.txt"));
    assert!(reason.contains("taken over by bob"), "{reason}");
}

#[test]
fn a_worktree_for_a_task_is_edited_by_its_holder() {
    let s = guarded(RULES);
    s.add("one");
    s.git("config comm.task bd-1").succeeds();
    let reason = denied(&edit(&s, s.repo(), Some("ada"), "api/a.txt"));
    assert!(
        reason.contains("this worktree is for `bd-1`") && reason.contains("git comm claim bd-1"),
        "{reason}"
    );
    s.as_agent("bob", "claim bd-1").succeeds();
    let reason = denied(&edit(&s, s.repo(), Some("ada"), "api/a.txt"));
    assert!(reason.contains("which bob holds") && reason.contains("msg send --to bob"), "{reason}");
    s.as_agent("bob", "release bd-1").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    allowed(&edit(&s, s.repo(), Some("ada"), "api/a.txt"));
}

#[test]
fn every_harness_is_answered_in_its_own_words() {
    let s = guarded(RULES);
    let ask = |harness: &str, input: Value| {
        call(&s, s.repo(), Some("ada"), &["pre-edit", "--harness", harness], input.to_string().as_bytes())
    };
    for (tool, key) in [("Write", "file_path"), ("MultiEdit", "file_path"), ("NotebookEdit", "notebook_path")]
    {
        denied(&ask("claude", json!({ "tool_name": tool, "tool_input": { key: "web/x" } })));
    }
    allowed(&ask("claude", json!({ "tool_name": "Read", "tool_input": { "file_path": "web/w.txt" } })));
    let codex = |tool: &str, command: Value| {
        json!({ "turn_id": "1", "model": "m", "cwd": s.repo(), "hook_event_name": "PreToolUse",
            "tool_name": tool, "tool_input": { "command": command } })
    };
    let patch = |header: &str| {
        format!("*** Begin Patch\n*** Update File: api/a.txt\n{header}\n@@\n-a\n+b\n*** End Patch\n")
    };
    allowed(&ask("codex", codex("apply_patch", patch("@@").into())));
    assert!(
        denied(&ask("codex", codex("apply_patch", patch("*** Move to: web/x").into()))).contains("web/x")
    );
    denied(&ask("codex", codex("apply_patch", patch("*** Delete File: web/w.txt").into())));
    let heredoc = format!("cd web && apply_patch <<'EOF'\n{}EOF", patch("@@"));
    let reason = denied(&ask("codex", codex("Bash", json!(["bash", "-lc", heredoc]))));
    assert!(reason.contains("web/api/a.txt: domain web"), "{reason}");
    allowed(&ask("codex", codex("Bash", "ls web".into())));
    let gemini = |tool: &str, path: &str| {
        json!({ "hook_event_name": "BeforeTool", "cwd": s.repo(), "timestamp": "t", "tool_name": tool,
            "tool_input": { "file_path": path, "content": "" } })
    };
    allowed(&ask("gemini", gemini("write_file", "api/x")));
    let answer = ask("gemini", gemini("replace", "web/w.txt")).json();
    assert_eq!(answer["decision"], "deny");
    assert!(answer["reason"].as_str().unwrap().contains("domain web"), "{answer}");
    let cursor = |path: &str| {
        json!({ "cursor_version": "3.15", "hook_event_name": "preToolUse", "workspace_roots": [s.repo()],
            "tool_name": "Write", "tool_input": { "file_path": path } })
    };
    // Cursor also runs hooks that were installed for Claude Code.
    for installed in ["cursor", "claude"] {
        assert_eq!(ask(installed, cursor("api/x")).stdout, "{}\n");
        let answer = ask(installed, cursor("web/x")).json();
        assert_eq!(answer["permission"], "deny");
        assert!(answer["agent_message"].as_str().unwrap().contains("domain web"), "{answer}");
        assert_eq!(answer["agent_message"], answer["user_message"]);
    }
}

#[test]
fn who_is_no_agent_is_not_judged() {
    let s = guarded("");
    allowed(&edit(&s, s.repo(), None, "/etc/passwd"));
    let s = guarded(RULES);
    let run = edit(&s, s.repo(), None, "web/w.txt");
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("no agent is named"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_judged_is_let_through_unless_told_otherwise() {
    let s = guarded(RULES);
    let garbage: [&[u8]; 5] = [b"", b"{", b"\xff\xfe\x00", b"[[[[", b"nonsense"];
    let lenient = |input: &[u8]| {
        let run = call(&s, s.repo(), Some("ada"), &["pre-edit"], input);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.contains("could not be judged") && run.stderr.contains("allowed"),
            "{}",
            run.stderr
        );
    };
    garbage.into_iter().for_each(lenient);
    s.git("config comm.hooks.onFailure block").succeeds();
    for input in garbage {
        denied(&call(&s, s.repo(), Some("ada"), &["pre-edit"], input));
    }
    denied(&edit(&s, s.repo(), None, "api/a.txt"));
    s.git("config --unset comm.hooks.onFailure").succeeds();
    write(s.repo(), "comm.toml", "[domains.api]\nscop = 'x'\n");
    s.git("commit -q --no-verify -a -m broken").succeeds();
    let run = edit(&s, s.repo(), Some("ada"), "web/w.txt");
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("1 error in comm.toml"), "{}", run.stderr);
}

#[test]
fn without_a_repository_or_a_board_nothing_is_judged() {
    let s = Sandbox::with_init(&[]);
    allowed(&edit(&s, s.repo(), Some("ada"), "/etc/passwd"));
    let home = s.root().join("home");
    allowed(&edit(&s, &home, Some("ada"), "x"));
    for verb in ["post-bash", "turn", "session-start"] {
        allowed(&call(&s, &home, Some("ada"), &[verb], b"{}"));
        allowed(&call(&s, s.repo(), Some("ada"), &[verb], b"{}"));
    }
}

#[test]
fn a_shell_command_hears_once_what_it_changed() {
    let s = guarded(RULES);
    s.add("one");
    let after = || call(&s, s.repo(), Some("ada"), &["post-bash"], br#"{"tool_name":"Bash"}"#);
    write(s.repo(), "api/a.txt", "mine");
    allowed(&after());
    write(s.repo(), "web/w.txt", "not mine");
    write(s.repo(), "web/new\nline", "not mine");
    let told = after().json();
    let text = told["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert_eq!(told["hookSpecificOutput"]["hookEventName"], "PostToolUse");
    assert!(text.contains("2 files changed outside your scope (domain api)"), "{text}");
    assert!(text.contains("web/w.txt: domain web, agent bob") && text.contains("web/new\\nline"), "{text}");
    allowed(&after());
    write(s.repo(), "web/third", "x");
    assert!(after().stdout.contains("1 file changed"));
    s.as_agent("bob", "msg send --to ada stop").succeeds();
    s.as_agent("bob", "msg send --to all hello").succeeds();
    assert!(after().stdout.contains("1 unread message: git comm inbox"));
    allowed(&after());
    s.as_agent("ada", "claim bd-1 --ttl 1s").succeeds();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    s.as_agent("bob", "claim bd-1").succeeds();
    assert!(after().stdout.contains("you lost `bd-1` to bob"));
    allowed(&after());
    assert_eq!(call(&s, s.repo(), None, &["post-bash"], b"{}").stdout, "");
}

#[test]
fn a_turn_tells_what_waits_and_a_session_what_prime_says() {
    let s = guarded(RULES);
    s.add("one --domain api");
    let turn = |harness: &str| call(&s, s.repo(), Some("ada"), &["turn", "--harness", harness], b"{}");
    allowed(&turn("claude"));
    s.as_agent("bob", "msg send --to all hello").succeeds();
    let told = turn("claude").json();
    assert_eq!(
        told["hookSpecificOutput"],
        json!({ "hookEventName": "UserPromptSubmit", "additionalContext": "git comm: 1 unread message: git comm inbox" })
    );
    assert_eq!(turn("gemini").json()["hookSpecificOutput"]["hookEventName"], "BeforeAgent");
    assert_eq!(turn("cursor").json()["continue"], true);
    s.as_agent("ada", "inbox").succeeds();
    allowed(&turn("codex"));
    let prime = s.as_agent("ada", "prime").succeeds().stdout;
    for (harness, field) in
        [("claude", "hookSpecificOutput"), ("codex", "hookSpecificOutput"), ("gemini", "hookSpecificOutput")]
    {
        let run = call(&s, s.repo(), Some("ada"), &["session-start", "--harness", harness], b"{}");
        let answer = run.json();
        assert_eq!(answer[field]["hookEventName"], "SessionStart");
        assert_eq!(answer[field]["additionalContext"], prime.trim_end());
    }
    let answer = call(&s, s.repo(), Some("ada"), &["session-start", "--harness", "cursor"], b"{}").json();
    assert_eq!(answer["additional_context"], prime.trim_end());
}

/// Where a harness works says nothing about whose a file is.
#[test]
fn a_file_is_judged_where_it_is() {
    let s = guarded(RULES);
    s.comm("worktree add wt --agent ada --domain api").succeeds();
    let wt = s.root().join("repo.worktrees/wt");
    let inner = wt.join("api/inner");
    std::fs::create_dir_all(&inner).unwrap();
    s.git(&format!("init -q {}", inner.display())).succeeds();
    let home = s.root().join("home");
    for (dir, agent) in [(&inner, None), (&home, None), (&inner, Some("ada"))] {
        allowed(&edit(&s, dir, agent, &wt.join("api/a.txt").to_string_lossy()));
        allowed(&edit(&s, dir, agent, "own.txt"));
        let why = denied(&edit(&s, dir, agent, &wt.join("web/w.txt").to_string_lossy()));
        assert!(why.contains("web/w.txt: domain web, agent bob"), "{why}");
    }
}

#[test]
fn another_agent_does_not_edit_in_a_bound_worktree() {
    let s = guarded(RULES);
    s.comm("worktree add wt --agent ada --domain api").succeeds();
    let wt = s.root().join("repo.worktrees/wt");
    let why = denied(&edit(&s, &wt, Some("bob"), "api/a.txt"));
    assert!(why.contains("this worktree is `ada`'s, and you are `bob`"), "{why}");
    // Who it is cannot be told.
    let unknown = || edit(&s, &wt, Some("///"), "api/a.txt");
    assert_eq!(unknown().stdout, "");
    s.git("config comm.hooks.onFailure block").succeeds();
    denied(&unknown());
}
