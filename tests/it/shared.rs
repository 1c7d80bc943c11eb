//! A repository that two users share.

use std::process::Command;

use crate::support::{Run, Sandbox, copy_program, has_tool, is_full, split};

/// Both write, and both are the same clone.
#[test]
fn two_users_of_a_shared_repository_are_one_clone() {
    use std::os::unix::fs::PermissionsExt;
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if !is_root || !has_tool("setpriv", &["--version"]) {
        assert!(!is_full(), "root is needed for the full run");
        return;
    }
    let sandbox = Sandbox::with_init(&["--shared=0666"]);
    std::fs::set_permissions(sandbox.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = place.path().join("git-comm");
    copy_program(&copy);
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let other = |words: &str| {
        let mut command = sandbox.bare_command("setpriv", sandbox.repo());
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&copy)
            .env("GIT_COMM_AGENT", "bob")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*");
        Run::of(&command.args(split(words)).output().unwrap(), words)
    };
    sandbox.comm("init").succeeds();
    sandbox.add("'a first task'");
    sandbox.as_agent("ada", "claim bd-1").succeeds();
    sandbox.as_agent("ada", "comment bd-1 mine").succeeds();
    other("add 'a second task'").succeeds();
    other("claim bd-2").succeeds();
    other("claim bd-1").exits(1);
    sandbox.as_agent("ada", "msg send --to bob hello").succeeds();
    assert!(other("inbox").succeeds().stdout.contains("hello"));
    other("close bd-2").succeeds();
    sandbox.as_agent("ada", "comment bd-2 seen").succeeds();
    let clone = |run: Run| run.succeeds().json()["clone"].as_str().unwrap().to_owned();
    assert_eq!(clone(other("whoami --json")), clone(sandbox.as_agent("ada", "whoami --json")));
}
