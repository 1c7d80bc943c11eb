//! Ways to a commit that went past the gate once, or were stopped by it
//! without a reason.

use std::os::unix::fs::PermissionsExt;

use crate::commits::{git_as, guarded, guarded_in, write};
use crate::hooks_support::RULES;
use crate::support::Sandbox;

const NOT_HERS: &str = "web/w.txt: domain web, agent bob";

/// What bob committed in his domain, on the branch `bobs`.
fn bobs(s: &Sandbox) {
    git_as(s, None, "checkout -q -b bobs").succeeds();
    write(s, "web/w.txt", "bob's own\n");
    git_as(s, Some("bob"), "commit -q -a -m bobs").succeeds();
    git_as(s, None, "checkout -q -").succeeds();
}

#[test]
fn a_pick_is_judged_wherever_git_notes_it() {
    for s in Sandbox::of_each_ref_format() {
        guarded_in(&s, RULES);
        bobs(&s);
        let run = git_as(&s, Some("ada"), "cherry-pick bobs");
        assert_ne!(run.code, 0, "{}", run.stdout);
        assert!(run.stderr.contains(NOT_HERS), "{}", run.stderr);
    }
}

/// Another hook, such as one that formats, may stage more behind ours.
#[test]
fn what_another_hook_stages_is_judged() {
    let s = guarded(RULES);
    let hook = s.repo().join(".git/hooks/pre-commit");
    let ours = std::fs::read_to_string(&hook).unwrap_or_else(|_| "#!/bin/sh\n".to_owned());
    std::fs::write(&hook, format!("{ours}\ngit add -u\n")).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    write(&s, "api/a.txt", "mine\n");
    git_as(&s, Some("ada"), "add api").succeeds();
    write(&s, "web/w.txt", "not mine\n");
    let run = git_as(&s, Some("ada"), "commit -q -m formatted").exits(1);
    assert!(run.stderr.contains(NOT_HERS), "{}", run.stderr);
}
