//! Runs git as a person types it: in a directory, with git's own way of
//! finding the repository, with its hooks, and with exactly the variables that
//! it is given.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::GitError;
use super::process::find_git;
use crate::env::Env;

/// How a git that was run so ended. Bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainEnd {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

/// Runs `git ARGS` in `dir` without input and with no variables but `vars`.
///
/// Errors if git is not on the caller's PATH or cannot be started.
pub fn plain_git(
    env: &Env,
    dir: &Path,
    vars: &BTreeMap<OsString, OsString>,
    args: &[&str],
) -> Result<PlainEnd, GitError> {
    let mut command = Command::new(find_git(env)?);
    command.args(args).current_dir(dir).env_clear().envs(vars).stdin(Stdio::null());
    let output = command.output().map_err(|err| GitError::Command {
        what: args.first().copied().unwrap_or_default().to_owned(),
        status: format!("could not be started: {err}"),
        stderr: String::new(),
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(PlainEnd { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn it_sees_only_the_variables_that_it_is_given() {
        let fixture = Fixture::new();
        let env = Env::from_process();
        let mut vars = env.clean_vars(fixture.root());
        let name = |vars: &_| plain_git(&env, fixture.root(), vars, &["config", "user.name"]).unwrap();
        assert_eq!(name(&vars).code, Some(1), "no identity but the given one");
        vars.insert("GIT_CONFIG_COUNT".into(), "1".into());
        vars.insert("GIT_CONFIG_KEY_0".into(), "user.name".into());
        vars.insert("GIT_CONFIG_VALUE_0".into(), "ada".into());
        assert_eq!(name(&vars).stdout, "ada\n");
    }
}
