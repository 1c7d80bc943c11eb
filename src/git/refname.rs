//! Full names of refs.

use std::fmt;
use std::str::FromStr;

use super::GitError;
use crate::text::escape;

/// Full name of a ref, such as `refs/comm-node/tasks/bd-12`.
///
/// Obeys `git check-ref-format`, so that it is safe as a path below the git
/// directory and as one field of a git command's input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(String);

/// Longer names would not fit a path on common file systems.
const MAX_LENGTH: usize = 1_024;

impl RefName {
    /// Checks the name: it begins with `refs/` and git would accept it.
    pub fn new(name: impl Into<String>) -> Result<Self, GitError> {
        let name = name.into();
        if is_valid(&name) {
            Ok(Self(name))
        } else {
            Err(GitError::InvalidRefName { name: escape::clipped(&name, 120) })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether every worktree has a ref of this name of its own.
    pub(super) fn is_per_worktree(&self) -> bool {
        ["refs/bisect/", "refs/worktree/", "refs/rewritten/"].iter().any(|p| self.0.starts_with(p))
    }
}

fn is_valid(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("refs/") else { return false };
    name.len() <= MAX_LENGTH
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.bytes().any(|b| b <= b' ' || b == 0x7f || b"~^:?*[\\".contains(&b))
        && rest.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape::line(&self.0))
    }
}

impl FromStr for RefName {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        Self::new(text)
    }
}

impl AsRef<str> for RefName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn names_are_judged_as_git_judges_them() {
        for name in [
            "refs/comm-node/tasks/bd-12",
            "refs/a/b.c",
            "refs/a/-b",
            "refs/a/@",
            "refs/a/ü",
            "refs/a/b.lockx",
            "refs/",
            "refs/a//b",
            "refs/a/",
            "refs/a/.b",
            "refs/a/b.",
            "refs/a/b.lock",
            "refs/a.lock/b",
            "refs/a/b..c",
            "refs/a/b c",
            "refs/a/b~1",
            "refs/a/b^",
            "refs/a:b",
            "refs/a/b?",
            "refs/a/*",
            "refs/a/[b",
            "refs/a/b\\c",
            "refs/a/@{b",
            "refs/a/b\u{7f}",
            "refs/a/b\nc",
            "refs/../x",
        ] {
            let git = Command::new("git").args(["check-ref-format", name]).status().unwrap().success();
            assert_eq!(RefName::new(name).is_ok(), git, "{name:?}");
        }
        for name in ["HEAD", "heads/main", "", "refs", &format!("refs/{}", "x".repeat(2_000)), "refs/a\0"] {
            assert!(RefName::new(name).is_err(), "{name:?}");
        }
    }
}
