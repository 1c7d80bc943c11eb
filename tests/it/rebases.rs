//! A rebase makes commits once more. Those that stay what they were need no
//! second judgement; everything else that is committed meanwhile does.

use std::os::unix::fs::PermissionsExt;

use crate::commits::{git_as, guarded, write};
use crate::hooks_support::RULES;
use crate::support::{Run, Sandbox, split};

/// Ada's branch of two commits in her scope, beside a trunk that moved on.
fn branched(rules: &str) -> Sandbox {
    let s = guarded(rules);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    git_as(&s, None, "checkout -q -b work").succeeds();
    for name in ["one", "two"] {
        write(&s, &format!("api/{name}"), name);
        git_as(&s, Some("ada"), "add -A").succeeds();
        git_as(&s, Some("ada"), &format!("commit -q -m {name}")).succeeds();
    }
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "web/w.txt", "moved on");
    git_as(&s, None, "commit -q -a -m 'moved on'").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    s
}

/// Ada's interactive rebase with these lines in place of the list; `PICK` and
/// a number is that commit.
fn rebase(s: &Sandbox, todo: &str) -> Run {
    let commits = git_as(s, None, "log --reverse --format=%H main..work").stdout;
    let mut text = todo.to_owned();
    for (i, oid) in commits.lines().enumerate() {
        text = text.replace(&format!("PICK{}", i + 1), oid);
    }
    let list = s.root().join("list");
    std::fs::write(&list, text).unwrap();
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_COMM_AGENT", "ada").env("GIT_AUTHOR_NAME", "ada");
    command.env("GIT_SEQUENCE_EDITOR", format!("cp {}", list.display())).env("GIT_EDITOR", "true");
    Run::of(&command.args(split("rebase -q -i main")).output().unwrap(), "rebase -i")
}

fn go_on(s: &Sandbox) -> Run {
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_COMM_AGENT", "ada").env("GIT_AUTHOR_NAME", "ada").env("GIT_EDITOR", "true");
    Run::of(&command.args(["rebase", "--continue"]).output().unwrap(), "rebase --continue")
}

/// No commit of the branch holds what is bob's, and CI finds nothing.
#[track_caller]
fn is_clean(s: &Sandbox) {
    let touched = git_as(s, None, "log --format= --name-only main..HEAD").stdout;
    assert!(!touched.contains("web/"), "{touched}");
    s.comm("ci --base main").succeeds();
}

#[test]
fn a_rebase_of_ones_own_work_goes_through() {
    for (rules, backend) in
        [(RULES.to_owned(), "--merge"), (format!("{RULES}require_claim = true\n"), "--apply")]
    {
        let s = branched(&rules);
        // What was claimed when the commits were made is closed by now.
        s.as_agent("ada", "close bd-1").succeeds();
        git_as(&s, Some("ada"), &format!("rebase -q {backend} main")).succeeds();
        assert_eq!(git_as(&s, None, "rev-list --count main..HEAD").stdout.trim(), "2");
        is_clean(&s);
    }
    let s = branched(RULES);
    rebase(&s, "reword PICK1\nfixup PICK2\n").succeeds();
    assert_eq!(git_as(&s, None, "rev-list --count main..HEAD").stdout.trim(), "1");
    is_clean(&s);
}

#[test]
fn what_is_added_at_a_stop_is_judged() {
    // Staged, for `--continue` to take along.
    let s = branched(RULES);
    rebase(&s, "edit PICK1\npick PICK2\n").succeeds();
    write(&s, "web/w.txt", "smuggled");
    git_as(&s, Some("ada"), "add -A").succeeds();
    let run = go_on(&s);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{}", run.stderr);
    git_as(&s, Some("ada"), "checkout -q HEAD -- web/w.txt").succeeds();
    write(&s, "api/one", "better");
    git_as(&s, Some("ada"), "add -A").succeeds();
    go_on(&s).succeeds();
    assert_eq!(git_as(&s, None, "show HEAD:api/one").stdout, "better");
    is_clean(&s);
    // As a commit of its own, and into the one that is edited.
    let s = branched(RULES);
    rebase(&s, "edit PICK1\npick PICK2\n").succeeds();
    write(&s, "web/w.txt", "smuggled");
    git_as(&s, Some("ada"), "commit -q -a -m own").exits(1);
    git_as(&s, Some("ada"), "commit -q -a --amend --no-edit").exits(1);
    git_as(&s, Some("ada"), "rebase --abort").succeeds();
}

