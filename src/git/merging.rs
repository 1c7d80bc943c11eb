//! What a merge would be without anybody's hand in it.
//!
//! The changes of a merge are those in which it differs from the merge that
//! git makes of its parents by itself. Compared with the parents alone, a
//! merge that takes one of them whole would seem to change nothing, although
//! it undoes all that the others did.

use std::collections::BTreeSet;

use super::process::failed;
use super::{Change, GitError, Oid, Repo};

/// The merge that git makes by itself.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    /// Its files, with markers in those that conflict.
    pub(super) tree: Oid,
    /// The files that somebody has to settle.
    pub(super) conflicted: BTreeSet<Vec<u8>>,
}

impl Repo {
    /// Merges `parents` as git does by itself, one after the other.
    pub(super) fn auto_merge(&self, parents: &[Oid]) -> Result<Option<Merged>, GitError> {
        let Some((&first, rest)) = parents.split_first() else { return Ok(None) };
        let (mut ours, mut merged) = (first, None::<Merged>);
        for (i, &theirs) in rest.iter().enumerate() {
            let mut next = self.merge_two(ours, theirs)?;
            if let Some(before) = merged {
                next.conflicted.extend(before.conflicted);
            }
            if i + 1 < rest.len() {
                // Merging goes on from a commit, which nothing refers to.
                ours = self.commit_merge(next.tree, [ours, theirs])?;
            }
            merged = Some(next);
        }
        Ok(merged)
    }

    fn merge_two(&self, ours: Oid, theirs: Oid) -> Result<Merged, GitError> {
        let (ours, theirs) = (ours.to_string(), theirs.to_string());
        let args = [
            "merge-tree",
            "--write-tree",
            "--allow-unrelated-histories",
            "--name-only",
            "--no-messages",
            "-z",
            &ours,
            &theirs,
        ];
        // It ends with 1 where there are conflicts.
        let (status, out, stderr) = self.run_git_here(&args, None)?;
        if !matches!(status.code(), Some(0 | 1)) || out.is_empty() {
            return Err(failed("merge-tree", status, &stderr));
        }
        let mut fields = out.split(|&b| b == 0);
        let tree = fields.next().and_then(|hex| std::str::from_utf8(hex).ok()).unwrap_or_default();
        let tree = self.parse_oid(tree)?;
        let conflicted = fields.filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect();
        Ok(Merged { tree, conflicted })
    }

    fn commit_merge(&self, tree: Oid, parents: [Oid; 2]) -> Result<Oid, GitError> {
        let [ours, theirs] = parents.map(|oid| oid.to_string());
        let tree = tree.to_string();
        let args = [
            "-c",
            "user.name=git-comm",
            "-c",
            "user.email=git-comm@localhost",
            "commit-tree",
            "--no-gpg-sign",
            "-p",
            &ours,
            "-p",
            &theirs,
            "-m",
            "merge",
            &tree,
        ];
        let out = self.git_here(&args, None)?.unwrap_or_default();
        self.parse_oid(String::from_utf8_lossy(&out).trim())
    }

    /// Drops from the changes of a merge those conflicts that were settled in
    /// favour of what `trunk` has: between the two, that is what stands.
    pub(super) fn drop_settled(
        &self,
        changes: &mut Vec<Change>,
        merged: &Merged,
        parents: &[Oid],
        trunk: Option<Oid>,
        differs: impl Fn(Oid) -> Result<Vec<Change>, GitError>,
    ) -> Result<(), GitError> {
        let Some(trunk) = trunk else { return Ok(()) };
        for &parent in parents {
            if !changes.iter().any(|c| merged.conflicted.contains(&c.path)) {
                break;
            }
            if self.is_ancestor(parent, trunk)? {
                let differs: BTreeSet<Vec<u8>> = differs(parent)?.into_iter().map(|c| c.path).collect();
                changes.retain(|c| !merged.conflicted.contains(&c.path) || differs.contains(&c.path));
            }
        }
        Ok(())
    }

    /// Whether `commit` is `of` or one that it descends from.
    pub fn is_ancestor(&self, commit: Oid, of: Oid) -> Result<bool, GitError> {
        let (commit, of) = (commit.to_string(), of.to_string());
        Ok(self.git_here(&["merge-base", "--is-ancestor", &commit, &of], None)?.is_some())
    }
}
