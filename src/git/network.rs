//! What crosses to another repository, always by git itself: transports and
//! credentials are its business.
//!
//! A fetch names both sides of every ref and takes the configured refspecs
//! out (`--refmap=`): a `+refs/*:refs/*` in the configuration would otherwise
//! fire beside them.

use std::collections::BTreeMap;

use super::process::failed;
use super::{GitError, Oid, RefName, Repo};

/// Only these carry records. `ext::` and the like would run programs.
const PROTOCOLS: [&str; 5] = [
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "protocol.http.allow=user",
];

/// A ref of a remote that shall move.
#[derive(Clone, Debug)]
pub struct Push {
    /// The ref, there as here.
    pub name: RefName,
    /// What it must name there; none: it must not exist.
    pub expected: Option<Oid>,
    /// What it shall name. It must descend from `expected`: a lease alone
    /// would also let a ref go back.
    pub next: Oid,
}

/// What a remote said of one ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It names what it should.
    Moved,
    /// It had that already. Somebody else may have put it there.
    Already,
    /// It was not where it was expected.
    Stale,
    /// The remote does not want it, in its own words.
    Refused(String),
    /// Nobody knows: it said nothing of this ref.
    Unknown,
}

/// How git says that somebody else was faster: before the push began, while
/// the ref was locked, or when it was looked at again.
const LATE: [&str; 7] = [
    "(stale info)",
    "(fetch first)",
    "(failed to update ref)",
    "(failed to lock)",
    "(cannot lock ref",
    "(reference already exists)",
    "(incorrect old value provided)",
];

/// Refs in one push: their names fit into a command line.
const PUSHED_AT_ONCE: usize = 2_000;

impl Repo {
    /// The refs of a remote that match `pattern`.
    pub fn remote_refs(&self, remote: &str, pattern: &str) -> Result<Vec<(RefName, Oid)>, GitError> {
        let out =
            self.git_remote(&["ls-remote", "--refs", "--quiet", "--end-of-options", remote, pattern])?;
        let text = String::from_utf8_lossy(&out.unwrap_or_default()).into_owned();
        let parse = |line: &str| {
            let (hex, name) = line.split_once('\t')?;
            Some((RefName::new(name).ok()?, self.parse_oid(hex).ok()?))
        };
        Ok(text.lines().filter_map(parse).collect())
    }

