//! Commits that only a worktree's own records name, and where they are saved.
//!
//! Its reflog, its own refs, `ORIG_HEAD` and the like go with it, and with
//! them what was amended, reset or rebased away, which git would have kept
//! for weeks. It is put under one ref per name of a worktree instead: a chain
//! of commits, one for each removal, whose further parents are the strays.

use std::fs;
use std::path::Path;

use super::{Ended, branch_ref};
use crate::git::{Backend, GitError, Oid, RefName, Repo};

/// The refs that each worktree has for itself.
const OWN_REFS: [&str; 3] = ["refs/bisect", "refs/rewritten", "refs/worktree"];
/// What git notes beside HEAD where refs are in no files.
const NOTED: [&str; 8] = [
    "AUTO_MERGE",
    "BISECT_EXPECTED_REV",
    "BISECT_HEAD",
    "CHERRY_PICK_HEAD",
    "MERGE_AUTOSTASH",
    "ORIG_HEAD",
    "REBASE_HEAD",
    "REVERT_HEAD",
];
/// Parents of one commit.
const MANY: usize = 200;

/// What only a worktree's own records name.
#[derive(Debug, Default)]
pub struct Strays {
    /// How many commits.
    pub commits: usize,
    /// Those of them that no other of them has for an ancestor.
    tips: Vec<Oid>,
    /// Trees and blobs, with their types, such as what a merge made.
    others: Vec<(Oid, String)>,
}

impl Strays {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tips.is_empty() && self.others.is_empty()
    }
}

/// Strays that were saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The ref that holds them.
    pub name: RefName,
    /// How many commits.
    pub commits: usize,
    commit: Oid,
    before: Option<Oid>,
}

impl Repo {
    /// What goes with this worktree because no shared ref leads to it.
    /// `branch` goes with it, and its reflog; `base` does not count.
    pub fn strays(&self, branch: Option<&str>, base: Option<Oid>) -> Result<Strays, GitError> {
        let mut named = self.noted_objects()?;
        named.extend(self.reflog_objects(branch)?);
        named.sort_unstable();
        named.dedup();
        let input: String = named.iter().map(|name| format!("{name}^{{}}\n")).collect();
        let args = ["cat-file", "--batch-check=%(objectname) %(objecttype)"];
        let listed = self.run_here(None, &[], &args, Some(input.as_bytes()))?.ok()?;
        let (mut commits, mut others) = (Vec::new(), Vec::new());
        for line in String::from_utf8_lossy(&listed).lines() {
            let Some((oid, kind)) = line.split_once(' ') else { continue };
            match (self.parse_oid(oid), kind) {
                (Ok(oid), "commit") => commits.push(oid),
                (Ok(oid), "tree" | "blob") => others.push((oid, kind.to_owned())),
                // What was pruned cannot be saved.
                _ => {}
            }
        }
        let mut strays = self.unreachable(&commits, base)?;
        strays.others = others;
        Ok(strays)
    }

