//! Runs git as a person types it: in a directory, with git's own way of
//! finding the repository, and with exactly the variables that it is given.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::GitError;
use super::process::{find_git, output};
use crate::env::Env;

/// Runs `git ARGS` in `dir` with no variables but `vars`, and returns what it
/// printed. Bytes that are not UTF-8 are replaced.
///
/// Errors if git is not on the caller's PATH or does not end with 0.
pub fn plain_git(
    env: &Env,
    dir: &Path,
    vars: &BTreeMap<OsString, OsString>,
    args: &[&str],
) -> Result<String, GitError> {
    let mut command = Command::new(find_git(env)?);
    command.args(args).current_dir(dir).env_clear().envs(vars);
    let printed = output(command, args.first().copied().unwrap_or_default())?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
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
        let name = ["config", "user.name"];
        assert!(plain_git(&env, fixture.root(), &vars, &name).is_err(), "no identity but the given one");
        vars.insert("GIT_CONFIG_COUNT".into(), "1".into());
        vars.insert("GIT_CONFIG_KEY_0".into(), "user.name".into());
        vars.insert("GIT_CONFIG_VALUE_0".into(), "ada".into());
        assert_eq!(plain_git(&env, fixture.root(), &vars, &name).unwrap(), "ada\n");
    }
}
