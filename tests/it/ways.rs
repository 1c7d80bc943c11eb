//! Ways to a commit that went past the gate once, or were stopped by it
//! without a reason.

use crate::commits::{git_as, guarded_in, write};
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