    /// Which commits no shared ref leads to, starting from `tips`.
    fn unreachable(&self, tips: &[Oid], base: Option<Oid>) -> Result<Strays, GitError> {
        if tips.is_empty() {
            return Ok(Strays::default());
        }
        let mut args =
            ["rev-list", "--parents", "--single-worktree", "--stdin", "--not"].map(str::to_owned).to_vec();
        args.extend(OWN_REFS.iter().chain(&["refs/comm-node"]).map(|name| format!("--exclude={name}/*")));
        args.push("--all".into());
        args.extend(base.map(|base| base.to_string()));
        args.push("--".into());
        let input: String = tips.iter().map(|oid| format!("{oid}\n")).collect();
        // As the main worktree sees it: that one stays.
        let main = Self::open_at(&self.common_dir, &self.env)?;
        let listed = main.run_here(None, &[], &args, Some(input.as_bytes()))?.ok()?;
        let listed = String::from_utf8_lossy(&listed);
        let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split(' ').collect()).collect();
        let parents: std::collections::HashSet<&str> =
            lines.iter().flat_map(|line| &line[1..]).copied().collect();
        let tips = lines.iter().filter_map(|line| line.first()).filter(|oid| !parents.contains(*oid));
        let tips = tips.map(|oid| self.parse_oid(oid)).collect::<Result<_, _>>()?;
        Ok(Strays { commits: lines.len(), tips, others: Vec::new() })
    }

    /// The objects that this worktree's own refs and files name.
    fn noted_objects(&self) -> Result<Vec<String>, GitError> {
        let mut args = vec!["for-each-ref", "--format=%(objectname)"];
        args.extend(OWN_REFS);
        let listed = self.run_here(None, &[], &args, None)?.ok()?;
        let mut named: Vec<String> = String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect();
        for entry in fs::read_dir(&self.git_dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_noted = |c: u8| c.is_ascii_uppercase() || c == b'_';
            if name.as_encoded_bytes().iter().all(|&c| is_noted(c)) {
                // FETCH_HEAD and MERGE_HEAD have a line for each.
                self.oids_in(&entry.path(), 1, &mut named)?;
            }
        }
        if self.backend != Backend::Files {
            named.extend(NOTED.map(str::to_owned));
        }
        Ok(named)
    }

    /// The objects that the reflogs of this worktree name, and that of the
    /// branch which goes with it.
    fn reflog_objects(&self, branch: Option<&str>) -> Result<Vec<String>, GitError> {
        let branch = branch.map(branch_ref).transpose()?;
        let mut named = Vec::new();
        let mut open = vec![self.git_dir.join("logs")];
        open.extend(branch.iter().map(|name| self.common_dir.join("logs").join(name.as_str())));
        while let Some(path) = open.pop() {
            match fs::read_dir(&path) {
                Ok(entries) => open.extend(entries.flatten().map(|entry| entry.path())),
                Err(_) => self.oids_in(&path, 2, &mut named)?,
            }
        }
        if self.backend != Backend::Files {
            for name in ["HEAD"].into_iter().chain(branch.as_ref().map(RefName::as_str)) {
                let listed = self.run_here(None, &[], &["log", "-g", "--format=%H", name, "--"], None)?;
                let listed = match listed.ok() {
                    Ok(listed) => listed,
                    // An unborn branch has no log to walk: rather those of all.
                    Err(_) => self
                        .run_here(
                            None,
                            &[],
                            &["rev-list", "--single-worktree", "--reflog", "--no-walk"],
                            None,
                        )?
                        .ok()?,
                };
                named.extend(String::from_utf8_lossy(&listed).lines().map(str::to_owned));
            }
        }
        Ok(named)
    }

    /// Adds the object ids at the start of each line of a file, at most
    /// `count` in a line.
    fn oids_in(&self, path: &Path, count: usize, named: &mut Vec<String>) -> Result<(), GitError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(_) if !path.is_file() => return Ok(()),
            Err(err) => return Err(GitError::read(path, err)),
        };
        let digits = self.oid_hex_len();
        for line in text.split(|&b| b == b'\n') {
            let words = line.split(|&b| b == b' ' || b == b'\t').take(count);
            let oids = words.filter(|word| word.len() == digits).filter_map(Oid::from_hex);
            named.extend(oids.map(|oid| oid.to_string()));
        }
        Ok(())
    }

    /// Puts strays of the worktree called `worktree` under a ref. `who` is a
    /// name and a mail address.
    pub fn save_strays(
        &self,
        who: (&str, &str),
        worktree: &str,
        strays: &Strays,
    ) -> Result<Option<Saved>, GitError> {
        if strays.is_empty() {
            return Ok(None);
        }
        let name = saved_ref(worktree)?;
        let before = self.read_ref(&name)?;
        let entries = strays.others.iter().map(|(oid, kind)| {
            let mode = if kind == "tree" { "040000" } else { "100644" };
            format!("{mode} {kind} {oid}\t{oid}\n")
        });
        let made = self.run_here(None, &[], &["mktree"], Some(entries.collect::<String>().as_bytes()))?;
        let tree = made.text().ok_or_else(|| made.error())?;
        let tree = self.parse_oid(&tree)?;
        let message = format!("what only worktree {worktree} named");
        // The first parents are the removals, down to a root of their own.
        let mut commit = match before {
            Some(before) => before,
            None => self.commit_tree(who, tree, &[], "what removed worktrees named")?,
        };
        // One for what is no commit, too.
        let none: &[&[Oid]] = if strays.tips.is_empty() { &[&[]] } else { &[] };
        for tips in strays.tips.chunks(MANY).chain(none.iter().copied()) {
            let parents: Vec<Oid> = [commit].iter().chain(tips).copied().collect();
            commit = self.commit_tree(who, tree, &parents, &message)?;
        }
        let saved = Saved { name, commits: strays.commits, commit, before };
        self.move_saved(&saved, Some(commit), before)?;
        if let Err(error) = self.pack_kept(&saved.name) {
            self.unsave_strays(&saved)?;
            return Err(error);
        }
        Ok(Some(saved))
    }

    /// Puts the ref back as it was: the worktree stays.
    pub fn unsave_strays(&self, saved: &Saved) -> Result<(), GitError> {
        self.move_saved(saved, saved.before, Some(saved.commit))
    }

    fn move_saved(&self, saved: &Saved, to: Option<Oid>, from: Option<Oid>) -> Result<(), GitError> {
        let absent = || "0".repeat(self.oid_hex_len());
        let text = |oid: Option<Oid>| oid.map_or_else(absent, |oid| oid.to_string());
        let mut command = self.git(&["core.fsync=committed"])?;
        command.args(["update-ref", saved.name.as_str(), &text(to), &text(from)]);
        Ended::of(command, "update-ref")?.ok().map(|_| ())
    }
}

