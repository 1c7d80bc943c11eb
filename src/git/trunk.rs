//! The trunk: the branch that work starts from and ends on.

use std::process::Command;

use super::worktree::Ended;
use super::{GitError, Oid, RefName, Repo};
use crate::text::escape;

/// The branch that new work starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Its full name, such as `refs/remotes/origin/main`.
    pub name: RefName,
    /// Its tip.
    pub tip: Oid,
}

impl Trunk {
    /// Its name as people say it: `origin/main`.
    pub fn shown(&self) -> &str {
        let name = self.name.as_str();
        name.strip_prefix("refs/remotes/").or_else(|| name.strip_prefix("refs/heads/")).unwrap_or(name)
    }
}

impl Repo {
    /// The trunk as far as this repository knows: the default branch of the
    /// remote, else `main` or `master`, else the main worktree's branch. None
    /// in a repository without a commit on any of them.
    pub fn trunk(&self) -> Result<Option<Trunk>, GitError> {
        let mut names = Vec::new();
        if let Some(remote) = self.default_remote() {
            names.extend(self.remote_head(&remote)?);
            names.extend(["main", "master"].map(|branch| format!("refs/remotes/{remote}/{branch}")));
        }
        names.extend(["main", "master"].map(|branch| format!("refs/heads/{branch}")));
        for name in names {
            if let Some(trunk) = self.trunk_at(&name)? {
                return Ok(Some(trunk));
            }
        }
        let mut command = self.git(&[])?;
        command.args(["symbolic-ref", "-q", "HEAD"]);
        match Ended::of(command, "symbolic-ref")?.text() {
            Some(name) => self.trunk_at(&name),
            None => Ok(None),
        }
    }

    /// The branch here that a push brings to the trunk; none where the trunk
    /// is no remote's.
    pub fn local_branch(&self, trunk: &Trunk) -> Option<RefName> {
        let remotes = format!("refs/remotes/{}/", self.default_remote()?);
        let branch = trunk.name.as_str().strip_prefix(&remotes)?;
        RefName::new(format!("refs/heads/{branch}")).ok()
    }

    fn trunk_at(&self, name: &str) -> Result<Option<Trunk>, GitError> {
        let Ok(name) = RefName::new(name) else { return Ok(None) };
        Ok(self.read_ref(&name)?.map(|tip| Trunk { name, tip }))
    }

    /// Brings the remote's default branch up to date. The text says why that
    /// was not possible; nothing else depends on it.
    pub fn fetch_trunk(&self) -> Result<Option<String>, GitError> {
        let Some(remote) = self.default_remote() else { return Ok(None) };
        let _lock = self.lock_file("fetch.lock")?;
        let unreachable = |stderr: &str| {
            let why = stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
            let why = escape::clipped(why.trim_start_matches("fatal: "), 160);
            Ok(Some(format!("remote `{}` was not fetched: {why}", escape::clipped(&remote, 40))))
        };
        let head = match self.remote_head(&remote)? {
            Some(name) => name,
            None => {
                let mut command = self.network()?;
                command.args(["ls-remote", "--symref", "--", &remote, "HEAD"]);
                let ended = Ended::of(command, "ls-remote")?;
                if !ended.is_success() {
                    return unreachable(&ended.stderr);
                }
                let branch = ended.text().and_then(|text| {
                    let name = text.lines().next()?.strip_prefix("ref: refs/heads/")?.split('\t').next()?;
                    Some(name.to_owned())
                });
                // An empty remote has no default branch yet.
                let Some(branch) = branch else { return Ok(None) };
                format!("refs/remotes/{remote}/{branch}")
            }
        };
        let Some(branch) = head.strip_prefix(&format!("refs/remotes/{remote}/")) else { return Ok(None) };
        let spec = format!("+refs/heads/{branch}:{head}");
        let mut command = self.network()?;
        command.args(["fetch", "-q", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"]);
        command.args(["--no-write-fetch-head", "--refmap=", "--", &remote, &spec]);
        let ended = Ended::of(command, "fetch")?;
        if !ended.is_success() {
            return unreachable(&ended.stderr);
        }
        if self.remote_head(&remote)?.is_none() {
            let mut command = self.git(&[])?;
            command.args(["symbolic-ref", &format!("refs/remotes/{remote}/HEAD"), &head]);
            Ended::of(command, "symbolic-ref")?.ok()?;
        }
        Ok(None)
    }

    /// `origin`, else the only remote, else the first by name.
    pub fn default_remote(&self) -> Option<String> {
        let is_plain =
            |name: &String| !name.starts_with('-') && RefName::new(format!("refs/remotes/{name}/x")).is_ok();
        let mut names: Vec<String> = self.remote_names().into_iter().filter(is_plain).collect();
        let at = names.iter().position(|name| name == "origin").unwrap_or(0);
        (!names.is_empty()).then(|| names.swap_remove(at))
    }

    /// What `refs/remotes/<remote>/HEAD` points at.
    fn remote_head(&self, remote: &str) -> Result<Option<String>, GitError> {
        let mut command = self.git(&[])?;
        command.args(["symbolic-ref", "-q", &format!("refs/remotes/{remote}/HEAD")]);
        Ok(Ended::of(command, "symbolic-ref")?.text())
    }

    /// A git command that talks to a remote: nobody is there to answer
    /// questions, and a remote that does not answer is given up.
    fn network(&self) -> Result<Command, GitError> {
        let mut command = self.git(&["http.lowSpeedLimit=1000", "http.lowSpeedTime=15"])?;
        command.env_remove("GIT_NO_LAZY_FETCH");
        // What git resolves a relative address against.
        if let Some(main) = self.main_worktree()?.filter(|main| main.is_dir()) {
            command.current_dir(main);
        }
        let has_own = ["GIT_SSH", "GIT_SSH_COMMAND"].iter().any(|name| self.env.path_var(name).is_some());
        if !has_own && self.config("core.sshCommand").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=10");
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Fixture;

    #[test]
    fn the_trunk_is_the_default_branch_of_the_remote() {
        let f = Fixture::new();
        assert_eq!(f.open().trunk().unwrap(), None);
        f.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        assert_eq!(f.open().trunk().unwrap().unwrap().shown(), "main");
        let hub = f.root().parent().unwrap().join("hub");
        let hub = hub.to_str().unwrap();
        f.git(&["branch", "develop"]);
        f.git(&["clone", "-q", "--bare", ".", hub]);
        f.git(&["--git-dir", hub, "symbolic-ref", "HEAD", "refs/heads/develop"]);
        f.git(&["remote", "add", "origin", hub]);
        assert_eq!(f.open().fetch_trunk().unwrap(), None);
        assert_eq!(f.open().trunk().unwrap().unwrap().shown(), "origin/develop");
        std::fs::rename(hub, format!("{hub}-away")).unwrap();
        let told = f.open().fetch_trunk().unwrap().unwrap();
        assert!(told.starts_with("remote `origin` was not fetched: "), "{told}");
        assert_eq!(f.open().trunk().unwrap().unwrap().shown(), "origin/develop", "as it was last seen");
    }

    #[test]
    fn a_repository_of_another_branch_has_a_trunk_too() {
        let f = Fixture::init(&["-b", "trunk"]);
        f.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        assert_eq!(f.open().trunk().unwrap().unwrap().shown(), "trunk");
    }
}