#[test]
fn a_conflict_is_no_way_out_of_the_scope() {
    let s = branched(RULES);
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "api/one", "another");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m another").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    for backend in ["--merge", "--apply"] {
        assert_ne!(git_as(&s, Some("ada"), &format!("rebase -q {backend} main")).code, 0);
        write(&s, "api/one", "both");
        write(&s, "web/w.txt", "smuggled");
        git_as(&s, Some("ada"), "add -A").succeeds();
        let run = go_on(&s);
        assert_ne!(run.code, 0, "{backend}");
        assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{}", run.stderr);
        git_as(&s, Some("ada"), "rebase --abort").succeeds();
    }
    assert_ne!(git_as(&s, Some("ada"), "rebase -q main").code, 0);
    write(&s, "api/one", "both");
    git_as(&s, Some("ada"), "add -A").succeeds();
    go_on(&s).succeeds();
    is_clean(&s);
}

#[test]
fn commands_that_a_rebase_runs_are_judged() {
    let s = branched(RULES);
    git_as(&s, None, "checkout -q -b bobs main").succeeds();
    write(&s, "web/w.txt", "bob's own");
    git_as(&s, Some("bob"), "commit -q -a -m bobs").succeeds();
    git_as(&s, None, "format-patch -q -1 -o ../patches").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    let patch = s.root().join("patches/0001-bobs.patch");
    for command in [
        "git cherry-pick bobs".to_owned(),
        format!("git am -q {}", patch.display()),
        "git rm -q web/w.txt && git commit -q -m gone".to_owned(),
        "git revert --no-edit main".to_owned(),
        // What git notes about its work is a file like any other.
        format!(
            "echo pick $(git rev-parse bobs) > {}/.git/rebase-merge/done; echo x >> web/w.txt; git commit -q -a -m forged",
            s.repo().display()
        ),
    ] {
        let run = rebase(&s, &format!("pick PICK1\nexec {command}\n"));
        assert_ne!(run.code, 0, "{command}");
        assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{command}: {}", run.stderr);
        for unfinished in ["am", "cherry-pick", "revert"] {
            let _ = git_as(&s, Some("ada"), &format!("{unfinished} --abort"));
        }
        git_as(&s, Some("ada"), "rebase --abort").succeeds();
    }
}