/// The ref for what a worktree of this name leaves.
fn saved_ref(worktree: &str) -> Result<RefName, GitError> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = worktree.chars().map(plain).take(100).collect();
    let name = if name.is_empty() { "-" } else { &name };
    RefName::new(format!("refs/comm-kept/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn every_place_that_only_a_worktree_has_is_looked_at() {
        for kind in ["--ref-format=files", "--ref-format=reftable"] {
            let f = Fixture::init(&[kind]);
            f.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
            f.git(&["worktree", "add", "-q", "../linked"]);
            let path = f.root().parent().unwrap().join("linked");
            let linked = path.to_str().unwrap();
            let base = f.git(&["rev-parse", "HEAD"]);
            let tree = f.git(&["rev-parse", "HEAD^{tree}"]);
            let commit = |text: &str| f.git(&["commit-tree", "-m", text, "-p", &base, &tree]);
            let repo = Repo::open_at(&path, &crate::env::Env::from_process()).unwrap();
            let count = || repo.strays(Some("linked"), None).unwrap().commits;
            assert_eq!(count(), 0, "{kind}");
            for (number, name) in ["refs/worktree/a", "refs/bisect/bad", "REBASE_HEAD"].iter().enumerate() {
                f.git(&["-C", linked, "update-ref", name, &commit(name)]);
                assert_eq!(count(), number + 1, "{kind} {name}");
            }
            f.git(&["-C", linked, "reset", "-q", "--soft", &commit("reset")]);
            f.git(&["-C", linked, "reset", "-q", "--soft", &base]);
            assert_eq!(count(), 4, "{kind}: reset away");
            f.git(&["-C", linked, "checkout", "-q", "--detach", &commit("detached")]);
            f.git(&["-C", linked, "checkout", "-q", "linked"]);
            assert_eq!(count(), 5, "{kind}: detached");
            f.git(&["update-ref", "-m", "from elsewhere", "refs/heads/linked", &commit("branch")]);
            f.git(&["update-ref", "-m", "from elsewhere", "refs/heads/linked", &base]);
            assert_eq!(count(), 6, "{kind}: a branch that goes");
            assert_eq!(repo.strays(None, None).unwrap().commits, 5, "{kind}: a branch that stays");
            // As two fetches at once leave it.
            let fetched = format!("{}\t\tone\n{}\tnot-for-merge\ttwo\n", commit("f1"), commit("f2"));
            fs::write(repo.git_dir.join("FETCH_HEAD"), fetched).unwrap();
            assert_eq!(count(), 8, "{kind}: fetched");
            let blob = f.git(&["hash-object", "-w", "--stdin"]);
            f.git(&["-C", linked, "update-ref", "refs/worktree/blob", &blob]);
            let strays = repo.strays(None, None).unwrap();
            let who = ("a", "a@b");
            let saved = repo.save_strays(who, "a b", &strays).unwrap().unwrap();
            assert_eq!(saved.name.as_str(), "refs/comm-kept/a-b");
            assert!(f.git(&["rev-list", "--objects", "refs/comm-kept/a-b"]).contains(&blob));
            assert_eq!(repo.strays(None, None).unwrap().commits, 0, "{kind}: they are named now");
            repo.unsave_strays(&saved).unwrap();
            assert_eq!(repo.strays(None, None).unwrap().commits, strays.commits);
            f.git(&["tag", "kept", "refs/heads/linked"]);
            // Whatever else leads to it, it is no stray.
            for tip in &strays.tips {
                f.git(&["tag", &format!("t-{tip}"), &tip.to_string()]);
            }
            assert_eq!(repo.strays(None, None).unwrap().commits, 0);
        }
    }

    #[test]
    fn many_are_saved_in_a_chain_after_those_of_before() {
        let f = Fixture::new();
        f.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        let repo = f.open();
        let tree = repo.parse_oid(&f.git(&["rev-parse", "HEAD^{tree}"])).unwrap();
        let who = ("a", "a@b");
        let make = |number: usize| repo.commit_tree(who, tree, &[], &number.to_string()).unwrap();
        let tips: Vec<Oid> = (0..MANY + 3).map(make).collect();
        let strays = Strays { commits: tips.len(), tips: tips.clone(), others: Vec::new() };
        repo.save_strays(who, "ada", &strays).unwrap();
        let more = Strays { commits: 1, tips: vec![make(MANY + 9)], others: Vec::new() };
        repo.save_strays(who, "ada", &more).unwrap();
        let listed = f.git(&["rev-list", "refs/comm-kept/ada"]);
        assert!(tips.iter().chain(&more.tips).all(|tip| listed.contains(&tip.to_string())));
        assert_eq!(f.git(&["rev-list", "--first-parent", "--count", "refs/comm-kept/ada"]), "4");
    }
}
