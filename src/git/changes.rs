//! Which files a commit changes: one that is about to be made, or those of a
//! range.
//!
//! git itself compares, because only it knows every kind of index (split,
//! sparse, another file) and of attribute. Renames are not followed: both
//! names are changes.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use super::objects::MAX_COMMIT;
use super::process::{Running, failed};
use super::{GitError, Oid, RefName, Repo};

/// A file that differs, with what it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Its path, relative to the root, any bytes.
    pub path: Vec<u8>,
    /// Its new mode, as git prints it; `000000` when it was removed.
    pub mode: String,
    /// Its new content; none when it was removed.
    pub oid: Option<Oid>,
    /// Its mode before; `000000` when it is new.
    pub old_mode: String,
    /// Its content before; none when it is new.
    pub old_oid: Option<Oid>,
}

impl Change {
    /// Whether an ordinary file was and is there, so that only its content
    /// differs.
    pub fn is_edit(&self) -> bool {
        self.mode.starts_with("100") && self.old_mode.starts_with("100")
    }
}

/// A commit of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranged {
    /// The commit.
    pub oid: Oid,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// Its author's name.
    pub author_name: String,
    /// Its author's mail address.
    pub author_email: String,
    /// Its committer's name.
    pub committer_name: String,
    /// The values of the trailers that were asked for, in that order; each
    /// empty if absent, and several joined by line feeds.
    pub trailers: Vec<String>,
    /// Its author's time, in seconds since the epoch.
    pub authored: i64,
    /// The files in which it differs from its parent; for a merge from what
    /// git makes of its parents by itself.
    pub changes: Vec<Change>,
}

impl Repo {
    /// The commit that HEAD names; none on an unborn branch.
    pub fn head(&self) -> Result<Option<Oid>, GitError> {
        let text = std::fs::read(self.git_dir.join("HEAD"))
            .map_err(|err| GitError::read(&self.git_dir.join("HEAD"), err))?;
        let text = String::from_utf8_lossy(&text);
        if let Some(name) = text.trim_end().strip_prefix("ref: ") {
            // In a reftable repository the file is only a stub.
            if let (super::Backend::Files, Ok(name)) = (self.backend, RefName::new(name)) {
                return self.read_ref(&name);
            }
        } else if let Ok(oid) = self.parse_oid(text.trim()) {
            return Ok(Some(oid));
        }
        let out = self.git_here(&["rev-parse", "-q", "--verify", "HEAD^{commit}"], None)?;
        Ok(out.and_then(|out| String::from_utf8(out).ok()).and_then(|hex| self.parse_oid(hex.trim()).ok()))
    }

    /// The other parents of the commit that is about to end a merge.
    pub fn merge_heads(&self) -> Vec<Oid> {
        let text = std::fs::read_to_string(self.git_dir.join("MERGE_HEAD")).unwrap_or_default();
        text.lines().filter_map(|line| self.parse_oid(line.trim()).ok()).collect()
    }

    /// The files in which the index differs from HEAD, and in a merge from
    /// what git makes of it by itself. The index is the one that git named to
    /// the hook (`GIT_INDEX_FILE`), which `commit -a` and `commit PATH` change.
    pub fn staged(&self) -> Result<Vec<Change>, GitError> {
        let parents: Vec<Oid> = self.head()?.into_iter().chain(self.merge_heads()).collect();
        self.staged_onto(&parents)
    }

    /// As [`Repo::staged`], for a commit that takes HEAD's place.
    pub fn staged_to_amend(&self) -> Result<Vec<Change>, GitError> {
        let Some(head) = self.head()? else { return self.staged() };
        let parents = self.with_commit(head, MAX_COMMIT, |commit| commit.parents.clone())?;
        self.staged_onto(&parents)
    }

    fn staged_onto(&self, parents: &[Oid]) -> Result<Vec<Change>, GitError> {
        let only = parents.first().copied();
        if parents.len() < 2 {
            return self.staged_against(only);
        }
        let Some(merged) = self.auto_merge(parents)? else { return self.staged_against(only) };
        let mut changes = self.staged_against(Some(merged.tree))?;
        let trunk = self.trunk()?.map(|trunk| trunk.tip);
        self.drop_settled(&mut changes, &merged, parents, trunk, |parent| self.staged_against(Some(parent)))?;
        Ok(changes)
    }

