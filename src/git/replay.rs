//! Commits that git makes once more of others: in a rebase.

use super::{GitError, Oid, Repo};

impl Repo {
    /// Whether git replays commits that were made before.
    pub fn is_rebasing(&self) -> bool {
        ["rebase-merge", "rebase-apply/rebasing"].iter().any(|name| self.git_dir().join(name).exists())
    }

    /// The commit that git replays now, as its notes on the rebase say, and
    /// whether it becomes part of the one before. They are files that anybody
    /// can write: what they name must be compared.
    pub fn replayed(&self) -> Option<(Oid, bool)> {
        let read = |name: &str| std::fs::read_to_string(self.git_dir().join(name)).ok();
        if let Some(text) = read("rebase-apply/original-commit") {
            return Some((self.parse_oid(text.trim()).ok()?, false));
        }
        let done = read("rebase-merge/done")?;
        let last = done.lines().rev().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
        let mut words = last.split_whitespace();
        let verb = words.next()?;
        let joins = ["squash", "s", "fixup", "f"].contains(&verb);
        if !joins && !["pick", "p", "reword", "r", "edit", "e"].contains(&verb) {
            return None;
        }
        let rev = words.find(|word| !word.starts_with('-'))?;
        Some((self.resolve_rev(rev).ok().flatten()?, joins))
    }

    /// Whether what is staged, or if nothing is, what HEAD changed, is line
    /// for line what `commit` changed. Where the lines stand may differ: that
    /// is what a rebase is for.
    pub fn is_replay_of(&self, commit: Oid) -> Result<bool, GitError> {
        let of_commit = |commit: Oid| self.lines_of(&["diff-tree", "--no-commit-id", "--root"], commit);
        let wanted = of_commit(commit)?;
        let Some(head) = self.head()? else { return Ok(false) };
        let staged = self.lines_of(&["diff-index", "--cached"], head)?;
        // A commit that only gets another message is there already.
        if staged.is_empty() {
            return Ok(!wanted.is_empty() && wanted == of_commit(head)?);
        }
        // What is there is not made once more, as when it was taken back since.
        Ok(wanted == staged && !self.is_ancestor(commit, head)? && wanted != of_commit(head)?)
    }

    /// A patch without what depends on where it is applied.
    fn lines_of(&self, command: &[&str], revision: Oid) -> Result<Vec<u8>, GitError> {
        let revision = revision.to_string();
        let mut args = command.to_vec();
        args.extend(["-p", "-U0", "--full-index", "--no-renames", "--no-color", "--no-ext-diff"]);
        args.extend(["--no-textconv", "--ignore-submodules=none", "--src-prefix=a/", "--dst-prefix=b/"]);
        args.extend([&revision, "--"]);
        Ok(without_places(&self.git_here(&args, None)?.unwrap_or_default()))
    }
}

/// Drops line numbers, and the ids of files whose lines are told. Without
/// context every other line of a patch starts with a sign of its own.
fn without_places(patch: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(patch.len());
    let mut lines = patch.split_inclusive(|&b| b == b'\n').peekable();
    while let Some(line) = lines.next() {
        if line.starts_with(b"@@ ") {
            out.extend_from_slice(b"@@\n");
        } else if !line.starts_with(b"index ")
            || lines.peek().is_some_and(|next| next.starts_with(b"Binary files "))
        {
            out.extend_from_slice(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Fixture;

    #[test]
    fn the_same_lines_elsewhere_are_a_replay_and_others_are_not() {
        let f = Fixture::new();
        let write = |text: &str| {
            std::fs::write(f.root().join("a"), text).unwrap();
            f.git(&["add", "-A"]);
        };
        write("one\ntwo\nthree\n");
        f.git(&["commit", "-q", "-m", "base"]);
        write("one\ntwo\n2\nthree\n");
        f.git(&["commit", "-q", "-m", "more"]);
        let repo = f.open();
        let more = repo.head().unwrap().unwrap();
        assert!(repo.is_replay_of(more).unwrap(), "it is there already");
        f.git(&["reset", "-q", "--hard", "HEAD~1"]);
        assert!(!repo.is_replay_of(more).unwrap(), "nothing is staged");
        for (text, same) in [
            ("zero\none\ntwo\n2\nthree\n", false),
            ("one\ntwo\n2 \nthree\n", false),
            ("one\n2\nthree\n", false),
            ("one\ntwo\nthree\n2\n", true),
        ] {
            write(text);
            assert_eq!(repo.is_replay_of(more).unwrap(), same, "{text:?}");
        }
        write("one\0two");
        f.git(&["commit", "-q", "-m", "binary"]);
        let binary = repo.head().unwrap().unwrap();
        f.git(&["reset", "-q", "--soft", "HEAD~1"]);
        assert!(repo.is_replay_of(binary).unwrap());
        write("one\0three");
        assert!(!repo.is_replay_of(binary).unwrap());
    }

    #[test]
    fn what_is_replayed_is_what_git_noted_last() {
        let f = Fixture::new();
        f.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        let repo = f.open();
        let head = repo.head().unwrap().unwrap();
        assert_eq!((repo.is_rebasing(), repo.replayed()), (false, None));
        let notes = f.root().join(".git/rebase-merge");
        std::fs::create_dir(&notes).unwrap();
        assert_eq!((repo.is_rebasing(), repo.replayed()), (true, None));
        for (done, joins) in [
            (format!("pick {head} # one\n"), Some(false)),
            (format!("fixup -C {head} one\n"), Some(true)),
            (format!("pick {head}\nexec true\n"), None),
            (format!("exec true\nedit {head} one\n"), Some(false)),
            (format!("merge -C {head} side\n"), None),
            ("pick --all\npick -x\n".to_owned(), None),
            ("\n\n".to_owned(), None),
        ] {
            std::fs::write(notes.join("done"), &done).unwrap();
            assert_eq!(repo.replayed(), joins.map(|joins| (head, joins)), "{done}");
        }
    }
}
