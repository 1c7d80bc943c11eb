//! What crosses to another repository, always by git itself: transports and
//! credentials are its business.
//!
//! A fetch names both sides of every ref and takes the configured refspecs
//! out (`--refmap=`): a `+refs/*:refs/*` in the configuration would otherwise
//! fire beside them.

use super::{GitError, Oid, RefName, Repo};

/// Only these carry records. `ext::` and the like would run programs.
const PROTOCOLS: [&str; 5] = [
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "protocol.http.allow=user",
];

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

    fn git_remote(&self, args: &[&str]) -> Result<Option<Vec<u8>>, GitError> {
        let mut with: Vec<&str> = Vec::new();
        for setting in PROTOCOLS {
            with.extend(["-c", setting]);
        }
        with.extend(args);
        self.git_here(&with, None)
    }
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