    /// The files in which the index differs from a tree or a commit's.
    pub(super) fn staged_against(&self, tree: Option<Oid>) -> Result<Vec<Change>, GitError> {
        let tree =
            tree.map_or_else(|| gix::ObjectId::empty_tree(self.hash).to_string(), |oid| oid.to_string());
        let args = [
            "diff-index",
            "--cached",
            "--raw",
            "-z",
            "--no-renames",
            "--abbrev=64",
            "--ignore-submodules=none",
            &tree,
            "--",
        ];
        self.changes_of(&args)
    }

    /// The files in which two trees, or those of commits, differ.
    fn changed_between(&self, before: Oid, after: Oid) -> Result<Vec<Change>, GitError> {
        let (before, after) = (before.to_string(), after.to_string());
        let args = [
            "diff-tree",
            "-r",
            "--raw",
            "-z",
            "--no-renames",
            "--abbrev=64",
            "--ignore-submodules=none",
            &before,
            &after,
            "--",
        ];
        self.changes_of(&args)
    }

    fn changes_of(&self, args: &[&str]) -> Result<Vec<Change>, GitError> {
        let out = self.git_here(args, None)?.unwrap_or_default();
        let mut changes = Vec::new();
        let mut fields = out.split(|&b| b == 0);
        while let Some(entry) = fields.next().filter(|e| !e.is_empty()) {
            changes.push(self.change(entry, fields.next())?);
        }
        Ok(changes)
    }

    /// The commits of `base..head`, parents before children, with the values
    /// of these trailers.
    pub fn range(&self, base: Oid, head: Oid, trailers: &[&str]) -> Result<Vec<Ranged>, GitError> {
        self.commits(&["--reverse", "--topo-order"], &format!("{base}..{head}"), trailers, base)
    }

    /// One commit, as a range has it.
    pub fn one(&self, commit: Oid, trailers: &[&str], trunk: Oid) -> Result<Option<Ranged>, GitError> {
        Ok(self.commits(&["--no-walk"], &commit.to_string(), trailers, trunk)?.pop())
    }

    fn commits(
        &self,
        walk: &[&str],
        revs: &str,
        trailers: &[&str],
        trunk: Oid,
    ) -> Result<Vec<Ranged>, GitError> {
        let mut format = String::from("--format=%x01%H%n%P%n%at%n%an%n%ae%n%cn");
        for key in trailers {
            format.push_str(&format!("%n%(trailers:key={key},valueonly,separator=%x20)"));
        }
        let mut args = vec!["-c", "trailer.separators=:", "log"];
        args.extend(walk);
        args.extend([
            "-z",
            "--raw",
            "-r",
            "--diff-merges=off",
            "--root",
            "--no-renames",
            "--abbrev=64",
            "--no-color",
            "--no-show-signature",
            "--no-notes",
            "--no-mailmap",
            "--encoding=UTF-8",
            "--ignore-submodules=none",
            "--no-ext-diff",
            "--no-textconv",
            &format,
            revs,
            "--",
        ]);
        let out = self.git_here(&args, None)?.unwrap_or_default();
        let mut commits: Vec<Ranged> = Vec::new();
        let mut fields = out.split(|&b| b == 0);
        while let Some(field) = fields.next() {
            let field = field.strip_prefix(b"\n").unwrap_or(field);
            match (field.first(), commits.last_mut()) {
                (Some(1), _) => commits.push(self.ranged(&field[1..], trailers.len())?),
                (Some(b':'), Some(commit)) => commit.changes.push(self.change(field, fields.next())?),
                (None, _) => {}
                _ => return Err(self.unexpected("log")),
            }
        }
        for merge in commits.iter_mut().filter(|commit| commit.parents.len() > 1) {
            let Some(merged) = self.auto_merge(&merge.parents)? else { continue };
            merge.changes = self.changed_between(merged.tree, merge.oid)?;
            self.drop_settled(&mut merge.changes, &merged, &merge.parents, Some(trunk), |parent| {
                self.changed_between(parent, merge.oid)
            })?;
        }
        Ok(commits)
    }