#[test]
fn a_folder_that_looks_like_a_rebase_is_none() {
    let s = branched(RULES);
    write(&s, "web/w.txt", "smuggled");
    for folder in [".git/rebase-merge", ".git/rebase-apply"] {
        let folder = s.repo().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("rebasing"), "").unwrap();
        git_as(&s, Some("ada"), "commit -q -a -m outside").exits(1);
        let head = git_as(&s, None, "rev-parse HEAD").stdout;
        std::fs::write(folder.join("done"), format!("pick {head}\n")).unwrap();
        std::fs::write(folder.join("original-commit"), head).unwrap();
        git_as(&s, Some("ada"), "commit -q -a -m outside").exits(1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// Ada's branch holds a commit of bob's that has not landed: it stays his.
#[test]
fn what_another_was_allowed_to_commit_is_replayed_as_it_was() {
    let s = branched(RULES);
    s.add("two");
    s.as_agent("bob", "claim bd-2").succeeds();
    write(&s, "web/new", "bob's");
    git_as(&s, Some("bob"), "add -A").succeeds();
    git_as(&s, Some("bob"), "commit -q -m bobs").succeeds();
    git_as(&s, Some("ada"), "rebase -q main").succeeds();
    let bobs = git_as(&s, None, "log -1 --format=%an:%B").stdout;
    assert!(bobs.starts_with("bob:bobs") && bobs.contains("Comm-Task: bd-2"), "{bobs}");
    s.comm("ci --base main").succeeds();
}

#[test]
fn a_merge_that_is_replayed_is_judged_like_any() {
    let s = branched(RULES);
    git_as(&s, None, "checkout -q -b side main~1").succeeds();
    write(&s, "web/side", "side");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m side").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    git_as(&s, Some("ada"), "merge -q -m 'with side' side").succeeds();
    git_as(&s, Some("ada"), "rebase -q --rebase-merges main").succeeds();
    assert_eq!(git_as(&s, None, "rev-list --count --merges main..HEAD").stdout.trim(), "1");
    s.comm("ci --base main").succeeds();
}

/// On a branch without history nobody loosens the rules by leaving them out.
#[test]
fn where_head_has_no_rules_those_of_the_trunk_judge() {
    let s = branched(RULES);
    git_as(&s, Some("ada"), "checkout -q --orphan fresh").succeeds();
    git_as(&s, Some("ada"), "rm -rfq --cached .").succeeds();
    std::fs::remove_dir_all(s.repo().join("api")).unwrap();
    git_as(&s, Some("ada"), "add web").succeeds();
    let refused = git_as(&s, Some("ada"), "commit -q -m fresh").exits(1);
    assert!(refused.stderr.contains("web/w.txt: domain web"), "{}", refused.stderr);
    let hook = s.repo().join(".git/hooks/pre-commit");
    assert!(!hook.exists() || std::fs::metadata(&hook).unwrap().permissions().mode() & 0o100 != 0);
}

/// Two commits that were allowed each are one that nobody was allowed.
#[test]
fn anothers_commit_is_not_made_part_of_ones_own() {
    for verb in ["fixup", "fixup -C", "squash"] {
        let s = branched(RULES);
        let moved = git_as(&s, None, "rev-parse main").stdout;
        git_as(&s, None, "branch -f main main~1").succeeds();
        let run = rebase(&s, &format!("pick PICK1\n{verb} {moved}pick PICK2\n"));
        assert_ne!(run.code, 0, "{verb}");
        assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{verb}: {}", run.stderr);
        git_as(&s, Some("ada"), "rebase --abort").succeeds();
        // Neither the other way round.
        let run = rebase(&s, &format!("pick {moved}{verb} PICK1\n"));
        assert_ne!(run.code, 0, "{verb}");
    }
}

#[test]
fn what_was_taken_back_is_not_made_once_more() {
    let s = branched(RULES);
    let moved = git_as(&s, None, "rev-parse main").stdout;
    git_as(&s, None, "checkout -q main").succeeds();
    git_as(&s, None, "revert --no-edit main").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    let run = rebase(&s, &format!("pick PICK1\npick {moved}"));
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("web/w.txt: domain web, agent bob"), "{}", run.stderr);
    git_as(&s, Some("ada"), "rebase --abort").succeeds();
    // Nor twice, when git stops behind it.
    git_as(&s, None, "checkout -q main~1").succeeds();
    git_as(&s, None, "branch -f work").succeeds();
    git_as(&s, None, "branch -f main main~2").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    rebase(&s, "edit PICK1\n").succeeds();
    write(&s, "web/w.txt", "wmoved on\nmoved on");
    git_as(&s, Some("ada"), "commit -q -a -m twice").exits(1);
}

#[test]
fn a_message_that_is_written_anew_keeps_the_claim() {
    let s = branched(RULES);
    rebase(&s, "edit PICK1\npick PICK2\n").succeeds();
    git_as(&s, Some("ada"), "commit -q --amend -m better").succeeds();
    go_on(&s).succeeds();
    is_clean(&s);
}

/// The claim is over, and so is the work; where it lands is not.
#[test]
fn a_conflict_of_closed_work_can_be_settled() {
    for backend in ["--merge", "--apply"] {
        let s = branched(&format!("{RULES}require_claim = true\n"));
        git_as(&s, None, "checkout -q main").succeeds();
        write(&s, "api/one", "another");
        git_as(&s, None, "add -A").succeeds();
        git_as(&s, None, "commit -q -m another").succeeds();
        git_as(&s, None, "checkout -q work").succeeds();
        s.as_agent("ada", "close bd-1").succeeds();
        assert_ne!(git_as(&s, Some("ada"), &format!("rebase -q {backend} main")).code, 0);
        write(&s, "api/one", "both");
        write(&s, "web/w.txt", "smuggled");
        git_as(&s, Some("ada"), "add -A").succeeds();
        assert_ne!(go_on(&s).code, 0, "{backend}");
        git_as(&s, Some("ada"), "checkout -q HEAD -- web/w.txt").succeeds();
        go_on(&s).succeeds();
        assert_eq!(git_as(&s, None, "rev-list --count main..HEAD").stdout.trim(), "2");
        is_clean(&s);
    }
}

/// Who commits anywhere is not kept from it by what cannot be judged.
#[test]
fn a_person_rebases_whatever_became_of_the_board() {
    let s = branched(RULES);
    git_as(&s, None, "update-ref refs/comm-node/tasks/bd-1 main").succeeds();
    git_as(&s, None, "rebase -q main").succeeds();
}

/// The tree below is another one, and so is what an import leads to.
#[test]
fn what_an_import_leads_to_is_judged_again() {
    let s = guarded(&format!("[domains.core]\npath = 'core'\npublic = ['*']\n{RULES}"));
    write(&s, "core/x.ts", "");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m core").succeeds();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    git_as(&s, None, "checkout -q -b work").succeeds();
    write(&s, "api/one.ts", "import '../core/x'\n");
    git_as(&s, Some("ada"), "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m one").succeeds();
    git_as(&s, None, "checkout -q main").succeeds();
    git_as(&s, None, "mv core/x.ts core/y.ts").succeeds();
    git_as(&s, None, "commit -q -m moved").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    let refused = rebase(&s, "pick PICK1\n");
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("api/one.ts:1: B004 imports `../core/x`"), "{}", refused.stderr);
    git_as(&s, None, "rebase --abort").succeeds();
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "core/x.ts", "");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m back").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    rebase(&s, "pick PICK1\n").succeeds();
    is_clean(&s);
}