    /// Fetches refs of a remote into names of our own, by exact refspecs.
    /// One that git refuses is an error.
    pub fn fetch_refs(&self, remote: &str, refspecs: &[&str]) -> Result<(), GitError> {
        let mut args = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--refmap=",
            "--end-of-options",
            remote,
        ];
        args.extend(refspecs);
        match self.git_remote(&args)? {
            Some(_) => Ok(()),
            // It does not say which, when it is told to be quiet.
            None => Err(GitError::Command {
                what: "fetch".into(),
                status: "refused to move a ref".into(),
                stderr: String::new(),
            }),
        }
    }

    /// Fetches single refs, each into a name of our own, whatever that named.
    pub fn fetch_into(&self, remote: &str, refs: &[(&RefName, RefName)]) -> Result<(), GitError> {
        let input: String = refs.iter().map(|(from, to)| format!("+{from}:{to}\n")).collect();
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--no-recurse-submodules",
            "--refmap=",
            "--stdin",
            "--end-of-options",
            remote,
        ];
        let (status, _, stderr) = self.run_git_here(&allowed(&args), Some(input.as_bytes()))?;
        if status.success() { Ok(()) } else { Err(failed("fetch", status, &stderr)) }
    }

    /// Moves refs of a remote, each only from where it is expected. None of
    /// them blocks another. An error means that nobody knows what became of
    /// any of them.
    pub fn push_refs(&self, remote: &str, pushes: &[Push]) -> Result<Vec<Pushed>, GitError> {
        let mut all = Vec::with_capacity(pushes.len());
        for pushes in pushes.chunks(PUSHED_AT_ONCE) {
            all.extend(self.push_some(remote, pushes)?);
        }
        Ok(all)
    }

    fn push_some(&self, remote: &str, pushes: &[Push]) -> Result<Vec<Pushed>, GitError> {
        let lease = |push: &Push| {
            let expected = push.expected.map(|oid| oid.to_string()).unwrap_or_default();
            format!("--force-with-lease={}:{expected}", push.name)
        };
        let leases: Vec<String> = pushes.iter().map(lease).collect();
        let refspecs: Vec<String> =
            pushes.iter().map(|push| format!("{}:{}", push.next, push.name)).collect();
        let mut args = vec![
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            "--no-signed",
        ];
        args.extend(leases.iter().map(String::as_str));
        args.extend(["--end-of-options", remote]);
        args.extend(refspecs.iter().map(String::as_str));
        let (status, out, stderr) = self.run_git_here(&allowed(&args), None)?;
        let out = String::from_utf8_lossy(&out);
        let told: BTreeMap<&str, Pushed> = out.lines().filter_map(told).collect();
        if told.is_empty() && !status.success() {
            return Err(failed("push", status, &stderr));
        }
        Ok(pushes
            .iter()
            .map(|push| told.get(push.name.as_str()).cloned().unwrap_or(Pushed::Unknown))
            .collect())
    }

    /// Notes where refs of a remote were seen, in names of our own.
    pub fn note_seen(&self, seen: &[(RefName, Oid)]) -> Result<(), GitError> {
        if seen.is_empty() {
            return Ok(());
        }
        let input: String = seen.iter().map(|(name, oid)| format!("update {name} {oid}\n")).collect();
        let args = ["update-ref", "--stdin"];
        let (status, _, stderr) = self.run_git_here(&args, Some(input.as_bytes()))?;
        if status.success() { Ok(()) } else { Err(failed("update-ref", status, &stderr)) }
    }

    fn git_remote(&self, args: &[&str]) -> Result<Option<Vec<u8>>, GitError> {
        self.git_here(&allowed(args), None)
    }
}

fn allowed<'a>(args: &[&'a str]) -> Vec<&'a str> {
    PROTOCOLS.iter().flat_map(|setting| ["-c", setting]).chain(args.iter().copied()).collect()
}

/// A line of `git push --porcelain`: flag, refspec and summary between tabs.
fn told(line: &str) -> Option<(&str, Pushed)> {
    let mut fields = line.split('\t');
    let (flag, refspec, summary) = (fields.next()?, fields.next()?, fields.next()?);
    let (_, name) = refspec.split_once(':')?;
    let pushed = match flag {
        " " | "+" | "*" => Pushed::Moved,
        "=" => Pushed::Already,
        "!" if LATE.iter().any(|late| summary.contains(late)) => Pushed::Stale,
        "!" => Pushed::Refused(summary.to_owned()),
        _ => return None,
    };
    Some((name, pushed))
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Fixture;

    #[test]
    fn refs_are_fetched_into_names_of_our_own_whatever_is_configured() {
        let (theirs, ours) = (Fixture::new(), Fixture::new());
        theirs.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
        theirs.git(&["update-ref", "refs/comm-node/meta", "HEAD"]);
        ours.git(&["remote", "add", "origin", theirs.root().to_str().unwrap()]);
        ours.git(&["config", "remote.origin.fetch", "+refs/*:refs/*"]);
        let repo = ours.open();
        let found = repo.remote_refs("origin", "refs/comm-node/*").unwrap();
        assert_eq!(found.len(), 1);
        repo.fetch_refs("origin", &["refs/comm-node/*:refs/comm-node-remote/origin/*"]).unwrap();
        let refs = ours.git(&["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, "refs/comm-node-remote/origin/meta");
    }

    #[test]
    fn a_remote_that_would_run_a_program_is_refused() {
        let ours = Fixture::new();
        let repo = ours.open();
        let ran = ours.root().join("ran");
        let program = format!("ext::touch {}", ran.display());
        for remote in [program.as_str(), "--upload-pack=touch", "fd::17"] {
            assert!(repo.remote_refs(remote, "refs/comm-node/*").is_err(), "{remote}");
        }
        assert!(!ran.exists(), "it was run");
    }
}