    /// The first of these commits whose parents this clone does not have,
    /// because it was made with a depth.
    pub fn cut_off(&self, commits: &[Ranged]) -> Option<Oid> {
        let text = std::fs::read_to_string(self.common_dir.join("shallow")).ok()?;
        let ends: BTreeSet<Oid> = text.lines().filter_map(|line| self.parse_oid(line.trim()).ok()).collect();
        commits.iter().map(|commit| commit.oid).find(|oid| ends.contains(oid))
    }

    fn ranged(&self, text: &[u8], trailers: usize) -> Result<Ranged, GitError> {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.split('\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let oid = self.parse_oid(&next())?;
        let parents = next().split_whitespace().map(|hex| self.parse_oid(hex)).collect::<Result<_, _>>()?;
        let authored = next().trim().parse().unwrap_or(i64::MAX);
        let (author_name, author_email, committer_name) = (next(), next(), next());
        let trailers = (0..trailers).map(|_| next().trim().to_owned()).collect();
        Ok(Ranged {
            oid,
            parents,
            author_name,
            author_email,
            committer_name,
            authored,
            trailers,
            changes: Vec::new(),
        })
    }

    /// One entry of raw diff output: `:MODE MODE OID OID STATUS`, or for a
    /// merge with a colon, a mode and an id for each parent.
    fn change(&self, entry: &[u8], path: Option<&[u8]>) -> Result<Change, GitError> {
        let text = std::str::from_utf8(entry).map_err(|_| self.unexpected("diff"))?;
        let colons = text.bytes().take_while(|&b| b == b':').count();
        let fields: Vec<&str> = text[colons..].split(' ').collect();
        // As many old modes as colons, a new one, and the same of ids.
        let (Some(mode), Some(hex), Some(path)) = (fields.get(colons), fields.get(2 * colons + 1), path)
        else {
            return Err(self.unexpected("diff"));
        };
        let oid = |mode: &str, hex: &str| match mode {
            "000000" => Ok(None),
            _ => self.parse_oid(hex).map(Some),
        };
        let (old_mode, old_hex) = (fields.first().unwrap_or(&""), fields.get(colons + 1).unwrap_or(&""));
        Ok(Change {
            path: path.to_vec(),
            mode: (*mode).to_owned(),
            oid: oid(mode, hex)?,
            old_mode: (*old_mode).to_owned(),
            old_oid: oid(old_mode, old_hex)?,
        })
    }

    pub(super) fn unexpected(&self, what: &str) -> GitError {
        GitError::Command {
            what: what.to_owned(),
            status: "printed what we do not understand".into(),
            stderr: String::new(),
        }
    }

    /// Runs a git command in this worktree with the index that the caller was
    /// given; none if it ended with 1, which for a question is "no".
    pub(super) fn git_here(&self, args: &[&str], input: Option<&[u8]>) -> Result<Option<Vec<u8>>, GitError> {
        let (status, out, stderr) = self.run_git_here(args, input)?;
        match status.code() {
            Some(0) => Ok(Some(out)),
            Some(1) if stderr.is_empty() => Ok(None),
            _ => Err(failed(what_of(args), status, &stderr)),
        }
    }

    /// As [`Repo::git_here`], for commands whose end says more.
    pub(super) fn run_git_here(
        &self,
        args: &[&str],
        input: Option<&[u8]>,
    ) -> Result<(ExitStatus, Vec<u8>, String), GitError> {
        let what = what_of(args);
        let mut command = self.git(&[])?;
        // The last `--git-dir` counts.
        command.arg("--git-dir").arg(&self.git_dir);
        if let Some(tree) = &self.work_tree {
            command.arg("--work-tree").arg(tree).current_dir(tree);
        }
        if let Some(index) = self.env.path_var("GIT_INDEX_FILE") {
            let from = self.env.cwd().map_or(index.clone(), |cwd| cwd.join(&index));
            command.env("GIT_INDEX_FILE", from);
        }
        // Diffing must not refresh the index that git is about to commit.
        command.env("GIT_OPTIONAL_LOCKS", "0").args(args);
        Running::start(command, what)?.exchange(input.unwrap_or_default())
    }

    /// The commit that a revision names; none if it names none.
    pub fn resolve_rev(&self, rev: &str) -> Result<Option<Oid>, GitError> {
        if rev.starts_with('-') {
            return Ok(None);
        }
        let wanted = format!("{rev}^{{commit}}");
        match self.git_here(&["rev-parse", "-q", "--verify", "--end-of-options", &wanted], None) {
            Ok(out) => {
                let hex = out.and_then(|out| String::from_utf8(out).ok()).unwrap_or_default();
                Ok(hex.lines().last().and_then(|hex| self.parse_oid(hex.trim()).ok()))
            }
            Err(GitError::Command { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The command's name; settings may stand before it.
fn what_of<'a>(args: &[&'a str]) -> &'a str {
    args.iter().find(|&&a| a != "-c" && !a.contains('=')).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    fn paths(changes: &[Change]) -> Vec<String> {
        changes.iter().map(|c| crate::text::escape::bytes(&c.path)).collect()
    }

    #[test]
    fn what_is_staged_is_told_whatever_its_name() {
        let f = Fixture::new();
        let repo = f.open();
        for name in ["a", "-x", "line\nfeed", "sp ace"] {
            std::fs::write(f.root().join(name), name).unwrap();
        }
        f.git(&["add", "-A"]);
        assert_eq!(paths(&repo.staged().unwrap()), ["-x", "a", "line\\nfeed", "sp ace"]);
        f.git(&["commit", "-q", "-m", "one"]);
        assert!(repo.staged().unwrap().is_empty());
        f.git(&["mv", "a", "b"]);
        assert_eq!(paths(&repo.staged().unwrap()), ["a", "b"], "a rename is both names");
        std::fs::write(f.root().join("unstaged"), "x").unwrap();
        assert_eq!(repo.staged().unwrap().len(), 2);
    }

    #[test]
    fn a_merge_is_judged_by_what_differs_from_every_parent() {
        let f = Fixture::new();
        let write = |name: &str, text: &str| {
            std::fs::write(f.root().join(name), text).unwrap();
            f.git(&["add", "-A"]);
            f.git(&["commit", "-q", "-m", name]);
        };
        write("base", "0");
        f.git(&["branch", "side"]);
        write("ours", "1");
        f.git(&["checkout", "-q", "side"]);
        write("theirs", "2");
        f.git(&["checkout", "-q", "main"]);
        f.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
        std::fs::write(f.root().join("smuggled"), "3").unwrap();
        f.git(&["add", "-A"]);
        let repo = f.open();
        assert_eq!(paths(&repo.staged().unwrap()), ["smuggled"]);
        f.git(&["commit", "-q", "-m", "merge\n\nX: one\nY: a b"]);
        let base = repo.resolve_rev("side~1").unwrap().unwrap();
        let range = repo.range(base, repo.head().unwrap().unwrap(), &["X", "Y"]).unwrap();
        let told: Vec<String> =
            range.iter().map(|c| format!("{} {}", c.parents.len(), paths(&c.changes).join(","))).collect();
        assert_eq!(told, ["1 ours", "1 theirs", "2 smuggled"]);
        assert_eq!(range[2].trailers, ["one", "a b"]);
        assert_eq!((range[0].author_name.as_str(), range[0].author_email.as_str()), ("a", "a@example.com"));
    }

    #[test]
    fn the_first_commit_is_compared_with_nothing() {
        let f = Fixture::init(&["--object-format=sha256"]);
        let repo = f.open();
        assert_eq!(repo.head().unwrap(), None);
        std::fs::write(f.root().join("a"), "a").unwrap();
        f.git(&["add", "a"]);
        assert_eq!(paths(&repo.staged().unwrap()), ["a"]);
        for rev in ["HEAD", "nothing", "-x", "--all", "a..b"] {
            assert_eq!(repo.resolve_rev(rev).unwrap(), None, "{rev}");
        }
    }
}
